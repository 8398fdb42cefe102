//! Records, and functions that read their fields.

use serde_json::{Map, Value};

/// The fields of one object, as they are stored or as a request's body brings them.
pub(crate) type Record = Map<String, Value>;

/// The field with the id of a record whose shown id is no number.
pub(crate) const UUID: &str = "uuid";

pub(crate) fn read_id(row: &Record) -> Option<u64> {
    row.get("id")?.as_u64()
}

/// Reads the value by which other records point to this one: its UUID if it has one, else its id.
pub(crate) fn read_handle(row: &Record) -> Option<&Value> {
    row.get(UUID).or_else(|| row.get("id"))
}

pub(crate) fn is_deleted(row: &Record) -> bool {
    row.get("is_deleted").and_then(Value::as_bool).unwrap_or(false)
}

pub(crate) fn read_text<'a>(row: &'a Record, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn read_flag(row: &Record, name: &str) -> bool {
    row.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// Writes a scalar as text, a string without its quotes.
pub(crate) fn to_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads a part of a field that is an object, or null if there is none.
pub(crate) fn read_part(row: &Record, field: &str, name: &str) -> Value {
    row.get(field).and_then(|whole| whole.get(name)).cloned().unwrap_or_default()
}
