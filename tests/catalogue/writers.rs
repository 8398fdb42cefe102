//! Lists read whole while others add and delete records.

use std::collections::{BTreeMap, VecDeque};

use connector_core::declare::{Declaration, Paging};
use connector_core::run::{Invocation, RecordStream, Runtime, Streamed, View};
use serde_json::{Value, json};

use super::pages::{list_paged, read_singly, records, with_limit};
use crate::support::repository::{path, read_json};
use crate::support::runtime::{NOWHERE, build_runtime, connect, render_summary, run};
use crate::support::sandbox::{sandbox_options, start_sandbox};

/// The most records of a list that are walked one by one: the last ones, beside which others are written.
const TAIL: usize = 12;

/// The writes beside one walk.
const WRITES: usize = 6;

/// Somebody who adds records of one object beside a reader, and deletes their own alone.
struct Writer<'a> {
    runtime: &'a Runtime,
    add: (String, Value),
    /// The action that deletes a record, and the input that is its ID.
    delete: Option<(String, String)>,
    own: VecDeque<Value>,
    turns: usize,
}

impl<'a> Writer<'a> {
    /// Finds the action that adds records which the list then has. Where there is none, deals are added.
    fn find(runtime: &'a Runtime, list: &Declaration, listed: &Value) -> Self {
        let catalogue = runtime.catalogue();
        let fixture = |key: &str| format!("tests/fixtures/pipedrive/{key}.json");
        let is_of_object = |action: &&'static Declaration| {
            let is_add = action.key.starts_with("add") && action.resource() == list.resource() && path(&fixture(action.key)).exists();
            is_add && action.removed.is_none()
        };
        let listed = listed.as_object().expect("an input is an object");
        let takes = |action: &Declaration, name: &str| name.ends_with("Id") && action.fields().any(|field| field.name == name);
        let fit = |action: &&'static Declaration| {
            let is_named_alike = action.key.strip_prefix("add").is_some_and(|name| list.key == format!("get{name}s"));
            usize::from(is_named_alike) + listed.keys().filter(|name| takes(action, name)).count()
        };
        let found = catalogue.actions().filter(is_of_object).max_by_key(fit);
        let add = found.or_else(|| catalogue.actions().find(|action| action.key == "addDeal")).expect("deals can be added");
        let key = add.key;
        let mut input = read_json(&fixture(key))["input"].clone();
        for (name, value) in listed.iter().filter(|(name, _)| takes(add, name)) {
            input[name] = value.clone();
        }
        for name in ["title", "name"] {
            if let (Some(Value::String(text)), Some(Value::String(term))) = (input.get_mut(name), listed.get("term")) {
                *text = format!("{term}, added by a writer");
            }
        }
        let delete = key.replacen("add", "delete", 1);
        let required = catalogue.find(None, &delete).ok().map(|entry| entry.input_schema()["required"].clone());
        let delete = match required.as_ref().and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => only.as_str().map(|name| (delete, name.to_owned())),
            _ => None,
        };
        Self { runtime, add: (key.to_owned(), input), delete, own: VecDeque::new(), turns: 0 }
    }

    async fn add(&mut self) {
        let outcome = run(self.runtime, Invocation::new(&self.add.0).input(self.add.1.clone())).await;
        // A thing that can be added once alone is refused the second time.
        self.own.extend(outcome["data"].get("id").cloned());
    }

    /// Adds a record, or deletes the oldest of those that were added, in turn.
    async fn write(&mut self) {
        self.turns += 1;
        match (&self.delete, self.turns % 2) {
            (Some((action, input)), 1) if !self.own.is_empty() => {
                let mut id = serde_json::Map::new();
                id.insert(input.clone(), self.own.pop_front().unwrap_or_default());
                let outcome = run(self.runtime, Invocation::new(action).input(id.into())).await;
                assert_eq!(outcome["ok"], true, "{action}: {outcome}");
            }
            _ => self.add().await,
        }
    }
}

/// Counts records by their ID, or by their text where they have none.
fn count<'r>(records: impl IntoIterator<Item = &'r Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let id = record.get("item").unwrap_or(record).get("id");
        *counts.entry(id.unwrap_or(record).to_string()).or_default() += 1;
    }
    counts
}

/// Reads a stream to its end, with a write after each of the first records.
async fn read_beside(mut list: RecordStream, writer: &mut Writer<'_>) -> (Vec<Value>, Value) {
    let mut records = Vec::new();
    while let Some(streamed) = list.next().await {
        match streamed {
            Streamed::Record(record) => records.push(record.to_value().expect("a record is JSON")),
            summary => return (records, render_summary(&summary)),
        }
        if records.len() <= WRITES {
            writer.write().await;
        }
    }
    panic!("a stream ends with its summary");
}

/// Finds the input of the last records of a list.
async fn find_tail(runtime: &Runtime, key: &str, input: &Value, count: usize) -> Value {
    let mut tail = input.clone();
    if count > TAIL {
        let before = run(runtime, Invocation::new(key).input(with_limit(input, count - TAIL))).await;
        tail["cursor"] = before["page"]["next"].clone();
    }
    tail
}

/// Walks a list over all page sizes, and returns whether records came that the writer added meanwhile.
async fn check(runtime: &Runtime, list: &'static Declaration, greatest: usize, input: &Value) -> bool {
    let key = list.key;
    let whole = run(runtime, Invocation::new(key).input(with_limit(input, greatest)).all_pages(None)).await;
    let tail = find_tail(runtime, key, input, records(&whole).len()).await;
    let stood = count(&read_singly(runtime, key, &with_limit(&tail, greatest), View::Record).await);
    let mut writer = Writer::find(runtime, list, input);
    let mut has_grown = false;
    for size in [1, 2, stood.len().clamp(1, greatest), greatest] {
        // Records that are in the list, and are deleted while it is read.
        for _ in 0..2 {
            writer.add().await;
        }
        let call = || Invocation::new(key).input(with_limit(&tail, size)).all_pages(None);
        let (streamed, summary) = read_beside(runtime.stream(call()), &mut writer).await;
        let page = &summary["page"];
        assert_eq!((&summary["ok"], &page["count"]), (&json!(true), &json!(streamed.len())), "{key} in pages of {size}: {summary}");
        let came = count(&streamed);
        has_grown |= came.keys().any(|id| !stood.contains_key(id));
        if matches!(list.paging(), Some(Paging::Cursor { .. })) {
            let missing: Vec<_> = stood.iter().filter(|(id, count)| came.get(*id) != Some(count)).collect();
            assert_eq!(page["complete"], true, "{key} in pages of {size}: {summary}");
            assert!(missing.is_empty(), "{key} in pages of {size}: records that nobody touched come once: {missing:?}");
        } else {
            let warnings = summary["meta"]["warnings"].to_string();
            assert_eq!(warnings.contains("pages by a start"), summary["meta"]["requests"] != 1, "{key} in pages of {size}: {summary}");
            // Where records are added before the page that is read next, that page may have none that is new.
            assert_eq!(warnings.contains("no new record"), page["complete"] == false, "{key} in pages of {size}: {summary}");
        }
        // A record without an ID cannot be told from another that is equal.
        let has_id = |id: &str| !id.starts_with('{');
        let doubled: Vec<_> = came.iter().filter(|(id, count)| has_id(id) && stood.get(*id).unwrap_or(&1) < count).collect();
        assert!(doubled.is_empty(), "{key} in pages of {size}: {doubled:?}");
    }
    // The joined list, with a writer at the same time.
    let joined = Invocation::new(key).input(with_limit(&tail, 2)).all_pages(None);
    let writes = async {
        for _ in 0..WRITES {
            writer.write().await;
        }
    };
    let (joined, ()) = tokio::join!(run(runtime, joined), writes);
    let came = count(records(&joined));
    if matches!(list.paging(), Some(Paging::Cursor { .. })) {
        assert!(stood.iter().all(|(id, count)| came.get(id) == Some(count)), "{key}: {joined}");
    }
    has_grown
}

#[tokio::test]
async fn each_list_has_each_record_that_nobody_touched_once_beside_a_writer() {
    let (runtime, paged, mut grown) = (build_runtime(NOWHERE), list_paged(), Vec::new());
    assert!(paged.len() > 40, "the catalogue has more lists than {}", paged.len());
    for (list, greatest, input) in paged {
        let sandbox = connect(&start_sandbox(sandbox_options()).await);
        if check(&runtime.with_connections(sandbox, None, None), list, greatest, &input).await {
            grown.push(list.key);
        }
    }
    assert!(grown.len() >= 25, "the writers reach most lists, and these: {grown:?}");
}
