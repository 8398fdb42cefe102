//! Data sources over the sandbox: each choice comes once, is found by a search, and is taken by its inputs.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::declare::{Effect, SourceInput};
use connector_core::run::{Catalogue, Entry, EntryKind, Invocation, Runtime, View};
use serde_json::{Map, Value, json};

use super::pages::{read_singly, records, with_limit};
use crate::support::repository::{build_catalogue, read_json};
use crate::support::runtime::{build_sandbox_runtime, run};
use crate::support::sandbox::sandbox_options;

fn list_sources(catalogue: &Catalogue) -> impl Iterator<Item = &Entry> {
    catalogue.entries().iter().filter(|entry| matches!(entry.kind(), EntryKind::DataSource(_)))
}

/// Reads the input of a fixture, without the page.
fn read_input(key: &str) -> Value {
    let mut input = read_json(&format!("tests/fixtures/pipedrive/{key}.json"))["input"].clone();
    for page in ["limit", "cursor", "start"] {
        input.as_object_mut().expect("an input is an object").remove(page);
    }
    input
}

/// Reads an input of a fixture that has this member. Another one may exclude it.
fn read_input_with(key: &str, name: &str) -> Value {
    let fixture = read_json(&format!("tests/fixtures/pipedrive/{key}.json"));
    let more = fixture["more"].as_array().cloned().unwrap_or_default();
    let mut with = more.into_iter().filter(|input| input.get(name).is_some() && input.get("cursor").is_none());
    match fixture["input"].get(name) {
        None => with.next().unwrap_or_else(|| read_input(key)),
        Some(_) => read_input(key),
    }
}

/// Returns some choices of many, at both ends of a list.
fn take_some(choices: &[Value]) -> impl Iterator<Item = &Value> {
    let (first, last) = choices.split_at(choices.len().min(4));
    first.iter().chain(last.iter().rev().take(4))
}

/// Reads all choices of a data source.
async fn read_choices(runtime: &Runtime, key: &str, input: &Value) -> Vec<Value> {
    let outcome = run(runtime, Invocation::new(key).input(input.clone()).all_pages(None)).await;
    assert_eq!((&outcome["ok"], &outcome["page"]["complete"]), (&json!(true), &json!(true)), "{key} {input}: {outcome}");
    records(&outcome).clone()
}

fn read_key(choice: &Value) -> &str {
    choice["key"].as_str().unwrap_or_else(|| panic!("a key is a text: {choice}"))
}

#[tokio::test]
async fn each_choice_comes_once_over_all_page_sizes() {
    let (runtime, catalogue) = (build_sandbox_runtime(sandbox_options()).await, build_catalogue());
    for source in list_sources(&catalogue) {
        let (key, input) = (source.key(), read_input(source.key()));
        let whole = read_choices(&runtime, key, &input).await;
        let keys: BTreeSet<&str> = whole.iter().map(read_key).collect();
        assert!(!whole.is_empty() && keys.len() == whole.len(), "{key}: {whole:?}");
        for size in [whole.len().div_ceil(6), whole.len()] {
            let singly = read_singly(&runtime, key, &with_limit(&input, size), View::Record).await;
            assert_eq!(singly, whole, "{key} in pages of {size}");
        }
        let some = run(&runtime, Invocation::new(key).input(input.clone()).all_pages(1)).await;
        assert_eq!(records(&some).as_slice(), &whole[..1], "{key}");
        if whole.len() > 1 {
            let mut rest = input.clone();
            rest["cursor"] = some["page"]["next"].clone();
            assert_eq!(read_choices(&runtime, key, &rest).await.as_slice(), &whole[1..], "{key}: `next` goes on where the choices end");
        }
    }
}

#[tokio::test]
async fn each_choice_is_found_by_the_words_of_its_text_in_any_order_and_case() {
    let (runtime, catalogue) = (build_sandbox_runtime(sandbox_options()).await, build_catalogue());
    for source in list_sources(&catalogue) {
        let EntryKind::DataSource(of) = source.kind() else { continue };
        let search = source.fields().into_iter().find(|field| field.name == "search").expect("each has a search");
        if of.is_sent(search) {
            // How Pipedrive searches is its own.
            continue;
        }
        let (key, input) = (source.key(), read_input(source.key()));
        for choice in read_choices(&runtime, key, &input).await {
            let label = choice["label"].as_str().expect("a label is a text");
            let mut words: Vec<String> = label.split_whitespace().map(str::to_uppercase).collect();
            words.reverse();
            let mut asked = input.clone();
            asked["search"] = words.join(" ").into();
            let found = read_choices(&runtime, key, &asked).await;
            assert!(found.contains(&choice), "{key} {asked}: {found:?}");
            asked["search"] = format!("{label} xyzzy").into();
            assert_eq!(read_choices(&runtime, key, &asked).await, [json!(null); 0], "{key} {asked}");
        }
    }
}

#[tokio::test]
async fn search_at_the_vendor_is_one_request() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (key, search) in [
        ("selectDeal", "website"),
        ("selectPerson", "alma"),
        ("selectOrganization", "works"),
        ("selectLead", "group"),
        ("selectProduct", "website"),
    ] {
        let outcome = run(&runtime, Invocation::new(key).input(json!({"search": search}))).await;
        assert_eq!(outcome["meta"]["requests"], 1, "{key}: {outcome}");
        assert!(!records(&outcome).is_empty(), "{key} {search}: {outcome}");
    }
}

#[tokio::test]
async fn kept_list_is_read_once_for_all_pages_and_searches_and_tells_its_age_and_cost() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let first = run(&runtime, Invocation::new("selectStage").input(json!({"limit": 2}))).await;
    let next = first["page"]["next"].clone();
    for (input, requests) in [(json!({"limit": 2, "cursor": next}), 0), (json!({"search": "made"}), 0), (json!({"pipelineId": 2}), 0)] {
        let outcome = run(&runtime, Invocation::new("selectStage").input(input.clone())).await;
        let (meta, look_up) = (&outcome["meta"], &outcome["meta"]["lookups"][0]);
        assert_eq!((&meta["requests"], &meta["tokens"]), (&json!(requests), &json!(0)), "{input}: {outcome}");
        assert_eq!((&look_up["of"], &look_up["requests"]), (&json!("getStages"), &json!(0)), "{input}: {outcome}");
        assert!(look_up["ageMs"].is_u64(), "{outcome}");
    }
    let (meta, look_up) = (&first["meta"], &first["meta"]["lookups"][0]);
    assert_eq!((&meta["requests"], &meta["tokens"]), (&json!(1), &json!(5)), "{first}");
    assert_eq!((&look_up["of"], &look_up["requests"], &look_up["tokens"]), (&json!("getStages"), &json!(1), &json!(5)), "{first}");
    let added = run(&runtime, Invocation::new("addStage").input(json!({"name": "Brand new", "pipelineId": 1}))).await;
    assert_eq!(added["ok"], true, "{added}");
    let search = || Invocation::new("selectStage").input(json!({"search": "brand"}));
    assert_eq!(run(&runtime, search()).await["page"]["count"], 0, "the list is an hour old at most");
    assert_eq!(run(&runtime, search().refresh_definitions()).await["page"]["count"], 1, "it is read again");
}

#[tokio::test]
async fn inputs_narrow_choices() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (key, name, values, member, list) in [
        ("selectStage", "pipelineId", vec![json!(1), json!(2)], "pipeline_id", "getStages"),
        ("selectFilter", "type", vec![json!("deals"), json!("people"), json!("org")], "type", "getFilters"),
        ("selectPermissionSet", "app", vec![json!("sales"), json!("global")], "app", "getPermissionSets"),
    ] {
        let listed = run(&runtime, Invocation::new(list).all_pages(None)).await;
        for value in values {
            let expected: BTreeSet<String> = records(&listed)
                .iter()
                .filter(|record| record[member] == value)
                .map(|record| record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned))
                .collect();
            let choices = read_choices(&runtime, key, &json!({name: value})).await;
            let keys: BTreeSet<String> = choices.iter().map(|choice| read_key(choice).to_owned()).collect();
            assert!(!keys.is_empty() && keys == expected, "{key} {value}: {keys:?}, expected {expected:?}");
        }
    }
}

#[tokio::test]
async fn cursor_of_a_kept_list_is_one_of_ours() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = run(&runtime, Invocation::new("selectStage").input(json!({"cursor": "eyJ"}))).await;
    assert_eq!(outcome["error"]["kind"], "invalid_input", "{outcome}");
    assert_eq!(outcome["error"]["faults"][0]["path"], "/cursor", "{outcome}");
    assert_eq!(outcome["meta"]["requests"], 0, "{outcome}");
}

/// An input that a data source fills, with the input of the data source and that of the action.
struct Filled {
    action: &'static str,
    effect: Effect,
    name: &'static str,
    is_list: bool,
    source: &'static str,
    source_input: Value,
    input: Value,
}

/// Lists the inputs that a data source fills.
fn list_filled(catalogue: &Catalogue) -> Vec<Filled> {
    let mut all = Vec::new();
    for action in catalogue.actions().filter(|action| action.removed.is_none()) {
        let entry = catalogue.find(None, action.key).expect("the key is known");
        let schema = entry.input_schema();
        for field in action.fields() {
            let Some(source) = field.source else { continue };
            let input = read_input_with(action.key, field.name);
            let mut source_input = Map::new();
            for (name, given) in field.source_inputs {
                let value = match given {
                    SourceInput::Input(other) => input.get(*other).cloned(),
                    SourceInput::Text(text) => Some(json!(text)),
                    other => panic!("{other:?} is new"),
                };
                source_input.extend(value.map(|value| ((*name).to_owned(), value)));
            }
            let kind = &schema["properties"][field.name]["type"];
            let is_list = kind == "array" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("array")));
            let (action, effect, name) = (action.key, action.effect(), field.name);
            all.push(Filled { action, effect, name, is_list, source, source_input: source_input.into(), input });
        }
    }
    all
}

impl Filled {
    fn fill(&self, key: &str) -> Value {
        let mut input = self.input.clone();
        input[self.name] = if self.is_list { json!([key]) } else { json!(key) };
        input
    }
}

#[tokio::test]
async fn every_choice_is_taken_by_the_inputs_that_it_fills() {
    let (runtime, catalogue) = (build_sandbox_runtime(sandbox_options()).await, build_catalogue());
    let mut choices: BTreeMap<(&str, String), Vec<Value>> = BTreeMap::new();
    let mut refused = Vec::new();
    for filled in list_filled(&catalogue) {
        let of = (filled.source, filled.source_input.to_string());
        if !choices.contains_key(&of) {
            choices.insert(of.clone(), read_choices(&runtime, filled.source, &filled.source_input).await);
        }
        for choice in take_some(&choices[&of]) {
            let input = filled.fill(read_key(choice));
            let call = Invocation::new(filled.action).input(input.clone());
            // Reads are carried out. Writes would change what the next ones find.
            let outcome = run(&runtime, if filled.effect == Effect::Read { call } else { call.dry_run() }).await;
            if outcome["ok"] != true {
                refused.push(format!("{} {}: {outcome}", filled.action, filled.name));
                break;
            }
        }
    }
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

/// The inputs that name a record and have no data source, each with the reason.
const WITHOUT_SOURCE: &[(&str, &str)] = &[
    ("callLogId", "Pipedrive lists the call logs of the connected user alone, and they have no name"),
    ("channelId", "a text of the caller's own"),
    ("commentId", "comments are read by their note, and have no name"),
    ("dealParticipantId", "participants are read by their deal"),
    ("mailMessageId", "messages are read by their thread"),
    ("mailThreadId", "threads are read by their folder"),
    ("noteId", "notes have no name"),
    ("originId", "a text of the caller's own"),
    ("productAttachmentId", "products of a deal are read by the deal"),
    ("productVariationId", "no action lists the variations of a product"),
    ("projectId", "no action lists projects"),
    ("taskId", "no action lists tasks"),
];

#[test]
fn every_input_that_names_a_record_has_a_source_or_a_reason() {
    let catalogue = build_catalogue();
    let names_record = |name: &str| name.ends_with("Id") || name.ends_with("Ids") || name == "ids";
    let inputs: Vec<(&str, Option<&str>)> = catalogue
        .actions()
        .filter(|action| action.removed.is_none())
        .flat_map(|action| action.fields().map(|field| (field.name, field.source)))
        .filter(|(name, _)| names_record(name))
        .collect();
    let without: BTreeSet<&str> = inputs.iter().filter(|(_, source)| source.is_none()).map(|(name, _)| *name).collect();
    let excused: BTreeSet<&str> = WITHOUT_SOURCE.iter().map(|(name, _)| *name).collect();
    assert_eq!(without, excused, "name the data source of an input by #[source(…)], or why it has none");
    let filled = inputs.iter().filter(|(_, source)| source.is_some()).count();
    assert!(filled >= 200, "{filled} of {} inputs that name a record have a data source", inputs.len());
}
