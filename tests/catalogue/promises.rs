//! The promised keys, labels and descriptions, to the letter. Keys beyond them are free.

use connector_testkit::assert_none;

use crate::support::repository::{build_catalogue, read_json};

#[test]
fn promised_keys_have_the_promised_words() {
    let file = read_json("spec/pipedrive/promised.json");
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    for row in file["promised"].as_array().expect("a list") {
        let text = |member: &str| row[member].as_str().unwrap_or_else(|| panic!("{row} has no {member}"));
        // A key that is not declared is the fault that the other test finds.
        let Ok(entry) = catalogue.find(None, text("key")) else { continue };
        let kind = if entry.declaration().is_some() { "action" } else { "dataSource" };
        for (member, declared, promise) in [
            ("kind", kind, text("kind")),
            ("label", entry.label(), text("label")),
            ("description", entry.description().trim_end_matches('.'), text("description").trim_end_matches('.')),
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
