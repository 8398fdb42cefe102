//! Creation, change and deletion of records, as their table's row says.

use http::StatusCode;
use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Draft, Preset};
use crate::engine::envelope::wrap;
use crate::engine::read::{find_named, shape_data};
use crate::engine::state::State;
use crate::engine::{changes, fields};
use crate::facts::api::Kind;
use crate::facts::validate::is_flat_key;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_handle, read_id, to_text};

pub(crate) fn create(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let id = add(state, call, collection)?;
    let row = state.get(collection.name, id).cloned().unwrap_or_default();
    Ok(wrap(shape_data(state, call, collection, &row)))
}

/// Stores a new record, and returns its id.
pub(crate) fn add(state: &mut State, call: &Call, collection: &Collection) -> Result<u64, Failure> {
    for name in collection.required {
        if call.body.get(*name).is_none_or(|v| v.as_str().is_none_or(|s| s.trim().is_empty())) {
            return Err(Failure::invalid(name, "is required"));
        }
    }
    collection.check_path(state, call)?;
    let mut row = Record::new();
    apply(state, call, collection, &mut row)?;
    if let Some((field, _)) = collection.within {
        row.insert(field.to_owned(), call.id().into());
    }
    for (name, preset) in collection.defaults {
        if !row.contains_key(*name) {
            row.insert((*name).to_owned(), find_default(state, call, collection, &row, preset));
        }
    }
    let now = stamp(call.now);
    row.entry("add_time").or_insert_with(|| now.clone().into());
    row.insert("update_time".to_owned(), now.into());
    row.entry("is_deleted").or_insert(Value::Bool(false));
    let row = check(state, call, collection, None, row)?;
    let id = state.insert(collection.name, row);
    let row = state.get(collection.name, id).cloned().unwrap_or_default();
    (collection.after_write)(state, call, None, &row);
    Ok(id)
}

pub(crate) fn update(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    collection.check_path(state, call)?;
    let before = find_named(state, call, collection).cloned().ok_or_else(|| Failure::not_found(collection.label))?;
    let undone = |flag: &str| call.body.get(flag) == Some(&Value::Bool(false));
    if is_deleted(&before) && !undone("is_deleted") {
        return Err(Failure::not_found(collection.label));
    }
    if before.get("is_archived") == Some(&Value::Bool(true)) && !undone("is_archived") {
        return Err(Failure::invalid("is_archived", "an archived record must be unarchived before it can be changed"));
    }
    let mut row = before.clone();
    apply(state, call, collection, &mut row)?;
    row.insert("update_time".to_owned(), stamp(call.now).into());
    let row = check(state, call, collection, Some(&before), row)?;
    state.put(collection.name, row.clone());
    changes::remember(state, call, collection, &before, &row);
    (collection.after_write)(state, call, Some(&before), &row);
    // Read again, as the hooks may have changed it.
    let row = read_id(&row).and_then(|id| state.get(collection.name, id)).unwrap_or(&row);
    Ok(wrap(shape_data(state, call, collection, row)))
}

pub(crate) fn delete(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    collection.check_path(state, call)?;
    let row = find_named(state, call, collection).ok_or_else(|| call.refuse_missing(collection.label))?;
    fields::check_custom(row)?;
    let id = read_id(row).unwrap_or(0);
    let row = remove(state, call, collection, id).ok_or_else(|| call.refuse_missing(collection.label))?;
    let shape = call.shape(&["data"]);
    Ok(wrap(match shape {
        Some(shape) if shape.kind == Some(Kind::Boolean) => Value::Bool(true),
        Some(shape) if shape.property("id").is_none() || shape.properties.len() > 1 => shape_data(state, call, collection, &row),
        _ => json!({ "id": read_handle(&row) }),
    }))
}

/// Deletes the records that exist and may be deleted. The answer leaves out the ids of others.
#[expect(clippy::unnecessary_wraps, reason = "a verb like the others")]
pub(crate) fn delete_many(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let ids: Vec<u64> = call.ids("ids").unwrap_or_default();
    let may = |state: &State, id: u64| state.get(collection.name, id).is_some_and(|row| fields::check_custom(row).is_ok());
    let removed: Vec<u64> = ids.into_iter().filter(|id| may(state, *id) && remove(state, call, collection, *id).is_some()).collect();
    Ok(wrap(json!({ "id": removed })))
}

pub(crate) fn remove(state: &mut State, call: &Call, collection: &Collection, id: u64) -> Option<Record> {
    let before = state.get_live(collection.name, id)?.clone();
    let mut row = before.clone();
    mark_deleted(&mut row, call);
    state.put(collection.name, row.clone());
    changes::remember(state, call, collection, &before, &row);
    (collection.after_write)(state, call, Some(&before), &row);
    Some(row)
}

pub(crate) fn mark_deleted(row: &mut Record, call: &Call) {
    row.insert("is_deleted".to_owned(), Value::Bool(true));
    row.insert("update_time".to_owned(), stamp(call.now).into());
}

/// Puts a body into a record. Null clears a field. Custom fields are merged one by one.
fn apply(state: &State, call: &Call, collection: &Collection, row: &mut Record) -> Result<(), Failure> {
    let custom = |row: &mut Record, values: &Value| {
        let mut kept = row.get("custom_fields").and_then(Value::as_object).cloned().unwrap_or_default();
        fields::merge(state, call.tables, &collection.fields, &mut kept, values)?;
        row.insert("custom_fields".to_owned(), Value::Object(kept));
        Ok(())
    };
    let flat = fields::read_v1_body(state, call.tables, &collection.fields, &call.body);
    if !flat.is_empty() {
        custom(row, &flat.into())?;
    }
    for (name, value) in call.body.iter().filter(|(name, _)| !is_flat_key(name)) {
        if name == "custom_fields" {
            custom(row, value)?;
        } else if value.is_null() {
            row.shift_remove(name);
        } else {
            row.insert(name.clone(), value.clone());
        }
    }
    Ok(())
}

/// Checks a record by the rules of all collections, then by its own.
fn check(state: &State, call: &Call, at: &Collection, before: Option<&Record>, mut row: Record) -> Result<Record, Failure> {
    for (field, table) in at.links {
        let Some(id) = row.get(*field).filter(|_| call.body.contains_key(*field)) else {
            continue;
        };
        if state.find(table, &to_text(id)).is_none_or(is_deleted) {
            return Err(if call.operation.documents(StatusCode::NOT_FOUND) {
                Failure::not_found(&format!("{field} {id}"))
            } else {
                Failure::invalid(field, format!("{id} does not exist"))
            });
        }
    }
    if let Some(level) = call.body.get("visible_to")
        && !matches!(to_text(level).as_str(), "1" | "3" | "5" | "7")
    {
        return Err(Failure::invalid("visible_to", "must be one of 1, 3, 5, 7"));
    }
    if let Some(labels) = call.body.get("label_ids").and_then(Value::as_array)
        && let Some(field) = fields::find(state, &at.fields, "label_ids").filter(|field| field.contains_key("options"))
    {
        for label in labels {
            fields::check_option(field, label).map_err(|reason| Failure::invalid("label_ids", reason))?;
        }
    }
    (at.check)(&mut Draft { state, call, table: at.name, before, row: &mut row })?;
    Ok(row)
}

fn find_default(state: &State, call: &Call, collection: &Collection, row: &Record, preset: &Preset) -> Value {
    match preset {
        Preset::Text(text) => (*text).into(),
        Preset::Number(number) => (*number).into(),
        Preset::Flag(flag) => (*flag).into(),
        Preset::EmptyObject => json!({}),
        Preset::EmptyList => json!([]),
        Preset::Next(scope) => {
            let siblings = state.live(collection.name).filter(|other| other.get(*scope) == row.get(*scope));
            let last = siblings.filter_map(|other| other.get("order_nr")?.as_u64()).max();
            Value::from(last.unwrap_or(0).saturating_add(1))
        }
        Preset::Computed(find) => find(state, call),
    }
}
