//! The fixtures are complete: one for each key, and every input is tried.

use connector_core::declare::{Declaration, Rule};
use connector_core::run::Entry;
use serde_json::{Map, Value};

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry, is_upsert, list_live_keys};
use crate::report::assert_none;

impl Kit {
    /// Checks that the fixtures are complete.
    ///
    /// Each key has a fixture, and each fixture a key. The inputs of a fixture try each input of the action, and one of them
    /// holds the required ones alone.
    pub fn check_fixtures(&self) {
        let catalogue = self.build_catalogue();
        let keys = list_live_keys(&catalogue);
        let mut found = self.find_strays(&keys);
        for key in keys.into_iter().filter(|key| self.find_fixture(key).exists()) {
            match Fixture::read(&self.find_fixture(key), key) {
                Ok(fixture) => found.extend(find_gaps(find_entry(&catalogue, key), &fixture)),
                Err(fault) => found.push(fault),
            }
        }
        assert_none(
            &found,
            "write a fixture for each key, {\"input\": {…}}, and run the tests with UPDATE_FIXTURES=1, which writes its \"data\"; \
             further inputs go under \"more\", one that the vendor's server cannot serve under \"untried\", with the reason",
        );
    }

    /// Lists the keys without a fixture, and the files without a key.
    fn find_strays(&self, keys: &[&str]) -> Vec<String> {
        let folder = self.fixtures().display();
        // A folder that is not there yet lacks the fixture of each key.
        let files = std::fs::read_dir(self.fixtures()).into_iter().flatten();
        let name = |file: std::io::Result<std::fs::DirEntry>| file.expect("the folder can be listed").file_name();
        let names: Vec<String> = files.map(|file| name(file).to_string_lossy().into_owned()).collect();
        let is_there = |key: &str| names.iter().any(|name| name.strip_suffix(".json") == Some(key));
        let missing = keys.iter().filter(|key| !is_there(key)).map(|key| format!("{folder}/{key}.json is missing"));
        // A hidden file is that of an editor, or a fixture that is being written.
        let is_known = |name: &str| name.starts_with('.') || name.strip_suffix(".json").is_some_and(|key| keys.contains(&key));
        let surplus = names.iter().filter(|name| !is_known(name)).map(|name| format!("{folder}/{name} belongs to no key"));
        missing.chain(surplus).collect()
    }
}

/// Lists what the inputs of a fixture leave out.
fn find_gaps(entry: &Entry, fixture: &Fixture) -> Vec<String> {
    let names: Vec<&str> = entry.fields().iter().map(|field| field.name).collect();
    let inputs: Vec<&Value> = fixture.inputs().collect();
    let mut found = find_untried(&names, &inputs, &fixture.untried);
    if !inputs.iter().any(|input| input.as_object().is_some_and(|input| is_minimal(entry, input))) {
        found.push("no input holds the required ones alone".to_owned());
    }
    found.into_iter().map(|fault| format!("{}: {fault}", fixture.key)).collect()
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

/// Returns true for the required inputs alone, and for one more where a rule or an upsert demands one of several.
fn is_minimal(entry: &Entry, input: &Map<String, Value>) -> bool {
    let required = entry.fields().iter().filter(|field| field.shape.required).count();
    let has_rule = entry.declaration().into_iter().flat_map(Declaration::rules).any(|rule| matches!(rule, Rule::AnyOf(_)));
    input.len() == required || ((has_rule || is_upsert(entry)) && input.len() == required + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn excuse_of_an_untried_input_needs_a_use_and_a_reason() {
        let input = json!({"dealId": 1});
        let find = |excused: Value| find_untried(&["dealId", "taskId"], &[&input], excused.as_object().expect("an object"));
        assert_eq!(find(json!({"taskId": "the server has no tasks"})), [""; 0]);
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
}
