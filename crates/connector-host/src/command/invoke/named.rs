//! Inputs by name on the command line: `NAME=TEXT` and `NAME:=JSON`.

use connector_core::run::Invocation;
use connector_core::wording::shorten;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::terminal::failure::Failure;
use crate::terminal::schema::{has_type, resolve};

/// The characters of an argument that a message quotes.
const QUOTED: usize = 60;

/// An input that one argument gives.
#[derive(Debug)]
pub(super) struct NamedInput<'a> {
    argument: &'a str,
    /// The name of the input, and of the member within it.
    path: Vec<String>,
    given: Given<'a>,
}

#[derive(Debug)]
enum Given<'a> {
    Text(&'a str),
    Json(&'a str),
}

/// Finds an input by name where another argument is expected: neither JSON nor a key looks like one.
pub(super) fn find_named(argument: &str) -> Option<&str> {
    let name = argument.split('=').next()?.trim_end_matches(':');
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(char::is_whitespace);
    (is_name && argument.contains('=')).then_some(argument)
}

impl<'a> NamedInput<'a> {
    /// Reads the arguments. None may be given twice, nor whole and in part.
    pub(super) fn read_all(arguments: &'a [String], schema: &Value) -> Result<Vec<Self>, Failure> {
        let inputs: Vec<Self> = arguments.iter().map(|argument| Self::read(argument, schema)).collect::<Result<_, _>>()?;
        for (at, input) in inputs.iter().enumerate() {
            let Some(other) = inputs[..at].iter().find(|other| other.path.starts_with(&input.path) || input.path.starts_with(&other.path))
            else {
                continue;
            };
            let (name, other_name) = (input.path.join("."), other.path.join("."));
            return Err(Failure::usage(if name == other_name {
                format!("{name} is given twice: {} and {}", shorten(other.argument, QUOTED), shorten(input.argument, QUOTED))
            } else {
                format!("{other_name} and {name} are both given, and one is a part of the other: give either")
            }));
        }
        Ok(inputs)
    }

    fn read(argument: &'a str, schema: &Value) -> Result<Self, Failure> {
        let shown = shorten(argument, QUOTED);
        let Some((name, value)) = argument.split_once('=') else {
            // `title: Rocket` names its input, and a value alone is that of the one input that is required.
            let written = argument.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace));
            let only = schema["required"].as_array().filter(|names| names.len() == 1).and_then(|names| names[0].as_str());
            return Err(Failure::usage(match only {
                _ if argument.starts_with(['{', '[']) => format!("{shown}: JSON of the whole input stands after --input"),
                _ if let Some((name, value)) = written => format!("{shown}: write an input as NAME=TEXT, as {name}={}", value.trim()),
                Some(name) => format!("{shown}: write an input as NAME=TEXT, as {name}={shown}, or as NAME:=JSON"),
                None => format!("{shown}: write an input as NAME=TEXT, or as NAME:=JSON"),
            }));
        };
        let (name, given) = match name.strip_suffix(':') {
            Some(name) => (name, Given::Json(value)),
            None => (name, Given::Text(value)),
        };
        let path = split_path(name);
        if path.iter().any(String::is_empty) {
            return Err(Failure::usage(format!("{shown}: a name is missing: write NAME=TEXT, or OBJECT.MEMBER=TEXT")));
        }
        Ok(Self { argument, path, given })
    }

    /// Sets the input in an invocation of an action that has this schema.
    pub(super) fn overlay(&self, invocation: Invocation, schema: &Value) -> Result<Invocation, Failure> {
        let name = self.path.join(".");
        match self.given {
            Given::Text(text) => Ok(invocation.overlay(&self.path, self.read_text(text, schema)?)?),
            Given::Json(json) => {
                if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
                    let (shown, text) = (shorten(self.argument, QUOTED), shorten(json, QUOTED));
                    return Err(Failure::usage(format!("{shown}: what follows := is not JSON ({error}): for a text, write {name}={text}")));
                }
                Ok(invocation.overlay_json(&self.path, json.as_bytes())?)
            }
        }
    }

    /// Reads what an input takes from a text. Numbers, booleans and times are read with those of all other inputs.
    fn read_text(&self, text: &str, schema: &Value) -> Result<Value, Failure> {
        let Some(found) = find_schema(schema, &self.path) else { return Ok(text.into()) };
        let name = self.path.join(".");
        let needs_json =
            |what: &str, ways: &str| Failure::usage(format!("{}: {name} takes {what}: write {ways}", shorten(self.argument, QUOTED)));
        if has_type(found, "object") {
            return Err(needs_json("an object", &format!("{name}.MEMBER=TEXT, or {name}:={{\"member\": …}}")));
        }
        if !has_type(found, "array") {
            return Ok(text.into());
        }
        if has_type(resolve(&found["items"], schema), "object") {
            return Err(needs_json("a list of objects", &format!("{name}:=[{{…}}]")));
        }
        let items = text.split(',').map(str::trim).filter(|_| !text.is_empty());
        Ok(items.map(Value::from).collect())
    }
}

/// Splits a name at its dots. One after a backslash is part of a name.
fn split_path(name: &str) -> Vec<String> {
    let (mut path, mut last) = (Vec::new(), String::new());
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => path.push(std::mem::take(&mut last)),
            '\\' if letters.peek() == Some(&'.') => last.extend(letters.next()),
            letter => last.push(letter),
        }
    }
    path.push(last);
    path
}

/// Finds the schema of an input, or of a member within it. What it does not describe has none.
fn find_schema<'a>(root: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut schema = root;
    for name in path {
        let is_change = has_type(schema, "array") && matches!(name.as_str(), "add" | "remove");
        // A change to a list takes what the list takes.
        schema = if is_change { schema } else { resolve(schema["properties"].get(name)?, root) };
    }
    Some(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "properties": {
                "title": {"type": "string"},
                "count": {"type": ["integer", "null"]},
                "labels": {"type": "array", "items": {"type": "integer"}},
                "emails": {"type": "array", "items": {"$ref": "#/$defs/Email"}},
                "address": {"$ref": "#/$defs/Address"},
                "fields": {"type": "object", "additionalProperties": true},
            },
            "$defs": {
                "Email": {"type": "object", "properties": {"value": {"type": "string"}}},
                "Address": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        })
    }

    fn read(arguments: &[&str]) -> Result<Value, String> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let inputs = NamedInput::read_all(&arguments, &schema()).map_err(|failure| failure.message().to_owned())?;
        let mut invocation = Invocation::new("addThing");
        for input in inputs {
            invocation = input.overlay(invocation, &schema()).map_err(|failure| failure.message().to_owned())?;
        }
        Ok(invocation.input.into())
    }

    #[test]
    fn reads_texts_lists_members_and_json() {
        for (argument, expected) in [
            ("title=a=b, c", json!({"title": "a=b, c"})),
            ("title=", json!({"title": ""})),
            ("count=3", json!({"count": "3"})),
            ("count:=null", json!({"count": null})),
            ("labels=Hot, 7", json!({"labels": ["Hot", "7"]})),
            ("labels=", json!({"labels": []})),
            ("labels.add=Hot,Warm", json!({"labels": {"add": ["Hot", "Warm"]}})),
            ("labels:=[1]", json!({"labels": [1]})),
            ("address.city=Tartu", json!({"address": {"city": "Tartu"}})),
            ("fields.Size=L,XL", json!({"fields": {"Size": "L,XL"}})),
            (r"fields.Rev\. 1:=2.50", json!({"fields": {"Rev. 1": 2.5}})),
            ("count.name=Ann", json!({"count": {"name": "Ann"}})),
            ("other=x", json!({"other": "x"})),
        ] {
            assert_eq!(read(&[argument]), Ok(expected), "{argument}");
        }
        assert_eq!(read(&["fields.A=1", "fields.B=2"]), Ok(json!({"fields": {"A": "1", "B": "2"}})));
    }

    #[test]
    fn message_says_how_to_write_what_is_wrong() {
        for (arguments, words) in [
            (&["title=a", "title=b"][..], "title is given twice: title=a and title=b"),
            (&["fields:={}", "fields.A=1"], "one is a part of the other"),
            (&["title"], "NAME=TEXT"),
            (&["{\"title\": 1}"], "after --input"),
            (&["title: Rocket"], "as title=Rocket"),
            (&["=x"], "a name is missing"),
            (&["fields.=x"], "a name is missing"),
            (&["title:=Rocket"], "for a text, write title=Rocket"),
            (&["address=Tartu"], "address.MEMBER=TEXT"),
            (&["emails=a@b.example"], "emails:=[{…}]"),
        ] {
            let message = read(arguments).expect_err("it is wrong");
            assert!(message.contains(words), "{arguments:?}: {message}");
        }
    }

    #[test]
    fn tells_an_input_by_name_from_json_and_from_keys() {
        for (argument, is_named) in
            [("title=x", true), ("a.b:=1", true), ("addDeal", false), ("acme/addDeal", false), ("{\"a\": \"b=c\"}", false), ("@a=b", false)]
        {
            assert_eq!(find_named(argument).is_some(), is_named, "{argument}");
        }
    }
}
