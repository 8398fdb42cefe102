//! A fixture for every key: an input, what came back, further inputs that go together, and how a write is read back.

use serde_json::Value;

use crate::support::fixtures::{all, keys};
use crate::support::world::{catalogue, none, path};

#[test]
fn every_key_has_a_fixture_and_every_fixture_a_key() {
    let keys = keys();
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

/// Between them the inputs of a fixture try each input of the action, and the required ones alone.
#[test]
fn fixtures_try_every_input_and_the_required_ones_alone() {
    let catalogue = catalogue();
    let mut found = Vec::new();
    for fixture in all() {
        let fields = catalogue.find(None, fixture.key).expect("it is there").fields();
        let given: Vec<&Value> = std::iter::once(&fixture.input).chain(&fixture.more).collect();
        let untried = fields.iter().filter(|field| !given.iter().any(|input| input.get(field.name).is_some()));
        found.extend(untried.map(|field| format!("{}: no input tries {}", fixture.key, field.name)));
        let required = fields.iter().filter(|field| field.shape.required).count();
        if !given.iter().any(|input| input.as_object().is_some_and(|input| input.len() == required || needs_one_more(fixture.key, input))) {
            found.push(format!("{}: no input gives the required ones alone", fixture.key));
        }
    }
    none(&found, "add an input to \"more\" of the fixture");
}

/// Whether a rule asks for one of some inputs beside those that are required, and just one is given.
fn needs_one_more(key: &str, input: &serde_json::Map<String, Value>) -> bool {
    let catalogue = catalogue();
    let declaration = catalogue.find(None, key).expect("it is there").declaration();
    let required = declaration.into_iter().flat_map(connector_core::Declaration::fields).filter(|field| field.shape.required).count();
    let one_of = declaration.is_some_and(|declaration| declaration.rules().any(|rule| matches!(rule, connector_core::Rule::AnyOf(_))));
    one_of && input.len() == required + 1
}
