//! What v1 puts beside its records: a few fields of those that they point to, by kind and id.

use serde_json::Value;

use crate::answer::{Call, nested};
use crate::collections::{Collection, collection};
use crate::engine::state::State;
use crate::facts::api::{Schema, api};
use crate::value::record::{Record, id_of};

/// The name of each kind, and its collection.
const KINDS: &[(&str, &str)] =
    &[("user", "users"), ("deal", "deals"), ("person", "persons"), ("organization", "organizations"), ("stage", "stages")];

/// Adds to an answer what its records point to, where the document has it.
pub(crate) fn beside(state: &State, call: &Call, at: &Collection, rows: &[&Record], mut body: Value) -> Value {
    let links = rows.iter().flat_map(|row| at.links.iter().filter_map(|(field, table)| Some((*table, state.linked(row, field, table)?))));
    if let Some(related) = objects(state, call, links) {
        body["related_objects"] = related;
    }
    body
}

/// Records with the names of their tables, in the form of `related_objects`; none where the operation documents none.
pub(crate) fn objects<'a>(state: &State, call: &Call, records: impl Iterator<Item = (&'static str, &'a Record)>) -> Option<Value> {
    let shape = call.shape(&["related_objects"])?;
    let mut out = Record::new();
    for (table, row) in records {
        let shown = KINDS.iter().find(|(_, of)| *of == table).and_then(|(kind, _)| Some((kind, shape.property(kind)?)));
        if let (Some((kind, shape)), Some(at), Some(id)) = (shown, collection(table), id_of(row)) {
            let entries = out.entry(*kind).or_insert_with(|| Value::Object(Record::new()));
            entries[id.to_string()] = nested(state, call, at, row, entry(shape));
        }
    }
    Some(out.into())
}

/// The documents mostly name the id under which an entry stands, such as `USER_ID`; a few have the entry alone.
fn entry(shape: &'static Schema) -> &'static Schema {
    let shape = api().resolve(shape);
    match shape.properties.as_slice() {
        [(id, entry)] if id.ends_with("_ID") => api().resolve(entry),
        _ => shape,
    }
}
