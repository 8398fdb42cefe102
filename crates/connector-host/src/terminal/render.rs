//! Formats for people, and messages on stderr.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use serde_json::Value;

/// Writes a message to stderr, beside the outcomes on stdout.
pub(crate) fn say(text: &str) {
    // stderr may be closed; an outcome does not depend on it.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Formats rows under headings: aligned on a terminal, separated by tabs elsewhere.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    if !std::io::stdout().is_terminal() {
        return rows.iter().fold(String::new(), |text, row| text + &row.join("\t") + "\n");
    }
    align(headings, rows)
}

/// Aligns rows under bold headings; plain ones where the environment asks for no color.
pub(crate) fn align(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widest = |column: usize| rows.iter().map(|row| row[column].len()).chain([headings[column].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..headings.len()).map(widest).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let head = line(headings.to_vec());
    // It knows `NO_COLOR`.
    let is_plain = anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never;
    let head = if is_plain { head } else { format!("{BOLD}{}{PLAIN}\n", head.trim_end()) };
    rows.iter().fold(head, |text, row| text + &line(row.iter().map(String::as_str).collect()))
}

/// Describes an action or data source for a person.
pub(crate) fn describe(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = format!(
        "{BOLD}{}{PLAIN}  {}\n{}.\n",
        text(&entry["key"]),
        text(&entry["label"]),
        text(&entry["description"]).trim_end_matches('.')
    );
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {name:<9} {value}");
        }
    };
    let endpoint = &entry["endpoint"];
    fact(
        "Endpoint",
        endpoint.as_object().map_or_else(String::new, |_| format!("{} {}", text(&endpoint["method"]), text(&endpoint["path"]))),
    );
    fact("Effect", text(&entry["effect"]));
    fact("Cost", entry["cost"].as_u64().map_or_else(String::new, |cost| format!("{cost} tokens of the daily budget")));
    let name = |scopes: Vec<&str>| if scopes.len() > 1 { format!("any of {}", scopes.join(", ")) } else { scopes.concat() };
    fact("Scopes", scope_lists(entry).into_iter().map(name).collect::<Vec<_>>().join("; and "));
    let properties = entry["input"]["properties"].as_object();
    let required = entry["input"]["required"].as_array();
    out.push_str(if properties.is_none_or(serde_json::Map::is_empty) { "\nNo input.\n" } else { "\nInput:\n" });
    let types: Vec<String> = properties.into_iter().flatten().map(|(_, property)| type_of(property, &entry["input"])).collect();
    let width = properties.into_iter().flatten().map(|(name, _)| name.len()).max().unwrap_or(0);
    let type_width = types.iter().map(String::len).max().unwrap_or(0);
    for ((name, property), kind) in properties.into_iter().flatten().zip(&types) {
        let mark = if required.is_some_and(|names| names.iter().any(|other| other == name)) { "*" } else { " " };
        let source = property["x-source"].as_str().map_or_else(String::new, |source| format!(" Choices: {source}."));
        let (description, names) = (text(&property["description"]), describe_accepted(property));
        let _ = writeln!(out, "{mark} {BOLD}{name:<width$}{PLAIN}  {kind:<type_width$}  {description}{source}{names}");
        if let Some(values) = long_enum(property) {
            let _ = writeln!(out, "    {:width$}{values}", "");
        }
        for (code, field) in property["properties"].as_object().into_iter().flatten().filter(|_| entry.get("account").is_some()) {
            let _ = writeln!(out, "    {code}  {}", describe_field(field));
        }
    }
    if required.is_some() {
        out.push_str("  (* required)\n");
    }
    if let Some(input) = entry["example"].get("input") {
        let _ =
            write!(out, "\nExample:\n  connector invoke {} --input '{}'\n", text(&entry["key"]), input.to_string().replace('\'', "'\\''"));
    }
    out
}

/// Describes what an input takes in place of an ID or a list: names, and changes.
pub(crate) fn describe_accepted(property: &Value) -> String {
    let words = property["x-accepts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let forms: Vec<String> = words
        .filter_map(|word| match word {
            "me" => Some("\"me\"".to_owned()),
            // `add` and `remove` are one form.
            "add" => Some("{\"add\": […], \"remove\": […]}".to_owned()),
            "remove" => None,
            word => Some(format!("{{\"{word}\": \"…\"}}")),
        })
        .collect();
    if forms.is_empty() { String::new() } else { format!(" Also: {}.", forms.join(", ")) }
}

/// Describes a custom field: its name, its type or its options, and whether the app demands it.
fn describe_field(field: &Value) -> String {
    let options = field["anyOf"].as_array().or_else(|| field["items"]["anyOf"].as_array());
    let labels: Vec<&str> = options.into_iter().flatten().filter_map(|option| option["title"].as_str()).collect();
    let kind = if labels.is_empty() { type_of(field, field) } else { labels.join("|") };
    let mark = if field["x-required-in-app"] == true { "; the app demands it" } else { "" };
    format!("{}: {kind}{mark}", field["title"].as_str().unwrap_or_default())
}

/// Lists the lists of scopes of a described action, of each of which one is needed.
pub(crate) fn scope_lists(entry: &Value) -> Vec<Vec<&str>> {
    let several = entry["scopesAll"].as_array().into_iter().flatten();
    let lists = std::iter::once(&entry["scopes"]).chain(several);
    let lists = lists.map(|list| list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>());
    lists.filter(|list| !list.is_empty()).collect()
}

const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// The largest number of values that is shown in place of a type.
const SHORT_ENUM: usize = 6;

/// Lists the values of an enum, or of a list of an enum, if they are too many to stand in place of its type.
pub(crate) fn long_enum(schema: &Value) -> Option<String> {
    let values = schema["enum"].as_array().or_else(|| schema["items"]["enum"].as_array()).filter(|values| values.len() > SHORT_ENUM)?;
    Some(values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>().join(", "))
}

/// Describes the type of a schema in a few words.
pub(crate) fn type_of(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        return type_of(&root["$defs"][name], root);
    }
    let values = schema["enum"]
        .as_array()
        .map(|values| values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>());
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    match (values, kinds.as_slice()) {
        // Many values are listed below the sentence.
        (Some(values), _) if values.len() > SHORT_ENUM => "one of these".to_owned(),
        (Some(values), _) => values.join("|"),
        (None, ["array", ..]) => format!("list of {}", type_of(&schema["items"], root).replace("one of these", "these")),
        (None, []) => "any".to_owned(),
        (None, kinds) => {
            let form = schema["examples"][0].as_str().filter(|form| form.starts_with(|first: char| first.is_ascii_digit()));
            let null = if kinds.contains(&"null") { "|null" } else { "" };
            format!("{}{null}", form.unwrap_or(kinds[0]))
        }
    }
}

/// Indents JSON without parsing its values: a number that is parsed could come out as another one.
pub(crate) fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut in_text, mut escaped) = (false, false);
    let mut bytes = json.iter().copied().peekable();
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        // A response may be nested as deep as it is long.
        out.extend(std::iter::repeat_n(b' ', depth.min(64) * 2));
    };
    while let Some(byte) = bytes.next() {
        if in_text {
            out.push(byte);
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => {
                in_text = true;
                out.push(byte);
            }
            b'{' | b'[' => {
                out.push(byte);
                while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
                if let Some(close) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ if byte.is_ascii_whitespace() => {}
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_the_indent_of_deeply_nested_json() {
        let deep = [vec![b'['; 20_000], vec![b']'; 20_000]].concat();
        assert!(indent(&deep).len() < 20_000 * 300, "the indent must stay within its limit");
    }

    #[test]
    fn indents_without_changing_a_value() {
        let json = br#"{"a":[1.10,{"b":"x, \"y\": {z}\\"},[], {} ],"n":12345678901234567890123}"#;
        let text = String::from_utf8(indent(json)).expect("it was text");
        assert_eq!(
            text,
            "{\n  \"a\": [\n    1.10,\n    {\n      \"b\": \"x, \\\"y\\\": {z}\\\\\"\n    },\n    [],\n    {}\n  ],\n  \"n\": 12345678901234567890123\n}"
        );
    }

    #[test]
    fn description_names_the_scopes_of_each_call() {
        let describe = |scopes: Value, scopes_all: Value| describe(&json!({"key": "a", "scopes": scopes, "scopesAll": scopes_all}));
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
