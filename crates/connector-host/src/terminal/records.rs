//! The records of a manifest: the objects that outputs name. Each is told once, on a page of its own kind.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::terminal::outline::{list_members, read_reference};
use crate::terminal::render::{long_enum, type_of};

/// The page that has all records.
pub(crate) const PAGE: &str = "records.md";

/// The records, by name.
pub(crate) struct Records<'m>(BTreeMap<&'m str, SharedRecord<'m>>);

/// A record, and where it is returned.
struct SharedRecord<'m> {
    schema: &'m Value,
    /// The output that has its definition, and those of the records in it.
    root: &'m Value,
    /// The actions that return it, alone or in another record: the page and the key of each.
    actions: Vec<(&'m str, &'m str)>,
}

impl<'m> Records<'m> {
    pub(crate) fn collect(manifest: &'m Value) -> Self {
        let mut all: BTreeMap<&str, SharedRecord<'_>> = BTreeMap::new();
        for action in manifest["actions"].as_array().into_iter().flatten() {
            let (root, text) = (&action["output"], |name: &str| action[name].as_str().unwrap_or_default());
            for (name, schema) in root["$defs"].as_object().into_iter().flatten() {
                let record = all.entry(name).or_insert(SharedRecord { schema, root, actions: Vec::new() });
                record.actions.push((text("resource"), text("key")));
            }
        }
        Self(all)
    }

    /// Writes the page of all records.
    pub(crate) fn write_page(&self, first_line: &str) -> String {
        let mut page = format!("{first_line}# Records\n\nThe objects in what actions return, each with its members.\n");
        for (name, record) in &self.0 {
            let description = record.schema["description"].as_str().unwrap_or_default();
            let _ = write!(page, "\n## {name}\n\n{description}\n{}", self.write_members(record.schema, record.root));
            let actions = record.actions.iter().map(|(room, key)| format!("[{key}]({room}.md#{})", key.to_lowercase()));
            let _ = writeln!(page, "\nIt is in what these return: {}.", actions.collect::<Vec<_>>().join(", "));
        }
        page
    }

    /// Writes what an action returns.
    pub(crate) fn write_output(&self, schema: &Value) -> String {
        if schema.is_null() {
            return String::new();
        }
        let members = if self.has_record(schema) { String::new() } else { self.write_members(schema, schema) };
        match (members.is_empty(), schema["type"] == "array") {
            (true, _) => format!("\n**Returns:** {}\n", self.link(schema, schema)),
            (false, true) => format!("\n**Returns** a list; each item has:\n{members}"),
            (false, false) => format!("\n**Returns** an object with:\n{members}"),
        }
    }

    /// Writes a table of members, or nothing if there are none. Members of another record are not repeated.
    fn write_members(&self, schema: &Value, root: &Value) -> String {
        let members = list_members(schema, root, &|member| self.has_record(member));
        let mut out = if members.is_empty() { String::new() } else { "\n| member | type | |\n|---|---|---|\n".to_owned() };
        for member in &members {
            let values = long_enum(member.schema).map_or_else(String::new, |values| format!(" One of: {values}."));
            let sentence = member.schema["description"].as_str().unwrap_or_default().to_owned() + &values;
            let _ = writeln!(out, "| {} | {} | {} |", member.path, self.link(member.schema, root), cell(&sentence));
        }
        out
    }

    /// Checks that a schema is a record, or holds one directly.
    fn has_record(&self, schema: &Value) -> bool {
        let parts = ["allOf", "anyOf"].iter().filter_map(|word| schema[word].as_array()).flatten();
        let inner = [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|inner| inner.is_object());
        self.find(schema).is_some() || parts.chain(inner).any(|part| self.has_record(part))
    }

    /// Finds the name of a record: by a reference, or by its members, since a record that may be null stands in full.
    fn find(&self, schema: &Value) -> Option<&str> {
        if let Some(name) = read_reference(schema) {
            return self.0.get_key_value(name).map(|(name, _)| *name);
        }
        let members = schema.get("properties")?;
        self.0.iter().find(|(_, record)| record.schema.get("properties") == Some(members)).map(|(name, _)| *name)
    }

    /// Describes the type of a schema, with a link to each record in it.
    fn link(&self, schema: &Value, root: &Value) -> String {
        let of_all = |word: &str| schema[word].as_array().map(|parts| parts.iter().map(|part| self.link(part, root)).collect::<Vec<_>>());
        let is_nullable = schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
        let described = if let Some(name) = self.find(schema) {
            format!("[{name}]({PAGE}#{})", name.to_lowercase())
        } else if !self.has_record(schema) {
            return cell(&type_of(schema, root));
        } else if let Some(parts) = of_all("allOf") {
            parts.join(" with ")
        } else if let Some(alternatives) = of_all("anyOf") {
            alternatives.join(" or ")
        } else if schema["items"].is_object() {
            format!("list of {}", self.link(&schema["items"], root))
        } else {
            format!("object by keys, each of {}", self.link(&schema["additionalProperties"], root))
        };
        if is_nullable { described + " or null" } else { described }
    }
}

/// Escapes a text for a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn record_is_told_once_and_linked_where_it_is_returned() {
        let valley =
            json!({"type": "object", "description": "A valley.", "properties": {"name": {"type": "string", "description": "The name."}}});
        let mut beside = valley.clone();
        (beside["type"], beside["description"]) = (json!(["object", "null"]), json!("The valley that it lies in."));
        let hut = json!({"type": "object", "description": "A hut.", "properties": {
            "valley": beside,
            "doors": {"type": "array", "description": "The doors.", "items": {"type": "object", "properties": {"width": {"type": "integer", "description": "The width."}}}},
        }});
        let output = json!({"type": "array", "items": {"$ref": "#/$defs/Hut"}, "$defs": {"Hut": hut, "Valley": valley}});
        let manifest = json!({"actions": [{"key": "getHuts", "resource": "huts", "output": output}]});
        let records = Records::collect(&manifest);
        assert_eq!(records.write_output(&output), "\n**Returns:** list of [Hut](records.md#hut)\n");
        let page = records.write_page("");
        for part in [
            "\n## Hut\n\nA hut.\n\n| member | type | |\n|---|---|---|\n| valley | [Valley](records.md#valley) or null | The valley that it lies in. |\n",
            "| doors | list of object | The doors. |\n| doors[].width | integer | The width. |\n\nIt is in what these return: [getHuts](huts.md#gethuts).\n",
            "\n## Valley\n\nA valley.\n\n| member | type | |\n|---|---|---|\n| name | string | The name. |\n",
        ] {
            assert!(page.contains(part), "{part} is missing: {page}");
        }
        let own = json!({"type": "object", "properties": {"count": {"type": "integer", "description": "The number."}}});
        assert!(records.write_output(&own).starts_with("\n**Returns** an object with:\n\n| member |"));
    }
}
