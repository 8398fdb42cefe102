//! The flat view of every action: it fits its schema and loses nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use connector_core::run::{Invocation, Runtime, View};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::assertions::{assert_none, assert_valid};
use crate::support::fixtures::{Fixture, read_fixtures};
use crate::support::repository::build_catalogue;
use crate::support::runtime::{build_runtime, build_sandbox_runtime, run};
use crate::support::sandbox::sandbox_options;
use crate::support::snapshots::assert_snapshot;
use crate::support::upstream::{build_json_response, read_request, serve_connections};

/// Compares the names that each action gives in the flat view with a snapshot: engines map them by hand.
#[test]
fn flat_names_match_their_snapshot() {
    let mut text = String::new();
    for entry in build_catalogue().entries() {
        let output = entry.describe(|_| None)["outputFlat"].take();
        let records = find_records(&output, &output);
        let names: Vec<&str> =
            records.iter().filter_map(|record| record["properties"].as_object()).flatten().map(|(name, _)| &**name).collect();
        if !names.is_empty() {
            let list = if output["properties"].get("results").is_some() { "[]" } else { "" };
            writeln!(text, "{}{list}: {}", entry.key(), names.join(" ")).expect("writing to a String cannot fail");
        }
    }
    assert_snapshot("flat_names", &text);
}

/// Finds the schemas of an answer's records.
fn find_records<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    match (reference, schema["allOf"].as_array()) {
        (Some(name), _) => find_records(&root["$defs"][name], root),
        (None, Some(all)) => all.iter().flat_map(|schema| find_records(schema, root)).collect(),
        (None, None) => match &schema["properties"]["results"]["items"] {
            Value::Null => vec![schema],
            items => find_records(items, root),
        },
    }
}

#[tokio::test]
async fn flat_answers_fit_their_schema() {
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    for fixture in read_fixtures() {
        let described = catalogue.find(None, fixture.key).expect("the key is in the catalogue").describe(|_| None);
        let runtime = build_sandbox_runtime(sandbox_options()).await;
        let outcome = invoke_flat(&runtime, fixture.key, fixture.input.clone()).await;
        let Some(output) = described.get("outputFlat") else {
            assert_eq!(outcome["meta"]["view"], Value::Null, "choices have one view: {outcome}");
            continue;
        };
        assert_eq!((&outcome["ok"], &outcome["meta"]["view"]), (&json!(true), &json!("flat")), "{}: {outcome}", fixture.key);
        let schema = jsonschema::options().build(output).expect("the schema compiles");
        assert_valid(&schema, &outcome["data"], &format!("the flat data of {}", fixture.key));
        let page_names = ["results", "hasMore", "nextCursor", "nextStart"];
        let is_framed = page_names.iter().all(|name| outcome["data"].get(name).is_some());
        assert_eq!(is_framed, outcome.get("page").is_some(), "{}: a list, and nothing else, has its page in it", fixture.key);
        find_words_with_underscores(&outcome["data"], fixture.key, &mut found);
    }
    assert_none(&found, "declare the member in its #[record], so that the flat view knows it");
}

async fn invoke_flat(runtime: &Runtime, key: &str, input: Value) -> Value {
    run(runtime, Invocation::new(key).input(input).view(View::Flat)).await
}

/// Finds names that are not in camelCase, except those of custom fields, which are data.
fn find_words_with_underscores(data: &Value, at: &str, found: &mut Vec<String>) {
    match data {
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| *name != "customFields") {
                if name.contains('_') && !is_custom_key(name) {
                    found.push(format!("{at}/{name}"));
                }
                find_words_with_underscores(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_words_with_underscores(item, at, found)),
        _ => {}
    }
}

fn is_custom_key(name: &str) -> bool {
    name.len() >= 40 && name.bytes().take(40).all(|byte| byte.is_ascii_hexdigit())
}

/// Serves data of every shape, with members that no record declares, and compares both views of it.
#[tokio::test]
async fn flat_view_loses_nothing_and_record_view_changes_no_byte() {
    let body = Arc::new(Mutex::new(String::new()));
    let url = serve(Arc::clone(&body)).await;
    let runtime = build_runtime(&url);
    let catalogue = build_catalogue();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut seen = 0;
    for fixture in read_fixtures().iter().filter(|fixture| answers_its_own_data(&catalogue, fixture)) {
        for _ in 0..4 {
            let data = random.change(&fixture.data, 0);
            body.lock().expect("no test panics while it writes a body").clone_from(&format!("{{\"success\":true,\"data\":{data}}}"));
            let mut texts = Vec::new();
            for view in View::ALL {
                let outcome = runtime.invoke(Invocation::new(fixture.key).input(fixture.input.clone()).view(view)).await;
                let text = outcome.data().unwrap_or_else(|| panic!("{}: {outcome:?}", fixture.key)).as_str().to_owned();
                texts.push(text);
            }
            assert_eq!(texts[0], data, "{}: the record view is what the vendor sent", fixture.key);
            assert_nothing_is_lost(fixture.key, &texts[0], &texts[1]);
            seen += 1;
        }
    }
    assert!(seen > 400, "fix the test, which saw {seen} answers only");
}

async fn serve(body: Arc<Mutex<String>>) -> String {
    serve_connections(move |mut stream| {
        let body = Arc::clone(&body);
        async move {
            read_request(&mut stream).await;
            let response = build_json_response("200 OK", &body.lock().expect("no test panics while it writes a body").clone());
            let _ = stream.write_all(&response).await;
        }
    })
    .await
}

/// Returns true for an action whose data is the answer to its one request.
fn answers_its_own_data(catalogue: &connector_core::run::Catalogue, fixture: &Fixture) -> bool {
    let entry = catalogue.find(None, fixture.key).expect("the key is in the catalogue");
    entry.declaration().is_some_and(|declaration| declaration.endpoint.is_some() && !declaration.returns.is_file())
        && (fixture.data.is_object() || fixture.data.is_array())
        && fixture.key != "setFieldValueForPerson"
}

/// Fails if a text, a number or a null of the record view is missing in the flat view, or a boolean is.
fn assert_nothing_is_lost(key: &str, record: &str, flat: &str) {
    let (before, after) = (count_leaves(record), count_leaves(flat));
    for (leaf, count) in &before {
        let now = after.get(leaf).copied().unwrap_or(0);
        assert!(now >= *count, "{key}: {leaf} is there {count} times in\n{record}\nand {now} times in\n{flat}");
    }
    let _: Value = serde_json::from_str(flat).unwrap_or_else(|error| panic!("{key}: {error} in {flat}"));
}

/// Counts the values of a JSON text that have no parts. Booleans, and the 0 and 1 that become some, count as one.
fn count_leaves(text: &str) -> BTreeMap<String, usize> {
    let mut leaves = BTreeMap::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| !matches!(letter, '{' | '}' | '[' | ']' | ',' | ':' | ' ' | '\t')) {
        rest = &rest[start..];
        let end = if rest.starts_with('"') {
            let mut quoted = rest.char_indices().skip(1);
            loop {
                match quoted.next().expect("a text ends with a quote") {
                    (_, '\\') => drop(quoted.next()),
                    (at, '"') => break at + 1,
                    _ => {}
                }
            }
        } else {
            rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.len())
        };
        let (leaf, after) = rest.split_at(end);
        rest = after;
        if !(leaf.starts_with('"') && after.trim_start().starts_with(':')) {
            let leaf = if matches!(leaf, "true" | "false" | "0" | "1") { "a boolean" } else { leaf };
            *leaves.entry(leaf.to_owned()).or_default() += 1;
        }
    }
    leaves
}

/// Numbers that look random and are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("it has 31 bits") % most
    }

    /// Writes a value with other leaves, members that no record declares, and spaces.
    fn change(&mut self, value: &Value, depth: usize) -> String {
        const LEAVES: [&str; 12] = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-0.10",
            "1e-7",
            "12345678901234567890123",
            r#""""#,
            r#""a \" \\ {b: [\u00e9""#,
            "\"größe\"",
            r#""2026-01-31""#,
        ];
        let space = [" ", "", "", "\t"][self.below(4)];
        match value {
            Value::Object(members) => {
                let mut written: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}{space}:{space}{}", json!(name), self.change(value, depth + 1)))
                    .collect();
                if depth < 4 && self.below(3) == 0 {
                    let unknown = self.write_unknown(depth);
                    let at = self.below(written.len() + 1);
                    written.insert(at, unknown);
                }
                format!("{{{space}{}{space}}}", written.join(","))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.change(item, depth + 1)).collect();
                format!("[{space}{}]", items.join(", "))
            }
            _ if self.below(3) == 0 => LEAVES[self.below(LEAVES.len())].to_owned(),
            _ => value.to_string(),
        }
    }

    fn write_unknown(&mut self, depth: usize) -> String {
        const NAMES: [&str; 10] =
            ["new_member", "newMember", "x", "Größe_neu", "email", "is_deleted", "active_flag", "address", "a\\u005fb", "results"];
        let mut nested = Map::new();
        for _ in 0..self.below(4) {
            nested.insert(NAMES[self.below(NAMES.len())].to_owned(), json!([7]));
        }
        format!("\"{}\":{}", NAMES[self.below(NAMES.len())], self.change(&nested.into(), depth + 1))
    }
}
