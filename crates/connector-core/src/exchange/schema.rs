//! JSON Schemas (2020-12) of inputs and answers.

use serde_json::{Map, Value, json};

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place, SourceInput};
use crate::declare::fields::FieldsOf;
use crate::declare::rule::Rule;
use crate::declare::shape::{FLAT_RULES, FieldShape, Mode, Schemas, find_records};

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
            _ if field.instead_of.is_some() => None,
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
            if !field.accepts.is_empty() {
                property["x-accepts"] = field.accepts.into();
            }
            publish_source_inputs(field, &mut property);
        }
        if let Some(date) = field.time_of {
            property["x-time-of"] = date.into();
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

/// Publishes which inputs of the data source take the value of another input, and which take a text of ours.
fn publish_source_inputs(field: &Field, property: &mut Value) {
    for (name, given) in field.source_inputs {
        match given {
            SourceInput::Input(input) => property["x-source-inputs"][name] = (*input).into(),
            SourceInput::Text(text) => property["x-source-values"][name] = (*text).into(),
        }
    }
}

/// Builds the schema of an answer.
pub(crate) fn build_output(returns: &FieldShape) -> Value {
    let mut schemas = Schemas::new(Mode::Output);
    let schema = (returns.schema)(&mut schemas);
    schemas.finish(schema)
}

/// Builds the schema of an answer, and lists the definitions of the custom fields in it.
pub(crate) fn build_output_with_fields(returns: &FieldShape) -> (Value, Vec<&'static FieldsOf>) {
    let mut schemas = Schemas::new(Mode::Output);
    let schema = (returns.schema)(&mut schemas);
    let fields = schemas.fields().to_vec();
    (schemas.finish(schema), fields)
}

/// Builds the schema of an answer with the members of these names alone, at whatever depth they stand.
pub(crate) fn build_members(returns: &FieldShape, names: &[&str]) -> Value {
    let mut schemas = Schemas::for_members(names);
    let schema = (returns.schema)(&mut schemas);
    schemas.finish(schema)
}

/// Builds the schema of an answer's records in the flat view, with the rules by which they get there.
pub(crate) fn build_flat_record(declaration: &Declaration) -> Value {
    let mut schemas = Schemas::for_flat_view(&declaration.connector.flat);
    let schema = (declaration.returns.schema)(&mut schemas);
    schemas.finish(schema)
}

/// Builds the published schema of an answer in the flat view.
pub(crate) fn build_flat_output(declaration: &Declaration) -> Value {
    let mut schema = build_flat_record(declaration);
    if declaration.is_list() {
        schema = frame_list(&schema, declaration.envelope().search);
    }
    let defs = schema["$defs"].take();
    strip_rules(&mut schema);
    let mut kept = Map::new();
    keep_used(&schema, &defs, &mut kept);
    match (schema.as_object_mut(), kept.is_empty()) {
        (Some(schema), true) => drop(schema.shift_remove("$defs")),
        _ => schema["$defs"] = kept.into(),
    }
    schema
}

/// Frames the schema of a list: its records under `results`, and the page beside them.
fn frame_list(list: &Value, search: Option<(&str, &str)>) -> Value {
    let (items, item) = search.unwrap_or_default();
    let no_defs = Map::new();
    let defs = list["$defs"].as_object().unwrap_or(&no_defs);
    let found = &list["properties"][items]["items"];
    let record = match found.get("properties") {
        // A search result and its record become one.
        Some(members) => {
            let mut merged = members.as_object().cloned().unwrap_or_default();
            let record = merged.shift_remove(item).unwrap_or_default();
            for record in find_records(&record, defs) {
                merged.extend(record["properties"].as_object().cloned().unwrap_or_default());
            }
            json!({"type": "object", "description": found["description"], "properties": merged})
        }
        None => list["items"].clone(),
    };
    json!({
        "type": "object",
        "required": ["results", "hasMore", "nextCursor", "nextStart"],
        "properties": {
            "results": {"type": "array", "items": record, "description": "The records of the page."},
            "hasMore": {"type": "boolean", "description": "True if more records follow."},
            "nextCursor": {"type": ["string", "null"], "description": "The `cursor` of the next page."},
            "nextStart": {"type": ["integer", "null"], "description": "The `start` of the next page; only for a list that pages by a start."},
        },
        "$defs": list["$defs"],
    })
}

/// Takes the rules out of a schema, which are no part of JSON Schema.
fn strip_rules(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.shift_remove(FLAT_RULES);
            members.values_mut().for_each(strip_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_rules),
        _ => {}
    }
}

/// Copies the definitions that a schema refers to, directly or through others.
fn keep_used(schema: &Value, defs: &Value, kept: &mut Map<String, Value>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"));
            if let Some(name) = name.filter(|name| !kept.contains_key(*name)) {
                let mut used = defs[name].clone();
                strip_rules(&mut used);
                kept.insert(name.to_owned(), used.clone());
                keep_used(&used, defs, kept);
            }
            members.values().for_each(|member| keep_used(member, defs, kept));
        }
        Value::Array(items) => items.iter().for_each(|item| keep_used(item, defs, kept)),
        _ => {}
    }
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
