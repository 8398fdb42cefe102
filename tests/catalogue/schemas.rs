//! The catalogue and its schemas as snapshots: engines store these words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_core::declare::Place;

use crate::support::assertions::{assert_none, assert_valid};
use crate::support::fixtures::read_fixtures;
use crate::support::repository::{CONNECTORS, build_catalogue, read_json, read_protocol_schema};
use crate::support::runtime::{NOWHERE, build_runtime, dry_run};
use crate::support::snapshots::assert_snapshot;

#[test]
fn catalogue_matches_its_snapshot() {
    let mut text = String::new();
    for entry in build_catalogue().entries() {
        let line = match entry.declaration() {
            Some(action) => {
                let endpoint =
                    action.endpoint.map_or("by hand".to_owned(), |endpoint| format!("{} {}", endpoint.method.as_str(), endpoint.path));
                let repetition = if action.is_idempotent() { "idempotent" } else { "once" };
                let cost = action.cost.map_or("-".to_owned(), |cost| cost.to_string());
                format!(
                    "{} | {} | {endpoint} | {} {repetition} | {cost} | {}",
                    action.key,
                    action.resource(),
                    action.effect().as_str(),
                    action.scopes.join(" ")
                )
            }
            None => format!("{} | picklist", entry.key()),
        };
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    }
    assert_snapshot("catalogue", &text);
}

/// Compares the input and output schemas of each room with a snapshot.
#[test]
fn schemas_match_their_snapshots() {
    let mut rooms: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    for entry in build_catalogue().entries() {
        let room = entry.declaration().map_or("data_sources", connector_core::declare::Declaration::resource);
        let mut described = entry.describe(|_| None);
        // It follows from the output; its names have a snapshot of their own.
        described.as_object_mut().expect("a description has members").shift_remove("outputFlat");
        rooms.entry(room).or_default().push(described);
    }
    for (room, entries) in rooms {
        let text =
            entries.iter().map(|entry| serde_json::to_string_pretty(entry).expect("a schema is JSON")).collect::<Vec<_>>().join("\n");
        assert_snapshot(format!("schemas_{room}"), &text);
    }
}

#[test]
fn no_two_inputs_of_an_action_travel_under_one_name() {
    let mut found = Vec::new();
    for entry in build_catalogue().entries() {
        // An input that stands for another excludes it by a rule.
        let fields: Vec<_> = entry.fields().into_iter().filter(|field| field.place != Place::Own && field.instead_of.is_none()).collect();
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|other| (other.place, other.wire) == (field.place, field.wire)) {
                found.push(format!("{}: `{}` travels twice in the {:?}", entry.key(), field.wire, field.place));
            }
        }
    }
    assert_none(&found, "rename one of the two inputs with #[wire(\"…\")], or leave it out of the group");
}

/// Checks the inputs that the flat view gives where the caller does not.
#[tokio::test]
async fn inputs_of_the_flat_view_fit_their_actions() {
    let runtime = build_runtime(NOWHERE);
    let mut seen = 0;
    for fixture in read_fixtures() {
        let catalogue = build_catalogue();
        let entry = catalogue.find(None, fixture.key).expect("the key is in the catalogue");
        for (name, value) in entry.declaration().into_iter().flat_map(|declaration| declaration.when_flat) {
            let mut input = fixture.input.clone();
            input[*name] = (*value).into();
            let outcome = dry_run(&runtime, fixture.key, input).await;
            assert_eq!(outcome["ok"], true, "{}: correct the value of {name} in when_flat: {outcome}", fixture.key);
            seen += 1;
        }
    }
    assert!(seen > 1, "fix the test, which saw {seen} inputs only");
}

#[test]
fn manifest_fits_its_schema() {
    let manifest = read_json("manifests/pipedrive.json");
    assert_valid(&read_protocol_schema("manifest"), &manifest, "manifests/pipedrive.json");
    assert_eq!(manifest["connector"]["key"], CONNECTORS[0].key);
}

#[test]
fn every_schema_is_json_schema_2020_12() {
    for entry in build_catalogue().entries() {
        let described = entry.describe(|_| None);
        for side in ["input", "output", "outputFlat"] {
            if described.get(side).is_some() {
                jsonschema::draft202012::meta::validate(&described[side]).unwrap_or_else(|error| panic!("{} {side}: {error}", entry.key()));
            }
        }
    }
}
