//! JSON Schemas (2020-12) of inputs and answers.

use serde_json::{Map, Value, json};

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place};
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, Mode, Schemas};

/// Builds the published schema of an action's input: strict, in the order of the declaration.
pub(crate) fn build_input(declaration: &Declaration) -> Value {
    if declaration.removed.is_some() {
        // An old workflow may give any input: the error says that the action was removed.
        return json!({"type": "object", "properties": {}});
    }
    let mut schema = build_fields(declaration.fields());
    for rule in declaration.rules() {
        let (word, value) = publish_rule(rule);
        if schema.get(word).is_none() {
            schema[word] = value;
        } else {
            // The schema has this keyword already, so both go into `allOf`.
            let mut all = schema["allOf"].as_array().cloned().unwrap_or_default();
            all.push(json!({word: value}));
            schema["allOf"] = all.into();
        }
    }
    schema
}

/// Builds the schema of some inputs, without the rules between them, which `Rule` checks.
pub(crate) fn build_fields<'a>(fields: impl Iterator<Item = &'a Field>) -> Value {
    let mut schemas = Schemas::new(Mode::Input);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut property = (field.shape.schema)(&mut schemas);
        property["title"] = write_title(field.name).into();
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

/// Builds the schema of an answer.
pub(crate) fn build_output(returns: &FieldShape) -> Value {
    let mut schemas = Schemas::new(Mode::Output);
    let schema = (returns.schema)(&mut schemas);
    schemas.finish(schema)
}

fn publish_rule(rule: &Rule) -> (&'static str, Value) {
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

/// Writes a name as a title: `dealId` becomes `Deal ID`.
fn write_title(name: &str) -> String {
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
