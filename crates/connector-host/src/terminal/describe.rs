//! The description of an action or data source on a terminal.

use std::fmt::Write as _;

use connector_core::wording::count_of;
use serde_json::Value;

use crate::terminal::outline::{Member, list_members};
use crate::terminal::render::{BOLD, PLAIN, describe_accepted, long_enum, scope_lists, type_of, wrap};

/// The most columns that names and types are aligned in. What is longer has its sentence below it.
const MOST_FOR_NAMES: usize = 30;
const MOST_FOR_TYPES: usize = 20;

/// The fewest columns for sentences. Where fewer are left, each stands below its name.
const FEWEST_FOR_SENTENCES: usize = 36;

/// Describes an action or data source for a person, in lines of at most so many columns where words allow it.
pub(crate) fn describe(entry: &Value, columns: usize) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_removed = entry["status"] == "removed";
    let mark = if is_removed { " (removed)" } else { "" };
    let mut out = format!("{BOLD}{}{PLAIN}  {}{mark}\n", text(&entry["key"]), text(&entry["label"]));
    let _ = writeln!(out, "{}", wrap(&format!("{}.", text(&entry["description"]).trim_end_matches('.')), columns, 0));
    if is_removed {
        let gone = format!("The vendor removed it: it makes no call and fails with `removed_upstream`. {}", text(&entry["instead"]));
        let _ = writeln!(out, "\n{}", wrap(&gone, columns, 0));
        return out;
    }
    out.push_str(&describe_facts(entry, columns));
    let input = &entry["input"];
    let members = list_members(input, input, &|_| false);
    if members.is_empty() {
        out.push_str("\nNo input.\n");
    } else {
        let is_any_required = members.iter().any(|member| member.is_required);
        let _ = writeln!(out, "\nInput{}:", if is_any_required { " (* required)" } else { "" });
        let rows: Vec<Row> = members.iter().map(|member| Row::of_input(member, input)).collect();
        out.push_str(&write_rows(&rows, columns));
    }
    out.push_str(&describe_output(&entry["output"], columns));
    if let Some(input) = entry["example"].get("input") {
        // It is for copying, so that it stays on one line.
        let input = input.to_string().replace('\'', "'\\''");
        let _ = write!(out, "\nExample:\n  connector invoke {} --input '{input}'\n", text(&entry["key"]));
    }
    out
}

fn describe_facts(entry: &Value, columns: usize) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let endpoint = entry["endpoint"].as_object().map(|endpoint| format!("{} {}", text(&endpoint["method"]), text(&endpoint["path"])));
    let name = |scopes: Vec<&str>| if scopes.len() > 1 { format!("any of {}", scopes.join(", ")) } else { scopes.concat() };
    let facts = [
        ("Endpoint", endpoint.unwrap_or_default()),
        ("Effect", text(&entry["effect"])),
        ("Cost", entry["cost"].as_u64().map_or_else(String::new, |cost| format!("{} of the daily budget", count_of(cost, "token")))),
        ("Scopes", scope_lists(entry).into_iter().map(name).collect::<Vec<_>>().join("; and ")),
    ];
    let facts = facts.iter().filter(|(_, value)| !value.is_empty());
    facts.fold(String::new(), |out, (name, value)| out + &format!("  {name:<9} {}\n", wrap(value, columns, 12)))
}

fn describe_output(schema: &Value, columns: usize) -> String {
    if schema.is_null() {
        return String::new();
    }
    let (is_list, record) = if schema["type"] == "array" { (true, &schema["items"]) } else { (false, schema) };
    let members = list_members(record, schema, &|_| false);
    let rows: Vec<Row> = members.iter().map(|member| Row::of_output(member, schema)).collect();
    match (rows.is_empty(), is_list) {
        (true, true) => format!("\nOutput: a list of {}\n", type_of(record, schema)),
        (true, false) => format!("\nOutput: {}\n", type_of(record, schema)),
        (false, true) => format!("\nOutput, a list; each item has:\n{}", write_rows(&rows, columns)),
        (false, false) => format!("\nOutput:\n{}", write_rows(&rows, columns)),
    }
}

/// A line of an outline, before it is aligned.
struct Row<'s> {
    is_marked: bool,
    depth: usize,
    name: &'s str,
    kind: String,
    sentence: String,
}

impl<'s> Row<'s> {
    fn of_output(member: &Member<'s>, root: &Value) -> Self {
        // A custom field of an account has a name, and no sentence.
        let own = [&member.schema["description"], &member.schema["title"]].into_iter().find_map(Value::as_str);
        let values = long_enum(member.schema).map_or_else(String::new, |values| format!(" One of: {values}."));
        let sentence = own.unwrap_or_default().to_owned() + &values;
        Self { is_marked: false, depth: member.depth, name: member.name, kind: type_of(member.schema, root), sentence }
    }

    fn of_input(member: &Member<'s>, root: &Value) -> Self {
        let mut row = Self::of_output(member, root);
        row.is_marked = member.is_required;
        if let Some(source) = member.schema["x-source"].as_str() {
            let _ = write!(row.sentence, " Choices: {source}.");
        }
        row.sentence.push_str(&describe_accepted(member.schema));
        if member.schema["x-required-in-app"] == true {
            row.sentence.push_str("; the app demands it");
        }
        row
    }

    /// Measures the indented name.
    fn measure(&self) -> usize {
        2 * self.depth + self.name.chars().count()
    }
}

/// Writes rows in columns: a mark, the indented name, the type, and the sentence in lines of its own column.
fn write_rows(rows: &[Row<'_>], columns: usize) -> String {
    let widest = |widths: &mut dyn Iterator<Item = usize>, most: usize| widths.filter(|width| *width <= most).max().unwrap_or(0);
    let for_names = widest(&mut rows.iter().map(Row::measure), MOST_FOR_NAMES);
    let for_types = widest(&mut rows.iter().map(|row| row.kind.chars().count()), MOST_FOR_TYPES);
    let beside = 2 + for_names + 2 + for_types + 2;
    let is_narrow = columns < beside + FEWEST_FOR_SENTENCES;
    let mut out = String::new();
    for row in rows {
        let mark = if row.is_marked { '*' } else { ' ' };
        let (indent, padding) = (2 * row.depth, for_names.saturating_sub(row.measure()));
        let _ = write!(out, "{mark} {:indent$}{BOLD}{}{PLAIN}{:padding$}  {}", "", row.name, "", row.kind);
        let used = 2 + row.measure().max(for_names) + 2 + row.kind.chars().count();
        let at = if is_narrow { indent + 4 } else { beside };
        if !row.sentence.is_empty() {
            let gap = if is_narrow || used + 2 > beside { format!("\n{:at$}", "") } else { " ".repeat(beside - used) };
            out.push_str(&(gap + &wrap(&row.sentence, columns, at)));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An action whose schemas are nested.
    fn build_entry() -> Value {
        json!({
            "key": "addHut", "label": "Add Hut", "description": "Add a hut", "status": "live", "effect": "write",
            "input": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "The name that stands on the door of the hut and on every map."},
                    "phones": {"type": "array", "items": {"$ref": "#/$defs/Phone"}, "description": "The numbers to call."},
                },
                "$defs": {"Phone": {"required": ["value"], "properties": {"value": {"type": "string", "description": "The number."}}}},
            },
            "output": {"type": "array", "items": {"properties": {
                "place": {"type": ["object", "null"], "description": "The place.", "properties": {"valley": {"type": "string", "description": "The valley."}}},
            }}},
        })
    }

    #[track_caller]
    fn assert_described(entry: &Value, columns: usize, expected: &str) {
        assert_eq!(describe(entry, columns).replace(BOLD, "").replace(PLAIN, ""), expected);
    }

    #[test]
    fn nested_members_stand_below_and_sentences_in_their_own_column() {
        assert_described(
            &build_entry(),
            70,
            "\
addHut  Add Hut
Add a hut.
  Effect    write

Input (* required):
* name     string          The name that stands on the door of the hut
                           and on every map.
  phones   list of object  The numbers to call.
*   value  string          The number.

Output, a list; each item has:
  place     object|null  The place.
    valley  string       The valley.
",
        );
    }

    #[test]
    fn sentences_stand_below_where_the_terminal_is_narrow() {
        let mut entry = build_entry();
        entry["output"] = json!({"type": "integer"});
        assert_described(
            &entry,
            40,
            "\
addHut  Add Hut
Add a hut.
  Effect    write

Input (* required):
* name     string
    The name that stands on the door of
    the hut and on every map.
  phones   list of object
    The numbers to call.
*   value  string
      The number.

Output: integer
",
        );
    }

    #[test]
    fn removed_action_is_marked_and_names_its_replacement() {
        let entry = json!({
            "key": "getHut", "label": "Get Hut", "description": "Get a hut", "status": "removed", "effect": "read",
            "instead": "Use getLodge.", "input": {"properties": {}}, "output": {"description": "Any JSON value."},
        });
        let expected = "\
getHut  Get Hut (removed)
Get a hut.

The vendor removed it: it makes no call and fails with
`removed_upstream`. Use getLodge.
";
        assert_described(&entry, 60, expected);
    }

    #[test]
    fn description_names_the_scopes_of_each_call() {
        let describe = |scopes: Value, scopes_all: Value| describe(&json!({"key": "a", "scopes": scopes, "scopesAll": scopes_all}), 80);
        for (scopes, scopes_all, expected) in [
            (json!(["base"]), json!(null), "Scopes    base\n"),
            (json!(["a", "b"]), json!(null), "Scopes    any of a, b\n"),
            (json!([]), json!([["a", "b"], ["c"]]), "Scopes    any of a, b; and c\n"),
        ] {
            let described = describe(scopes, scopes_all);
            assert!(described.contains(expected), "{expected} is missing: {described}");
        }
        assert!(!describe(json!([]), json!(null)).contains("Scopes"));
    }
}
