//! Rules of prose for every text of the catalogue.

use connector_core::declare::{Effect, Field};
use connector_core::run::Entry;
use serde_json::Value;

use crate::kit::Kit;
use crate::report::assert_none;

/// The words that open a relative clause without its noun. No description begins with one.
pub const OPENERS: &[&str] = &["How", "What", "When", "Where", "Whether", "Which", "Who", "Whose"];

/// Words that a description can do without.
const FILLERS: [&str; 6] = ["please", "simply", "just ", "e.g.", "i.e.", "etc"];

/// First words of a key that promise that data is removed, and those that promise that nothing is changed.
const REMOVING: [&str; 4] = ["delete", "merge", "purge", "remove"];
const READING: [&str; 6] = ["download", "find", "get", "list", "read", "search"];

/// The most bytes of a description that a form has room for.
const LONGEST: usize = 180;

impl Kit {
    /// Checks that each label is a name, and each description of an input a plain sentence.
    ///
    /// The sentence of an optional input says what happens without it: "Left out, …". Each member of the schemas is described.
    /// A key promises no other effect than its action has.
    pub fn check_prose(&self) {
        let mut found = Vec::new();
        for entry in self.build_catalogue().entries() {
            let faults = find_faults(entry).into_iter().chain(entry.fields().into_iter().flat_map(find_faults_of_field));
            found.extend(faults.map(|fault| format!("{}: {fault}", entry.key())));
            let described = entry.describe(|_| None);
            for side in ["input", "output"] {
                find_undescribed(&described[side], &format!("{}/{side}", entry.key()), &mut found);
            }
        }
        assert_none(&found, "correct the doc comment of the struct or field, or give the pattern an example");
    }
}

fn find_faults(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    if entry.label().ends_with('.') || entry.label().trim() != entry.label() {
        found.push(format!("write the label {:?} as a name, without a full stop", entry.label()));
    }
    if entry.description().is_empty() {
        found.push("write a description".to_owned());
    }
    let is_removed = entry.declaration().is_some_and(|declaration| declaration.removed.is_some());
    // An action that the vendor removed keeps its name, and makes no call.
    found.extend(find_broken_promise(entry.key(), entry.effect()).filter(|_| !is_removed));
    found
}

/// Finds a key whose first word promises another effect.
fn find_broken_promise(key: &str, effect: Effect) -> Option<String> {
    let verb = key.split(char::is_uppercase).next().unwrap_or_default();
    let (promised, advice) = if REMOVING.contains(&verb) {
        (Effect::Destructive, "mark it as `destructive`")
    } else if READING.contains(&verb) {
        (Effect::Read, "mark it with `reads`, or give it another name")
    } else {
        return None;
    };
    (effect != promised).then(|| format!("its name promises the effect {}, and it has {}: {advice}", promised.as_str(), effect.as_str()))
}

fn find_faults_of_field(field: &Field) -> Vec<String> {
    let (name, doc) = (field.name, field.doc);
    let mut found = Vec::new();
    if !doc.starts_with(char::is_uppercase) || !doc.ends_with('.') {
        found.push(format!("{name}: write {doc:?} as a sentence, with a capital and a full stop"));
    }
    if !field.shape.required && !doc.contains("Left out,") {
        found.push(format!("{name}: say in {doc:?} what happens when it is left out: \"Left out, …\""));
    }
    if field.shape.required && doc.contains("Left out,") {
        found.push(format!("{name}: a required input cannot be left out: do not say so"));
    }
    for word in FILLERS.iter().filter(|word| doc.to_lowercase().contains(**word)) {
        found.push(format!("{name}: write it without {word:?}"));
    }
    if doc.len() > LONGEST {
        found.push(format!("{name}: shorten its {} characters, which are too many for a form", doc.len()));
    }
    found
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_that_promises_another_effect_is_found() {
        let find = |key: &str, effect: Effect| find_broken_promise(key, effect).unwrap_or_default();
        assert!(find("mergeHuts", Effect::Write).starts_with("its name promises the effect destructive, and it has write"));
        assert!(find("searchHuts", Effect::Write).starts_with("its name promises the effect read, and it has write"));
        for (key, effect) in [("mergeHuts", Effect::Destructive), ("getHut", Effect::Read), ("deletedHuts", Effect::Read)] {
            assert_eq!(find(key, effect), "", "{key}");
        }
    }

    #[test]
    fn member_without_a_description_or_an_example_is_found_at_any_depth() {
        let owner = json!({"properties": {"name": {"description": "The name."}, "mail": {"description": ""}}});
        let day = json!({"description": "The day.", "pattern": "^[0-9-]+$"});
        let schema = json!({
            "properties": {"day": day, "list": {"description": "A list.", "items": owner}},
            "$defs": {"Owner": {"properties": {"team": {"description": "Who leads."}}}},
        });
        let mut found = Vec::new();
        find_undescribed(&schema, "getDay/output", &mut found);
        let expected = [
            "getDay/output/day has a pattern and no examples",
            "getDay/output/list[]/mail has no description",
            "getDay/output/Owner/team: begin with a noun: Who leads.",
        ];
        assert_eq!(found, expected);
    }
}
