//! The account's own form: the custom fields of an account, typed into the schema of an input.

use serde_json::{Map, Value, json};

use crate::declare::fields::{AccountField, FieldKind, FieldLayout, FieldOption, Naming};
use crate::exchange::fields::set::{FieldSet, write_id};

/// Types the fields of an account into the schema of an input that takes their values or their keys.
pub(crate) fn type_input(set: &FieldSet, naming: Naming, property: &mut Value) {
    match naming {
        Naming::Values(_, layout) => {
            property["properties"] = set.list_custom().map(|field| (field.code.clone(), write_field(field, layout))).collect();
            property["additionalProperties"] = false.into();
            if let Some(property) = property.as_object_mut() {
                property.shift_remove("patternProperties");
            }
        }
        Naming::Keys(_) => {
            let keys: Vec<Value> = set.list_custom().map(|field| json!({"const": field.code, "title": field.name})).collect();
            let taken = if property.get("items").is_some() { &mut property["items"] } else { property };
            // A schema that nothing fits would be no form.
            if !keys.is_empty() {
                taken["anyOf"] = keys.into();
            }
        }
        // Which fields of every account fit is the action's own.
        Naming::Pair(..) => {}
    }
}

/// Writes the schema of a field's values. Null clears each.
fn write_field(field: &AccountField, layout: FieldLayout) -> Value {
    let mut schema = match field.kind {
        FieldKind::Text { most } => json!({"type": ["string", "null"], "maxLength": most}),
        FieldKind::Phone => json!({"type": ["string", "null"], "maxLength": 255}),
        FieldKind::Number => json!({"type": ["number", "null"]}),
        FieldKind::Date => {
            let mut day = write_day();
            day["type"] = json!(["string", "null"]);
            day
        }
        FieldKind::Option => write_options(&field.options, layout, &[json!({"type": "null"})]),
        FieldKind::Options => {
            let mut list = json!({"type": ["array", "null"], "uniqueItems": true});
            list["items"] = write_options(&field.options, layout, &[]);
            list
        }
        FieldKind::Reference(source) => json!({"type": ["integer", "null"], "minimum": 1, "x-source": source}),
        FieldKind::Money => write_parts(field, 2, &[json!({"type": "number"}), write_currency()]),
        FieldKind::Time => write_parts(field, 1, &[write_clock(), json!({"type": "integer"}), json!({"type": "string"})]),
        FieldKind::TimeRange => {
            write_parts(field, 2, &[write_clock(), write_clock(), json!({"type": "integer"}), json!({"type": "string"})])
        }
        FieldKind::DateRange => write_parts(field, 2, &[write_day(), write_day()]),
        FieldKind::Address => write_parts(field, 1, &[json!({"type": "string"})]),
        FieldKind::Other => json!({}),
    };
    schema["title"] = field.name.clone().into();
    if field.is_required {
        schema["x-required-in-app"] = true.into();
    }
    if field.is_important {
        schema["x-important-in-app"] = true.into();
    }
    schema
}

/// Writes the options to choose from. Beside the members of a record an ID travels as a text.
fn write_options(options: &[FieldOption], layout: FieldLayout, others: &[Value]) -> Value {
    let id = |option: &FieldOption| match layout {
        FieldLayout::Nested => option.id.clone(),
        FieldLayout::Beside => write_id(&option.id).into(),
    };
    let mut choices: Vec<Value> = options.iter().map(|option| json!({"const": id(option), "title": option.label})).collect();
    choices.extend_from_slice(others);
    // A list of alternatives must have one.
    if choices.is_empty() { json!({"not": {}}) } else { json!({"anyOf": choices}) }
}

/// Writes an object of parts, of which the first are required.
fn write_parts(field: &AccountField, required: usize, kinds: &[Value]) -> Value {
    let kind = |at: usize| kinds.get(at).or(kinds.last()).cloned().unwrap_or_default();
    let parts = field.parts.iter().enumerate().map(|(at, part)| {
        let mut schema = kind(at);
        if at >= required
            && let Some(word) = schema["type"].as_str().map(str::to_owned)
        {
            schema["type"] = json!([word, "null"]);
        }
        ((*part).to_owned(), schema)
    });
    let properties: Map<String, Value> = parts.collect();
    let required: Vec<&str> = field.parts.iter().take(required).copied().collect();
    json!({"type": ["object", "null"], "required": required, "additionalProperties": false, "properties": properties})
}

fn write_day() -> Value {
    json!({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$", "examples": ["2026-01-31"]})
}

fn write_clock() -> Value {
    json!({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["09:30"]})
}

fn write_currency() -> Value {
    json!({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]})
}
