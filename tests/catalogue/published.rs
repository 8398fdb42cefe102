//! The manifest, and the counts in README.md.

use std::collections::BTreeSet;

use connector_core::declare::Declaration;
use connector_core::run::Entry;
use serde_json::Value;

use crate::support::assertions::assert_valid;
use crate::support::repository::{CONNECTORS, build_catalogue, read, read_json, read_protocol_schema};

#[test]
fn manifest_fits_its_schema() {
    let manifest = read_json("manifests/pipedrive.json");
    assert_valid(&read_protocol_schema("manifest"), &manifest, "manifests/pipedrive.json");
    assert_eq!(manifest["connector"]["key"], CONNECTORS[0].key);
    let paths = manifest["actions"].as_array().expect("a list").iter().filter_map(|action| action["endpoint"]["path"].as_str());
    let odd: Vec<&str> = paths.filter(|path| !path.starts_with("/api/v1/") && !path.starts_with("/api/v2/")).collect();
    assert_eq!(odd, [""; 0], "write the version in the path");
}

#[test]
fn readme_counts_the_actions_and_the_picklists() {
    let catalogue = build_catalogue();
    let actions: Vec<_> = catalogue.actions().collect();
    let removed = actions.iter().filter(|action| action.removed.is_some()).count();
    let picklists = catalogue.entries().len() - actions.len();
    let readme = read("README.md");
    for part in [format!("{} actions and {picklists} picklists", actions.len()), format!("behind {removed} of the actions")] {
        assert!(readme.contains(&part), "README.md should say {part:?}");
    }
}

#[test]
fn custom_fields_name_the_action_that_lists_their_definitions() {
    fn find_marks<'a>(schema: &'a Value, found: &mut BTreeSet<&'a str>) {
        match schema {
            Value::Object(members) => {
                found.extend(members.get("x-fields").and_then(Value::as_str));
                members.values().for_each(|member| find_marks(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| find_marks(item, found)),
            _ => {}
        }
    }
    let (manifest, catalogue) = (read_json("manifests/pipedrive.json"), build_catalogue());
    let mut keys = BTreeSet::new();
    find_marks(&manifest, &mut keys);
    for key in &keys {
        let entry = catalogue.find(None, key).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(entry.declaration().is_some_and(Declaration::is_list), "{key} lists definitions");
    }
    let expected = ["getDealFields", "getOrganizationFields", "getPersonFields", "getProductFields"];
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn words_of_callers_lead_to_the_catalogue() {
    let catalogue = build_catalogue();
    for connector in CONNECTORS {
        let keys: Vec<String> = catalogue
            .entries()
            .iter()
            .filter(|entry| entry.connector().key == connector.key)
            .map(|entry| entry.key().to_lowercase())
            .collect();
        for (said, meant) in connector.synonyms {
            assert!(keys.iter().any(|key| key.contains(meant)), "no key has the word {meant:?}, which {said:?} stands for");
        }
        if let Some(raw) = connector.raw {
            catalogue.find(Some(connector.key), raw.action).unwrap_or_else(|error| panic!("{error}"));
            let strays: Vec<_> = (raw.operations)().into_iter().filter(|(_, path)| connector.check_path(path).is_err()).collect();
            assert_eq!(strays, [], "operations stand below the roots of the connector");
        }
    }
    for entry in catalogue.entries() {
        for text in [entry.key(), entry.label()] {
            let found: Vec<&str> = catalogue.search(text).into_iter().map(Entry::key).take(3).collect();
            assert!(found.contains(&entry.key()), "{text:?} finds {found:?}, without {}", entry.key());
        }
    }
}
