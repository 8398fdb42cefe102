//! Rules of prose for the whole catalogue; all failures together.

use serde_json::Value;

use crate::support::world::{catalogue, none};

#[test]
fn descriptions_are_plain_sentences() {
    let mut found = Vec::new();
    for entry in catalogue().entries() {
        let mut say = |what: String| found.push(format!("{}: {what}", entry.key()));
        if entry.label().ends_with('.') || entry.label().trim() != entry.label() {
            say(format!("the label {:?} is a name, without a full stop", entry.label()));
        }
        if entry.description().is_empty() {
            say("it has no description".to_owned());
        }
        for field in entry.fields() {
            let doc = field.doc;
            if !doc.starts_with(char::is_uppercase) || !doc.ends_with('.') {
                say(format!("{}: {doc:?} is a sentence: capital, full stop", field.name));
            }
            if !field.shape.required && !doc.contains("Left out,") {
                say(format!("{}: {doc:?} says what happens when it is left out", field.name));
            }
            if field.shape.required && doc.contains("Left out,") {
                say(format!("{}: it cannot be left out", field.name));
            }
            for word in ["please", "simply", "just ", "e.g.", "i.e.", "etc"] {
                if doc.to_lowercase().contains(word) {
                    say(format!("{}: say it without {word:?}", field.name));
                }
            }
            if doc.len() > 180 {
                say(format!("{}: {} characters are too many for a form", field.name, doc.len()));
            }
        }
    }
    none(&found, "mend the doc comment of the field");
}

#[test]
fn every_schema_member_is_described() {
    let mut found = Vec::new();
    for entry in catalogue().entries() {
        let described = entry.described(|_| None);
        for side in ["input", "output"] {
            walk(&described[side], &format!("{}/{side}", entry.key()), &mut found);
        }
    }
    none(&found, "give the member a doc comment, or the pattern an example");
}

fn walk(schema: &Value, at: &str, found: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if member["description"].as_str().is_none_or(str::is_empty) {
            found.push(format!("{at}/{name} has no description"));
        }
        if member.get("pattern").is_some() && member.get("examples").is_none() {
            found.push(format!("{at}/{name} has a pattern and no examples"));
        }
        walk(member, &format!("{at}/{name}"), found);
    }
    for (name, def) in schema["$defs"].as_object().into_iter().flatten() {
        walk(def, &format!("{at}/{name}"), found);
    }
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{at}[]"), found);
    }
}
