//! A fixture for every key: an input, what came back, and further inputs that go together.

use serde_json::Value;

use crate::world::{catalogue, none, path, read_json};

/// What `tests/fixtures/<key>.json` holds.
pub(crate) struct Fixture {
    pub(crate) key: &'static str,
    pub(crate) input: Value,
    pub(crate) data: Value,
    pub(crate) more: Vec<Value>,
}

/// Every fixture, in the order of the catalogue.
pub(crate) fn all() -> Vec<Fixture> {
    let read = |key: &'static str| {
        let file = read_json(&format!("tests/fixtures/{key}.json"));
        let more = file["more"].as_array().cloned().unwrap_or_default();
        Fixture { key, input: file["input"].clone(), data: file["data"].clone(), more }
    };
    catalogue().entries().iter().map(|entry| read(entry.key())).collect()
}

#[test]
fn every_key_has_a_fixture_and_every_fixture_a_key() {
    let catalogue = catalogue();
    let keys: Vec<&str> = catalogue.entries().iter().map(connector_core::Entry::key).collect();
    let files = std::fs::read_dir(path("tests/fixtures")).expect("the fixtures are there");
    let files: Vec<String> =
        files.map(|file| file.expect("it can be read").path().file_stem().expect("it has a name").to_string_lossy().into_owned()).collect();
    let missing =
        keys.iter().filter(|key| !files.iter().any(|file| file == *key)).map(|key| format!("tests/fixtures/{key}.json is missing"));
    let strange =
        files.iter().filter(|file| !keys.contains(&file.as_str())).map(|file| format!("tests/fixtures/{file}.json belongs to no key"));
    none(
        &missing.chain(strange).collect::<Vec<_>>(),
        "write the file as {\"input\": {…}} and run the suite with UPDATE_FIXTURES=1, or remove it",
    );
}
