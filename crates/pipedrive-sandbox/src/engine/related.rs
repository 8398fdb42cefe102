//! The `related_objects` of v1: a few fields of the records to which an answer points, by kind and id.

use serde_json::Value;

use crate::engine::collection::{Call, Collection};
use crate::engine::shape::shape_nested;
use crate::engine::state::State;
use crate::facts::api::{Schema, api};
use crate::value::record::{Record, read_id};

/// Adds the records to which an answer's records point, if the operation documents them.
pub(crate) fn add_related(state: &State, call: &Call, at: &Collection, rows: &[&Record], mut body: Value) -> Value {
    let links =
        rows.iter().flat_map(|row| at.links.iter().filter_map(|(field, table)| Some((*table, state.find_linked(row, field, table)?))));
    if let Some(related) = list_related(state, call, links) {
        body["related_objects"] = related;
    }
    body
}

/// Writes records, each with its table's name, in the form of `related_objects`.
/// Returns none if the operation documents none.
pub(crate) fn list_related<'a>(state: &State, call: &Call, records: impl Iterator<Item = (&'static str, &'a Record)>) -> Option<Value> {
    let shape = call.shape(&["related_objects"])?;
    let mut out = Record::new();
    for (table, row) in records {
        let at = call.tables.find(table);
        let shown = at.and_then(|at| at.related_key).and_then(|kind| Some((kind, shape.property(kind)?)));
        if let (Some((kind, shape)), Some(at), Some(id)) = (shown, at, read_id(row)) {
            let entries = out.entry(kind).or_insert_with(|| Value::Object(Record::new()));
            entries[id.to_string()] = shape_nested(state, call, at, row, find_entry(shape));
        }
    }
    Some(out.into())
}

/// Finds the shape of an entry. Most documents have a placeholder such as `USER_ID` around it.
fn find_entry(shape: &'static Schema) -> &'static Schema {
    let shape = api().resolve(shape);
    match shape.properties.as_slice() {
        [(id, entry)] if id.ends_with("_ID") => api().resolve(entry),
        _ => shape,
    }
}
