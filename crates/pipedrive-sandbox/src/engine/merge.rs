//! Merges of two records of one kind: the first goes into the second, whose values win.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection};
use crate::engine::envelope::wrap;
use crate::engine::read::shape_data;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::Record;

pub(crate) fn merge(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let (from, into) = (call.id(), call.body.get("merge_with_id").and_then(Value::as_u64).unwrap_or(0));
    if from == into {
        return Err(Failure::invalid("merge_with_id", "a record cannot be merged with itself"));
    }
    let live = |id: u64| state.get_live(collection.name, id).cloned().ok_or_else(|| Failure::not_found(collection.label));
    let (mut merged, mut survivor) = (live(from)?, live(into)?);
    for (name, value) in &merged {
        if !collection.not_merged.contains(&name.as_str()) {
            fill(&mut survivor, name, value);
        }
    }
    survivor.insert("update_time".to_owned(), stamp(call.now).into());
    mark_deleted(&mut merged, call);
    state.put(collection.name, merged);
    state.put(collection.name, survivor.clone());
    move_links(state, call, collection, from, into);
    for links in call.tables.collections().filter(|other| other.is_link_table) {
        drop_doubles(state, call, links);
    }
    (collection.after_merge)(state, call, from, into);
    let survivor = state.get(collection.name, into).unwrap_or(&survivor);
    let mut data = shape_data(state, call, collection, survivor);
    if call.shape(&["data"]).is_some_and(|shape| shape.property("merge_what_id").is_some()) {
        data["merge_what_id"] = json!(from);
    }
    Ok(wrap(data))
}

/// Gives the survivor a value that it lacks, or the entries that its list or its custom fields lack.
fn fill(survivor: &mut Record, name: &str, value: &Value) {
    match (survivor.get_mut(name), value) {
        (None, value) => {
            survivor.insert(name.to_owned(), value.clone());
        }
        (Some(Value::Array(kept)), Value::Array(more)) => {
            let key = |entry: &Value| entry.get("value").unwrap_or(entry).clone();
            for entry in more {
                if !kept.iter().any(|k| key(k) == key(entry)) {
                    let is_first = kept.is_empty();
                    let mut entry = entry.clone();
                    if let Some(primary) = entry.get_mut("primary") {
                        *primary = Value::Bool(is_first);
                    }
                    kept.push(entry);
                }
            }
        }
        (Some(Value::Object(kept)), Value::Object(more)) if name == "custom_fields" => {
            for (key, value) in more {
                kept.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        _ => {}
    }
}

/// Makes every record that points to the merged one point to the survivor.
fn move_links(state: &mut State, call: &Call, target: &Collection, from: u64, into: u64) {
    for other in call.tables.collections() {
        for (field, _) in other.links.iter().filter(|(_, table)| *table == target.name) {
            let points = |row: &Record| row.get(*field).and_then(Value::as_u64) == Some(from);
            state.change(other.name, points, |row| {
                row.insert((*field).to_owned(), into.into());
            });
        }
    }
}

/// Drops the later of two links between the same records, as both merged records may have had one.
fn drop_doubles(state: &mut State, call: &Call, links: &Collection) {
    let ends = |row: &Record| links.links.iter().map(|(field, _)| row.get(*field).cloned()).collect::<Vec<_>>();
    let mut seen = Vec::new();
    let mut doubles = Vec::new();
    for row in state.live(links.name) {
        if seen.contains(&ends(row)) { doubles.push(row.clone()) } else { seen.push(ends(row)) }
    }
    for mut row in doubles {
        mark_deleted(&mut row, call);
        state.put(links.name, row);
    }
}
