//! A record: the fields of one object as JSON, and what can be read from them.

use serde_json::{Map, Value};

/// A record as it is kept and as a body brings it.
pub(crate) type Record = Map<String, Value>;

/// The field of the id that a record shows where that is no number.
pub(crate) const UUID: &str = "uuid";

pub(crate) fn id_of(row: &Record) -> Option<u64> {
    row.get("id")?.as_u64()
}

/// That by which others point to a record: its UUID where it has one, else its id.
pub(crate) fn handle(row: &Record) -> Option<&Value> {
    row.get(UUID).or_else(|| row.get("id"))
}

pub(crate) fn is_deleted(row: &Record) -> bool {
    row.get("is_deleted").and_then(Value::as_bool).unwrap_or(false)
}

pub(crate) fn text<'a>(row: &'a Record, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn flag(row: &Record, name: &str) -> bool {
    row.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A scalar as text, a string without its quotes.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A part of a field that is an object; null if there is none.
pub(crate) fn read_part(row: &Record, field: &str, name: &str) -> Value {
    row.get(field).and_then(|whole| whole.get(name)).cloned().unwrap_or_default()
}
