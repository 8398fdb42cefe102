//! Rules of prose for every text of the catalogue.

use serde_json::Value;

use crate::house::OPENERS;
use crate::support::assertions::assert_none;
use crate::support::repository::{build_catalogue, read};

#[test]
fn descriptions_are_plain_sentences() {
    let mut found = Vec::new();
    for entry in build_catalogue().entries() {
        let mut report = |fault: String| found.push(format!("{}: {fault}", entry.key()));
        if entry.label().ends_with('.') || entry.label().trim() != entry.label() {
            report(format!("write the label {:?} as a name, without a full stop", entry.label()));
        }
        if entry.description().is_empty() {
            report("write a description".to_owned());
        }
        for field in entry.fields() {
            let doc = field.doc;
            if !doc.starts_with(char::is_uppercase) || !doc.ends_with('.') {
                report(format!("{}: write {doc:?} as a sentence, with a capital and a full stop", field.name));
            }
            if !field.shape.required && !doc.contains("Left out,") {
                report(format!("{}: say in {doc:?} what happens when it is left out", field.name));
            }
            if field.shape.required && doc.contains("Left out,") {
                report(format!("{}: a required input cannot be left out: do not say so", field.name));
            }
            for word in ["please", "simply", "just ", "e.g.", "i.e.", "etc"] {
                if doc.to_lowercase().contains(word) {
                    report(format!("{}: write it without {word:?}", field.name));
                }
            }
            if doc.len() > 180 {
                report(format!("{}: shorten its {} characters, which are too many for a form", field.name, doc.len()));
            }
        }
    }
    assert_none(&found, "correct the doc comment of the field");
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
fn every_schema_member_is_described() {
    let mut found = Vec::new();
    for entry in build_catalogue().entries() {
        let described = entry.describe(|_| None);
        for side in ["input", "output"] {
            find_undescribed(&described[side], &format!("{}/{side}", entry.key()), &mut found);
        }
    }
    assert_none(&found, "give the member a doc comment, or the pattern an example");
}

fn find_undescribed(schema: &Value, at: &str, found: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let description = member["description"].as_str().unwrap_or_default();
        if description.is_empty() {
            found.push(format!("{at}/{name} has no description"));
        }
        if OPENERS.contains(&description.split(' ').next().unwrap_or_default()) {
            found.push(format!("{at}/{name}: begin with a noun: {description}"));
        }
        if member.get("pattern").is_some() && member.get("examples").is_none() {
            found.push(format!("{at}/{name} has a pattern and no examples"));
        }
        find_undescribed(member, &format!("{at}/{name}"), found);
    }
    for (name, def) in schema["$defs"].as_object().into_iter().flatten() {
        find_undescribed(def, &format!("{at}/{name}"), found);
    }
    if let Some(items) = schema.get("items") {
        find_undescribed(items, &format!("{at}[]"), found);
    }
}
