//! Fields and records to JSON Schema 2020-12, one way for inputs and one for what comes back.

use serde_json::{Map, Value, json};

use crate::action::{Declaration, Rule};
use crate::field::{Field, FieldShape, Place};
use crate::record::{Closed, Member};

/// Which side a schema describes: inputs are strict, answers are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Input,
    Output,
}

/// The schema under construction: records go into `$defs` by name, since a record may hold itself.
#[derive(Debug)]
pub struct Schemas {
    pub(crate) mode: Mode,
    defs: Map<String, Value>,
}

impl Schemas {
    fn new(mode: Mode) -> Self {
        Self { mode, defs: Map::new() }
    }

    /// A reference to the record `name`, which is added to `$defs` where it is not there yet.
    pub fn record(&mut self, name: &str, doc: &str, members: &[Member]) -> Value {
        if !self.defs.contains_key(name) {
            self.defs.insert(name.to_owned(), Value::Null);
            let schema = self.object(doc, members);
            self.defs.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    fn object(&mut self, doc: &str, members: &[Member]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in members {
            let mut schema = (member.shape.schema)(self);
            if member.shape.required {
                required.push(member.name);
            } else if self.mode == Mode::Output && !member.shape.nullable {
                schema = self.nullable(schema);
            }
            schema["description"] = member.doc.into();
            properties.insert(member.name.to_owned(), schema);
        }
        let mut object = json!({"type": "object", "description": doc, "properties": properties});
        if !required.is_empty() {
            object["required"] = required.into();
        }
        if self.mode == Mode::Input {
            object["additionalProperties"] = false.into();
        }
        object
    }

    /// A closed set: an enum of an input; of an answer only examples, since the vendor may add to it.
    pub fn closed(&mut self, values: &[Closed]) -> Value {
        let listed: Vec<Value> = values
            .iter()
            .map(|value| match value {
                Closed::Text(text) => (*text).into(),
                Closed::Number(number) => (*number).into(),
            })
            .collect();
        let kind = if matches!(values.first(), Some(Closed::Number(_))) { "integer" } else { "string" };
        let word = if self.mode == Mode::Input { "enum" } else { "examples" };
        json!({"type": kind, word: listed})
    }

    /// The same shape, or null.
    pub fn nullable(&mut self, mut schema: Value) -> Value {
        // Inlined, not `anyOf [ref, null]`: that would hide the path of a fault inside.
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            match &self.defs[name] {
                // The record is being built and holds itself.
                Value::Null => return json!({"anyOf": [schema, {"type": "null"}]}),
                known => schema = known.clone(),
            }
        }
        if let Some(either) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
            either.push(json!({"type": "null"}));
        }
        if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()) {
            schema["type"] = json!([kind, "null"]);
        }
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        schema
    }

    /// A text of one form, which is held for inputs and said for answers.
    pub(crate) fn formed(&mut self, format: &str, pattern: &str, example: &str) -> Value {
        match self.mode {
            Mode::Input => json!({"type": "string", "format": format, "pattern": pattern, "examples": [example]}),
            Mode::Output => json!({"type": "string", "examples": [example]}),
        }
    }

    fn finish(self, mut schema: Value) -> Value {
        if !self.defs.is_empty() {
            schema["$defs"] = self.defs.into();
        }
        schema
    }
}

/// The schema of an action's input as it is published: strict, in the order of the declaration.
pub(crate) fn input(declaration: &Declaration) -> Value {
    if declaration.removed.is_some() {
        // Whatever an old workflow gives, it is told that there is no such thing any more.
        return json!({"type": "object", "properties": {}});
    }
    let mut schema = fields(declaration.fields());
    for rule in declaration.rules() {
        let (word, value) = published(rule);
        if schema.get(word).is_none() {
            schema[word] = value;
        } else {
            // Two rules of one word stand side by side.
            let mut all = schema["allOf"].as_array().cloned().unwrap_or_default();
            all.push(json!({word: value}));
            schema["allOf"] = all.into();
        }
    }
    schema
}

/// The schema of some fields, without the rules between them, which [`crate::input`] checks with better words.
pub(crate) fn fields<'a>(fields: impl Iterator<Item = &'a Field>) -> Value {
    let mut schemas = Schemas::new(Mode::Input);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut property = (field.shape.schema)(&mut schemas);
        property["title"] = title(field.name).into();
        property["description"] = field.doc.into();
        let place = match field.place {
            Place::Path => Some("path"),
            Place::Query => Some("query"),
            Place::Body | Place::Form | Place::Multipart => Some("body"),
            Place::Flat | Place::Own => None,
        };
        if let Some(place) = place {
            property["x-wire"] = format!("{place}:{}", field.wire).into();
        }
        if let Some(source) = field.source {
            property["x-source"] = source.into();
        }
        if field.shape.required {
            required.push(field.name);
        }
        properties.insert(field.name.to_owned(), property);
    }
    let mut schema = json!({"type": "object"});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema["additionalProperties"] = false.into();
    schema["properties"] = properties.into();
    schemas.finish(schema)
}

/// The schema of what comes back.
pub(crate) fn output(returns: &FieldShape) -> Value {
    let mut schemas = Schemas::new(Mode::Output);
    let schema = (returns.schema)(&mut schemas);
    schemas.finish(schema)
}

fn published(rule: &Rule) -> (&'static str, Value) {
    let required = |names: &[&str]| json!({"required": names});
    match *rule {
        Rule::AnyOf(names) => ("anyOf", names.iter().map(|name| required(&[name])).collect()),
        Rule::AtMostOne(names) => {
            let pairs = names.iter().enumerate().flat_map(|(at, one)| names[at + 1..].iter().map(move |other| [*one, *other]));
            ("not", json!({"anyOf": pairs.map(|pair| required(&pair)).collect::<Vec<_>>()}))
        }
        Rule::Shortest { input, length, unless } => (
            "anyOf",
            json!([{"properties": {input: {"minLength": length}}}, {"required": [unless], "properties": {unless: {"const": true}}}]),
        ),
        Rule::OnlyWith { input, with, values, default } => {
            let mut beside = json!({"properties": {with: {"enum": values}}});
            if default.is_some() {
                beside["required"] = json!([with]);
            }
            ("anyOf", json!([{"properties": {input: {"type": "null"}}}, beside]))
        }
        Rule::RequiredWith { input, with, values } => {
            let set = json!({"required": [input], "properties": {input: {"not": {"type": "null"}}}});
            ("anyOf", json!([{"not": is_one_of(with, values)}, set]))
        }
        Rule::NotNullWith { input, with, values } => {
            let set = json!({"properties": {input: {"not": {"type": "null"}}}});
            ("anyOf", json!([{"not": is_one_of(with, values)}, set]))
        }
    }
}

fn is_one_of(name: &str, values: &[&str]) -> Value {
    json!({"required": [name], "properties": {name: {"enum": values}}})
}

/// `dealId` → `Deal ID`.
fn title(name: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for letter in name.chars() {
        if letter.is_uppercase() {
            words.push(String::new());
        }
        words.last_mut().expect("there is always a word").push(letter.to_ascii_lowercase());
    }
    let mut written: Vec<String> = words
        .into_iter()
        .map(|word| match word.as_str() {
            "id" => "ID".to_owned(),
            "ids" => "IDs".to_owned(),
            "json" => "JSON".to_owned(),
            _ => word,
        })
        .collect();
    if let Some(first) = written.first_mut() {
        first.replace_range(..1, &first[..1].to_uppercase());
    }
    written.join(" ")
}
