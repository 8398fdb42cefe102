//! The fixtures in `tests/fixtures/<connector>/`, one for each key of the catalogue.

use connector_core::run::Entry;
use serde_json::{Map, Value};

use super::repository::{build_catalogue, path, read_json};

/// The members that a fixture may have.
const MEMBERS: [&str; 5] = ["input", "data", "more", "then", "untried"];

/// The folder of the fixtures of the connector whose catalogue is tested.
pub(crate) const FOLDER: &str = "tests/fixtures/pipedrive";

/// The content of `tests/fixtures/<connector>/<key>.json`.
pub(crate) struct Fixture {
    pub(crate) key: &'static str,
    pub(crate) input: Value,
    /// The data that came back for the input.
    pub(crate) data: Value,
    /// Further inputs that go together.
    pub(crate) more: Vec<Value>,
    /// The action and the input that read a write back.
    pub(crate) then: Value,
    /// The inputs that the sandbox cannot serve, each with the reason.
    pub(crate) untried: Map<String, Value>,
}

/// Lists the keys that can be tried: those that the vendor removed cannot.
pub(crate) fn live_keys() -> Vec<&'static str> {
    let is_removed = |entry: &Entry| entry.declaration().is_some_and(|declaration| declaration.removed.is_some());
    build_catalogue().entries().iter().filter(|entry| !is_removed(entry)).map(Entry::key).collect()
}

/// Reads every fixture, in the order of the catalogue. That one is missing is the fault of one test alone.
pub(crate) fn read_fixtures() -> Vec<Fixture> {
    let read = |key: &'static str| {
        let name = format!("{FOLDER}/{key}.json");
        if !path(&name).exists() {
            return None;
        }
        let file = read_json(&name);
        if let Some(fault) = find_unknown_member(&file) {
            panic!("{name}: {fault}");
        }
        let more = file["more"].as_array().cloned().unwrap_or_default();
        let untried = file["untried"].as_object().cloned().unwrap_or_default();
        Some(Fixture { key, input: file["input"].clone(), data: file["data"].clone(), more, then: file["then"].clone(), untried })
    };
    live_keys().into_iter().filter_map(read).collect()
}

/// Names a member that no test would read: a misspelt one would be lost when the fixture is rewritten.
pub(crate) fn find_unknown_member(file: &Value) -> Option<String> {
    let unknown = file.as_object()?.keys().find(|name| !MEMBERS.contains(&name.as_str()))?;
    Some(format!("{unknown:?} is no member of a fixture; write one of {}", MEMBERS.join(", ")))
}
