//! The shape that the document gives to a record in an answer.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, V1};
use crate::engine::fields;
use crate::engine::state::State;
use crate::facts::api::{Kind, Schema, Version, api};
use crate::value::clock;
use crate::value::record::{Record, read_handle, to_text};

/// Writes a record in an answer's shape.
/// A field without a value is null if the document allows it, else left out.
pub(crate) fn shape_record(state: &State, call: &Call, collection: &Collection, row: &Record, shape: &Schema) -> Value {
    let version = call.operation.version();
    let included = call.tokens("include_fields").unwrap_or_default();
    let mut out = Record::with_capacity(shape.properties.len());
    for (name, schema) in &shape.properties {
        let schema = api().resolve(schema);
        if call.operation.includable.contains(name) && !included.contains(&name.as_str()) {
            continue;
        }
        let value = match name.as_str() {
            "custom_fields" => Some(list_custom_fields(state, call, collection, row)),
            _ => find_value(state, call, collection, row, name, schema).and_then(|value| convert(value, schema, version)),
        };
        match value {
            Some(value) => {
                out.insert(name.clone(), value);
            }
            None if schema.nullable || schema.kind.is_none() => {
                out.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
    for name in included.into_iter().filter(|name| shape.property(name).is_none()) {
        out.insert(name.to_owned(), find_kept_or_derived(state, collection, row, name).unwrap_or_default());
    }
    if shape.property("add_time").is_some() {
        match version {
            Version::V2 => add_further_fields(state, call, collection, row, &mut out),
            Version::V1 => add_flat_custom_fields(state, collection, row, &mut out),
        }
    }
    Value::Object(out)
}

/// Writes the few fields of a record that another record shows, in their documented shape.
pub(crate) fn shape_nested(state: &State, call: &Call, collection: &Collection, row: &Record, shape: &Schema) -> Value {
    let fields = shape.properties.iter().filter_map(|(name, schema)| {
        let schema = api().resolve(schema);
        let value = match find_value(state, call, collection, row, name, schema) {
            // v1 gives the record's id under this name.
            None if name == "value" => read_handle(row).cloned(),
            value => value,
        };
        let value = value.and_then(|value| convert(value, schema, call.operation.version()));
        Some((name.clone(), value.or_else(|| schema.nullable.then_some(Value::Null))?))
    });
    Value::Object(fields.collect())
}

fn find_value(state: &State, call: &Call, collection: &Collection, row: &Record, name: &str, shape: &Schema) -> Option<Value> {
    let rules = if call.operation.version() == Version::V1 { collection.v1 } else { &[] };
    match rules.iter().find(|(ruled, _)| *ruled == name).map(|(_, rule)| rule) {
        Some(V1::From(other)) => find_linked_or_own(state, call, collection, row, other, shape),
        Some(V1::Not(other)) => Some(Value::Bool(!row.get(*other).and_then(Value::as_bool).unwrap_or(false))),
        Some(V1::Mapped(others)) => {
            let kept = row.get(name)?;
            let other = others.iter().find(|(word, _)| kept.as_str() == Some(word) && !shape.values.contains(kept));
            Some(other.map_or_else(|| kept.clone(), |(_, other)| Value::from(*other)))
        }
        Some(V1::TimeWithMilliseconds(other)) => row.get(*other)?.as_str().map(|time| clock::format_with_milliseconds(time).into()),
        Some(V1::Computed(make)) => Some(make(state, row)).filter(|value| !value.is_null()),
        Some(V1::ComputedForCall(make)) => Some(make(state, call, row)).filter(|value| !value.is_null()),
        Some(V1::Linked(field, table)) => {
            let linked = state.find_linked(row, field, table)?;
            Some(shape_nested(state, call, call.tables.find(table)?, linked, shape))
        }
        None => find_linked_or_own(state, call, collection, row, name, shape),
    }
}

/// Finds a field's value, or the record to which it points if the document has an object.
fn find_linked_or_own(state: &State, call: &Call, at: &Collection, row: &Record, field: &str, shape: &Schema) -> Option<Value> {
    let link = at.links.iter().find(|(name, _)| *name == field).filter(|_| shape.kind == Some(Kind::Object));
    match link {
        Some((_, table)) => Some(shape_nested(state, call, call.tables.find(table)?, state.find_linked(row, field, table)?, shape)),
        None => find_kept_or_derived(state, at, row, field),
    }
}

fn find_kept_or_derived(state: &State, collection: &Collection, row: &Record, name: &str) -> Option<Value> {
    match row.get(name) {
        Some(value) => Some(value.clone()),
        None if name == "is_deleted" => Some(Value::Bool(false)),
        None => (collection.derive)(state, collection, row, name),
    }
}

/// Converts a value to its documented type. v1 writes numbers as text, and lists with commas.
fn convert(value: Value, schema: &Schema, version: Version) -> Option<Value> {
    Some(match (schema.kind, value) {
        (_, Value::Null) => return None,
        (Some(Kind::String), Value::Array(items)) if items.is_empty() => return None,
        (Some(Kind::String), Value::Array(items)) => items.iter().map(to_text).collect::<Vec<_>>().join(",").into(),
        (Some(Kind::String), Value::Object(mut whole)) if version == Version::V1 => whole.shift_remove("value")?,
        (Some(Kind::String), Value::String(text)) if version == Version::V1 => clock::format_v1_time(&text).into(),
        (Some(Kind::String), other) if !other.is_string() => to_text(&other).into(),
        (Some(Kind::Integer), Value::Array(items)) => items.into_iter().next()?,
        (Some(Kind::Integer), Value::Number(n)) if !n.is_i64() && !n.is_u64() => {
            #[expect(clippy::cast_possible_truncation, reason = "the document promises an integer; the nearest will do")]
            let nearest = n.as_f64()?.round() as i64;
            nearest.into()
        }
        (_, other) => other,
    })
}

/// Adds the fields of a v2 record that its schema leaves out.
fn add_further_fields(state: &State, call: &Call, collection: &Collection, row: &Record, out: &mut Record) {
    for name in collection.further_fields {
        out.insert((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
    }
    if call.asks_for("include_labels") {
        let ids = row.get("label_ids").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let field = fields::find(state, &collection.fields, "label_ids");
        let labels = field.map(|field| ids.iter().map(|id| fields::label_option(field, id)).collect());
        out.insert("labels".to_owned(), labels.unwrap_or_else(|| json!([])));
    }
}

fn list_custom_fields(state: &State, call: &Call, collection: &Collection, row: &Record) -> Value {
    let only = call.tokens("custom_fields");
    let kept = row.get("custom_fields");
    let wanted = fields::list_custom(state, &collection.fields).filter(|f| only.as_ref().is_none_or(|o| o.contains(&fields::read_code(f))));
    wanted
        .map(|field| {
            let code = fields::read_code(field);
            let value = kept.and_then(|values| values.get(code));
            (code.to_owned(), fields::answer_v2(field, value, call.asks_for("include_option_labels")))
        })
        .collect::<Record>()
        .into()
}

fn add_flat_custom_fields(state: &State, collection: &Collection, row: &Record, out: &mut Record) {
    let kept = row.get("custom_fields");
    for field in fields::list_custom(state, &collection.fields) {
        let value = kept.and_then(|values| values.get(fields::read_code(field)));
        if value.is_some() || collection.fields.shows_empty {
            fields::answer_v1(field, value, out);
        }
    }
}
