//! The fixtures are complete: one for each key, and every input is tried.

use serde_json::{Map, Value, json};

use crate::support::assertions::assert_none;
use crate::support::fixtures::{FOLDER, find_unknown_member, live_keys, read_fixtures};
use crate::support::repository::{build_catalogue, path};

#[test]
fn every_key_has_a_fixture_and_every_fixture_a_key() {
    let keys = live_keys();
    let files = std::fs::read_dir(path(FOLDER)).expect("the folder of the fixtures can be listed");
    let files: Vec<String> =
        files.map(|file| file.expect("it can be read").path().file_stem().expect("it has a name").to_string_lossy().into_owned()).collect();
    let missing = keys.iter().filter(|key| !files.iter().any(|file| file == *key)).map(|key| format!("{FOLDER}/{key}.json is missing"));
    let surplus = files.iter().filter(|file| !keys.contains(&file.as_str())).map(|file| format!("{FOLDER}/{file}.json belongs to no key"));
    assert_none(
        &missing.chain(surplus).collect::<Vec<_>>(),
        "write the file as CONTRIBUTING.md shows under \"Add an action\", and run `just fixtures`; or remove it",
    );
}

#[test]
fn fixtures_try_every_input_and_the_required_ones_alone() {
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    for fixture in read_fixtures() {
        let fields = catalogue.find(None, fixture.key).expect("the key is in the catalogue").fields();
        let inputs: Vec<&Value> = std::iter::once(&fixture.input).chain(&fixture.more).collect();
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        found.extend(find_untried(&names, &inputs, &fixture.untried).into_iter().map(|fault| format!("{}: {fault}", fixture.key)));
        let required = fields.iter().filter(|field| field.shape.required).count();
        if !inputs
            .iter()
            .any(|input| input.as_object().is_some_and(|input| input.len() == required || is_minimal_by_rule(fixture.key, input)))
        {
            found.push(format!("{}: no input holds the required ones alone", fixture.key));
        }
    }
    assert_none(
        &found,
        "add an input to \"more\" of the fixture; one that the sandbox cannot serve goes under \"untried\", with the reason",
    );
}

/// Lists the inputs that are neither tried nor excused, and the excuses that have no use or no reason.
fn find_untried(names: &[&str], inputs: &[&Value], excused: &Map<String, Value>) -> Vec<String> {
    let is_tried = |name: &str| inputs.iter().any(|input| input.get(name).is_some());
    let untried = names.iter().filter(|name| !is_tried(name) && !excused.contains_key(**name)).map(|name| format!("no input tries {name}"));
    let faults = excused.iter().filter_map(|(name, reason)| match () {
        () if !names.contains(&name.as_str()) => Some(format!("{name} is under \"untried\" and is no input; take it out")),
        () if is_tried(name) => Some(format!("{name} is under \"untried\" and is tried; take it out")),
        () if reason.as_str().is_none_or(|reason| reason.trim().is_empty()) => {
            Some(format!("{name} is under \"untried\" without a reason"))
        }
        () => None,
    });
    untried.chain(faults).collect()
}

#[test]
fn excuse_of_an_untried_input_needs_a_use_and_a_reason() {
    let input = json!({"dealId": 1});
    let find = |excused: Value| find_untried(&["dealId", "taskId"], &[&input], excused.as_object().expect("an object"));
    assert_eq!(find(json!({"taskId": "the sandbox has no tasks"})), [""; 0]);
    assert_eq!(find(json!({})), ["no input tries taskId"]);
    for (excused, part) in [
        (json!({"taskId": " "}), "taskId is under \"untried\" without a reason"),
        (json!({"taskId": true}), "taskId is under \"untried\" without a reason"),
        (json!({"taskId": "no tasks", "dealId": "no deals"}), "dealId is under \"untried\" and is tried"),
        (json!({"taskId": "no tasks", "tasksId": "no tasks"}), "tasksId is under \"untried\" and is no input"),
    ] {
        let found = find(excused);
        assert!(found.len() == 1 && found[0].starts_with(part), "should be {part:?} alone: {found:?}");
    }
}

#[test]
fn unknown_member_of_a_fixture_is_named() {
    assert_eq!(find_unknown_member(&json!({"input": {}, "data": [], "more": [], "then": {}, "untried": {}})), None);
    let fault = find_unknown_member(&json!({"input": {}, "extra": []})).expect("a fault");
    assert_eq!(fault, "\"extra\" is no member of a fixture; write one of input, data, more, then, untried");
}

/// Returns true if a rule demands one of several inputs, and just one of them is given.
fn is_minimal_by_rule(key: &str, input: &Map<String, Value>) -> bool {
    let catalogue = build_catalogue();
    let declaration = catalogue.find(None, key).expect("the key is in the catalogue").declaration();
    let required =
        declaration.into_iter().flat_map(connector_core::declare::Declaration::fields).filter(|field| field.shape.required).count();
    let has_rule =
        declaration.is_some_and(|declaration| declaration.rules().any(|rule| matches!(rule, connector_core::declare::Rule::AnyOf(_))));
    has_rule && input.len() == required + 1
}
