//! What is promised: keys, labels and descriptions, to the letter.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::world::{catalogue, none, read_json};

#[test]
fn declared_keys_have_the_promised_words() {
    let file = read_json("spec/pipedrive/promised.json");
    let promised: BTreeMap<&str, &Value> =
        file["promised"].as_array().expect("a list").iter().map(|row| (row["key"].as_str().expect("a key"), row)).collect();
    let mut found = Vec::new();
    for entry in catalogue().entries() {
        let Some(row) = promised.get(entry.key()) else {
            found.push(format!("{} is not promised", entry.key()));
            continue;
        };
        let kind = if entry.declaration().is_some() { "action" } else { "dataSource" };
        let description = row["description"].as_str().expect("a description").trim_end_matches('.');
        for (what, have, promise) in [
            ("kind", kind, row["kind"].as_str().expect("a kind")),
            ("label", entry.label(), row["label"].as_str().expect("a label")),
            ("description", entry.description().trim_end_matches('.'), description),
        ] {
            if have != promise {
                found.push(format!("{}: its {what} is {have:?}, promised {promise:?}", entry.key()));
            }
        }
    }
    none(&found, "mend the doc comment of the struct");
}

#[test]
fn every_promised_key_is_declared() {
    let catalogue = catalogue();
    let file = read_json("spec/pipedrive/promised.json");
    let keys = file["promised"].as_array().expect("a list").iter().map(|row| row["key"].as_str().expect("a key"));
    let missing: Vec<String> = keys.filter(|key| catalogue.find(None, key).is_err()).map(str::to_owned).collect();
    none(&missing, "declare the action in its room");
}
