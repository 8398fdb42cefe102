//! Formats for people, and messages on stderr.

use std::io::{IsTerminal, Write as _};

use serde_json::Value;

use crate::terminal::outline::read_reference;

/// Writes a message to stderr, beside the outcomes on stdout.
pub(crate) fn say(text: &str) {
    // stderr may be closed; an outcome does not depend on it.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// The columns of a place that is no terminal.
const COLUMNS: usize = 100;

/// Finds the columns of the terminal, also where a pager stands before it.
pub(crate) fn find_columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(columns, _)| usize::from(columns.0))
}

/// Formats rows under headings: aligned on a terminal and no wider than it, separated by tabs elsewhere.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    if !std::io::stdout().is_terminal() {
        return rows.iter().fold(String::new(), |text, row| text + &row.join("\t") + "\n");
    }
    align_within(headings, rows, find_columns())
}

/// Aligns rows under bold headings; plain ones where the environment asks for no color.
pub(crate) fn align(headings: &[&str], rows: &[Vec<String>]) -> String {
    align_within(headings, rows, usize::MAX)
}

/// The fewest columns that the last cells are broken into.
const FEWEST_FOR_LAST: usize = 24;

/// Aligns rows, and breaks the last cells between words where they do not fit.
fn align_within(headings: &[&str], rows: &[Vec<String>], columns: usize) -> String {
    let Some(last) = headings.len().checked_sub(1) else { return String::new() };
    let count = |text: &str| text.chars().count();
    let widest = |column: usize| rows.iter().map(|row| count(&row[column])).chain([count(headings[column])]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..last).map(widest).collect();
    let indent = widths.iter().map(|width| width + 2).sum();
    let columns = if columns < indent + FEWEST_FOR_LAST { usize::MAX } else { columns };
    let line = |cells: Vec<&str>| {
        let padded: String = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        (padded + &wrap(cells[last], columns, indent)).trim_end().to_owned() + "\n"
    };
    let head = line(headings.to_vec());
    // It knows `NO_COLOR`.
    let is_plain = anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never;
    let head = if is_plain { head } else { format!("{BOLD}{}{PLAIN}\n", head.trim_end()) };
    rows.iter().fold(head, |text, row| text + &line(row.iter().map(String::as_str).collect()))
}

/// Breaks a text into lines of so many columns, all but the first indented. A word is never broken.
pub(crate) fn wrap(text: &str, columns: usize, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut used = indent;
    for (nth, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if nth > 0 && used + 1 + width > columns {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        } else if nth > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += width;
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

/// Lists the lists of scopes of a described action, of each of which one is needed.
pub(crate) fn scope_lists(entry: &Value) -> Vec<Vec<&str>> {
    let several = entry["scopesAll"].as_array().into_iter().flatten();
    let lists = std::iter::once(&entry["scopes"]).chain(several);
    let lists = lists.map(|list| list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>());
    lists.filter(|list| !list.is_empty()).collect()
}

pub(crate) const BOLD: &str = "\u{1b}[1m";
pub(crate) const PLAIN: &str = "\u{1b}[0m";

/// The largest number of values that is shown in place of a type.
const SHORT_ENUM: usize = 6;

/// Lists the values of a schema, or of a list of such values, if they are too many to stand in place of its type.
pub(crate) fn long_enum(schema: &Value) -> Option<String> {
    let values = list_values(schema).or_else(|| list_values(&schema["items"])).filter(|values| values.len() > SHORT_ENUM)?;
    Some(values.join(", "))
}

/// Lists the values that a schema offers: those of an enum, or the titles of constants to choose from.
fn list_values(schema: &Value) -> Option<Vec<String>> {
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().map(write_plain).collect());
    }
    let constants = schema["anyOf"].as_array()?.iter().filter(|choice| choice.get("const").is_some());
    let values: Vec<String> = constants.map(|choice| write_plain(choice.get("title").unwrap_or(&choice["const"]))).collect();
    (!values.is_empty()).then_some(values)
}

/// Writes a value as JSON, but a text without quotes.
fn write_plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Describes the type of a schema in a few words.
pub(crate) fn type_of(schema: &Value, root: &Value) -> String {
    if let Some(name) = read_reference(schema) {
        return type_of(&root["$defs"][name], root);
    }
    if let Some(values) = list_values(schema) {
        // Many values are listed in the sentence.
        return if values.len() > SHORT_ENUM { "one of these".to_owned() } else { values.join("|") };
    }
    if let Some(value) = schema.get("const") {
        return write_plain(value);
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let mut kinds: Vec<String> = alternatives.iter().map(|one| type_of(one, root)).collect();
        kinds.dedup();
        return kinds.join("|");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    match kinds.as_slice() {
        [] if schema["allOf"].is_array() || schema["properties"].is_object() => "object".to_owned(),
        [] => "any".to_owned(),
        ["array", ..] => format!("list of {}", type_of(&schema["items"], root).replace("one of these", "these")),
        kinds => match schema["examples"][0].as_str().filter(|form| form.starts_with(|first: char| first.is_ascii_digit())) {
            Some(form) if kinds.contains(&"null") => format!("{form}|null"),
            Some(form) => form.to_owned(),
            None => kinds.join("|"),
        },
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
    use super::*;

    #[test]
    fn table_is_no_wider_than_the_terminal_and_breaks_no_word() {
        let rows =
            [vec!["addDeal".to_owned(), "Add a deal with all that belongs to it".to_owned()], vec!["Łódź".to_owned(), "x".to_owned()]];
        let narrow = align_within(&["KEY", "DESCRIPTION"], &rows, 34);
        let narrow = anstream::adapter::strip_str(&narrow).to_string();
        assert_eq!(narrow, "KEY      DESCRIPTION\naddDeal  Add a deal with all that\n         belongs to it\nŁódź     x\n");
        let tiny = align_within(&["KEY", "DESCRIPTION"], &rows, 20);
        assert!(tiny.contains("Add a deal with all that belongs to it\n"), "{tiny}");
    }

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
}
