//! The catalogue and its schemas as snapshots: engines store these words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_core::declare::{Declaration, Place};
use connector_core::run::{Catalogue, Entry};
use serde_json::Value;

use crate::kit::Kit;
use crate::report::assert_none;

/// The resource under which data sources stand.
pub(crate) const DATA_SOURCES: &str = "data_sources";

impl Kit {
    /// Compares the catalogue, its schemas and the names of the flat view with snapshots.
    ///
    /// They are `catalogue`, `schemas_<resource>` for each resource, and `flat_names`. Each schema is one of JSON Schema 2020-12, and no
    /// two inputs of an action travel under one name. Each scope is one for which the connector's OAuth asks, if it asks for any.
    pub fn check_schemas(&self) {
        let catalogue = self.build_catalogue();
        let mut found = find_invalid(&catalogue);
        found.extend(find_doubles(&catalogue));
        found.extend(find_unknown_scopes(&catalogue, self.connector.oauth().map_or(&[], |oauth| oauth.scopes)));
        let (listed, names) = (list_entries(&catalogue), list_flat_names(&catalogue));
        let schemas = write_schemas(&catalogue);
        let mut texts = vec![("catalogue".to_owned(), listed.as_str()), ("flat_names".to_owned(), names.as_str())];
        texts.extend(schemas.iter().map(|(resource, text)| (format!("schemas_{resource}"), text.as_str())));
        found.extend(self.find_changed_snapshots(texts));
        assert_none(
            &found,
            "correct a scope, or add it to those of OAuth::with_scopes; rename one of two inputs that travel under one name with #[wire(\"…\")], or leave it out of its group; correct the type that has \
             an invalid schema; if the change of a snapshot is meant, run the tests with INSTA_UPDATE=always and read it",
        );
    }
}

/// Lists the scopes of actions for which OAuth does not ask.
///
/// Where OAuth asks for none, the registration of the client has them.
fn find_unknown_scopes(catalogue: &Catalogue, asked: &[&str]) -> Vec<String> {
    let is_missing = |scopes: &&[&str]| !asked.is_empty() && !scopes.iter().any(|scope| asked.contains(scope));
    let missing = |action: &'static Declaration| action.scope_lists().filter(is_missing).map(move |scopes| (action.key, scopes));
    let found = catalogue.entries().iter().filter_map(Entry::declaration).flat_map(missing);
    found.map(|(key, scopes)| format!("{key} needs {}, for which OAuth does not ask", scopes.join(" or "))).collect()
}

/// Returns the resource of an entry, which names its snapshots.
pub(crate) fn find_resource(entry: &Entry) -> &'static str {
    entry.declaration().map_or(DATA_SOURCES, Declaration::resource)
}

/// Writes a line for each entry of the catalogue.
fn list_entries(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for entry in catalogue.entries() {
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
                    action.scope_lists().map(|scopes| scopes.join(" ")).collect::<Vec<_>>().join(" + ")
                )
            }
            None => format!("{} | picklist", entry.key()),
        };
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    }
    text
}

/// Writes the input and output schemas of each resource.
fn write_schemas(catalogue: &Catalogue) -> BTreeMap<&'static str, String> {
    let mut resources: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in catalogue.entries() {
        let mut described = entry.describe(|_| None);
        // It follows from the output; its names have a snapshot of their own.
        described.as_object_mut().expect("a description has members").shift_remove("outputFlat");
        let text = serde_json::to_string_pretty(&described).expect("a schema is JSON");
        resources.entry(find_resource(entry)).or_default().push(text);
    }
    resources.into_iter().map(|(resource, texts)| (resource, texts.join("\n"))).collect()
}

/// Writes the names that each action gives in the flat view: engines map them by hand.
fn list_flat_names(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for entry in catalogue.entries() {
        let output = entry.describe(|_| None)["outputFlat"].take();
        let records = find_records(&output, &output);
        let names: Vec<&str> =
            records.iter().filter_map(|record| record["properties"].as_object()).flatten().map(|(name, _)| &**name).collect();
        if !names.is_empty() {
            let list = if output["properties"].get("results").is_some() { "[]" } else { "" };
            writeln!(text, "{}{list}: {}", entry.key(), names.join(" ")).expect("writing to a String cannot fail");
        }
    }
    text
}

/// Finds the schemas of an answer's records.
fn find_records<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    match (reference, schema["allOf"].as_array()) {
        (Some(name), _) => find_records(&root["$defs"][name], root),
        (None, Some(all)) => all.iter().flat_map(|schema| find_records(schema, root)).collect(),
        (None, None) => match &schema["properties"]["results"]["items"] {
            Value::Null => vec![schema],
            items => find_records(items, root),
        },
    }
}

/// Lists the inputs of an action that travel under the name of another one.
fn find_doubles(catalogue: &Catalogue) -> Vec<String> {
    let mut found = Vec::new();
    for entry in catalogue.entries() {
        // An input that stands for another excludes it by a rule.
        let fields: Vec<_> = entry.fields().into_iter().filter(|field| field.place != Place::Own && field.instead_of.is_none()).collect();
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|other| (other.place, other.wire) == (field.place, field.wire)) {
                found.push(format!("{}: `{}` travels twice in the {:?}", entry.key(), field.wire, field.place));
            }
        }
    }
    found
}

/// Lists the schemas that are not JSON Schema 2020-12.
fn find_invalid(catalogue: &Catalogue) -> Vec<String> {
    let mut found = Vec::new();
    for entry in catalogue.entries() {
        let described = entry.describe(|_| None);
        for side in ["input", "output", "outputFlat"] {
            let fault = described.get(side).and_then(find_fault_of_schema);
            found.extend(fault.map(|fault| format!("{} {side}: {fault}", entry.key())));
        }
    }
    found
}

fn find_fault_of_schema(schema: &Value) -> Option<String> {
    jsonschema::draft202012::meta::validate(schema).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schema_of_no_type_that_there_is_is_invalid() {
        assert_eq!(find_fault_of_schema(&json!({"type": ["integer", "null"]})), None);
        let fault = find_fault_of_schema(&json!({"type": "whole"})).expect("there is no such type");
        assert!(fault.contains("whole"), "{fault}");
    }
}
