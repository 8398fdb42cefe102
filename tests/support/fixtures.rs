//! The fixtures: what `tests/fixtures/` holds.

use connector_core::Entry;
use serde_json::Value;

use super::world::{catalogue, read_json};

/// What `tests/fixtures/<key>.json` holds.
pub(crate) struct Fixture {
    pub(crate) key: &'static str,
    pub(crate) input: Value,
    pub(crate) data: Value,
    pub(crate) more: Vec<Value>,
    /// For a write: how it is read back.
    pub(crate) then: Value,
}

/// The keys that are live: what the vendor took away has nothing to try.
pub(crate) fn keys() -> Vec<&'static str> {
    let gone = |entry: &Entry| entry.declaration().is_some_and(|declaration| declaration.removed.is_some());
    catalogue().entries().iter().filter(|entry| !gone(entry)).map(Entry::key).collect()
}

/// Every fixture, in the order of the catalogue.
pub(crate) fn all() -> Vec<Fixture> {
    let read = |key: &'static str| {
        let file = read_json(&format!("tests/fixtures/{key}.json"));
        let more = file["more"].as_array().cloned().unwrap_or_default();
        Fixture { key, input: file["input"].clone(), data: file["data"].clone(), more, then: file["then"].clone() }
    };
    keys().into_iter().map(read).collect()
}
