//! The promised keys, labels and descriptions, to the letter.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::assertions::assert_none;
use crate::support::repository::{build_catalogue, read_json};

#[test]
fn declared_keys_have_the_promised_words() {
    let file = read_json("spec/pipedrive/promised.json");
    let promised: BTreeMap<&str, &Value> =
        file["promised"].as_array().expect("a list").iter().map(|row| (row["key"].as_str().expect("a key"), row)).collect();
    let mut found = Vec::new();
    for entry in build_catalogue().entries() {
        let Some(row) = promised.get(entry.key()) else {
            found.push(format!("{} is not promised", entry.key()));
            continue;
        };
        let kind = if entry.declaration().is_some() { "action" } else { "dataSource" };
        let description = row["description"].as_str().expect("a description").trim_end_matches('.');
        for (member, declared, promise) in [
            ("kind", kind, row["kind"].as_str().expect("a kind")),
            ("label", entry.label(), row["label"].as_str().expect("a label")),
            ("description", entry.description().trim_end_matches('.'), description),
        ] {
            if declared != promise {
                found.push(format!("{}: its {member} is {declared:?}, promised {promise:?}", entry.key()));
            }
        }
    }
    assert_none(&found, "correct the doc comment of the struct");
}

#[test]
fn every_promised_key_is_declared() {
    let catalogue = build_catalogue();
    let file = read_json("spec/pipedrive/promised.json");
    let keys = file["promised"].as_array().expect("a list").iter().map(|row| row["key"].as_str().expect("a key"));
    let missing: Vec<String> = keys.filter(|key| catalogue.find(None, key).is_err()).map(str::to_owned).collect();
    assert_none(&missing, "declare the action in its room");
}
