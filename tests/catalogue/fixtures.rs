//! The fixtures are complete: one for each key, and every input is tried.

use serde_json::Value;

use crate::support::assertions::assert_none;
use crate::support::fixtures::{live_keys, read_fixtures};
use crate::support::repository::{build_catalogue, path};

#[test]
fn every_key_has_a_fixture_and_every_fixture_a_key() {
    let keys = live_keys();
    let files = std::fs::read_dir(path("tests/fixtures")).expect("tests/fixtures can be listed");
    let files: Vec<String> =
        files.map(|file| file.expect("it can be read").path().file_stem().expect("it has a name").to_string_lossy().into_owned()).collect();
    let missing =
        keys.iter().filter(|key| !files.iter().any(|file| file == *key)).map(|key| format!("tests/fixtures/{key}.json is missing"));
    let surplus =
        files.iter().filter(|file| !keys.contains(&file.as_str())).map(|file| format!("tests/fixtures/{file}.json belongs to no key"));
    assert_none(
        &missing.chain(surplus).collect::<Vec<_>>(),
        "write the file as {\"input\": {…}} and run the suite with UPDATE_FIXTURES=1, or remove it",
    );
}

#[test]
fn fixtures_try_every_input_and_the_required_ones_alone() {
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    for fixture in read_fixtures() {
        let fields = catalogue.find(None, fixture.key).expect("the key is in the catalogue").fields();
        let inputs: Vec<&Value> = std::iter::once(&fixture.input).chain(&fixture.more).collect();
        let untried = fields.iter().filter(|field| !inputs.iter().any(|input| input.get(field.name).is_some()));
        found.extend(untried.map(|field| format!("{}: no input tries {}", fixture.key, field.name)));
        let required = fields.iter().filter(|field| field.shape.required).count();
        if !inputs
            .iter()
            .any(|input| input.as_object().is_some_and(|input| input.len() == required || is_minimal_by_rule(fixture.key, input)))
        {
            found.push(format!("{}: no input holds the required ones alone", fixture.key));
        }
    }
    assert_none(&found, "add an input to \"more\" of the fixture");
}

/// Returns true if a rule demands one of several inputs, and just one of them is given.
fn is_minimal_by_rule(key: &str, input: &serde_json::Map<String, Value>) -> bool {
    let catalogue = build_catalogue();
    let declaration = catalogue.find(None, key).expect("the key is in the catalogue").declaration();
    let required = declaration.into_iter().flat_map(connector_core::Declaration::fields).filter(|field| field.shape.required).count();
    let has_rule = declaration.is_some_and(|declaration| declaration.rules().any(|rule| matches!(rule, connector_core::Rule::AnyOf(_))));
    has_rule && input.len() == required + 1
}
