//! The memory of changed fields.

use serde_json::Value;

use crate::engine::collection::{Call, Collection, V1};
use crate::engine::fields;
use crate::engine::state::State;
use crate::value::clock::stamp;
use crate::value::record::{Record, read_id, read_text, to_text};

/// The table of remembered changes, each of one field.
pub(crate) const CHANGES: &str = "changes";

/// The number of changes that are kept for one record. Older ones are dropped.
const MOST_CHANGES: usize = 500;

/// Fields of every table whose changes are not kept: they follow from others, or nobody can change them.
const NOT_KEPT: &[&str] = &["id", "update_time", "custom_fields"];

/// One change of one field, about to be kept.
pub(crate) struct FieldChange<'a> {
    pub(crate) table: &'a str,
    pub(crate) item: u64,
    pub(crate) user: u64,
    pub(crate) time: &'a str,
    pub(crate) key: &'a str,
    pub(crate) old: &'a Value,
    pub(crate) new: &'a Value,
    pub(crate) is_custom: bool,
}

impl FieldChange<'_> {
    pub(crate) fn keep(&self, state: &mut State) {
        let change = Record::from_iter([
            ("table".to_owned(), self.table.into()),
            ("item_id".to_owned(), self.item.into()),
            ("user_id".to_owned(), self.user.into()),
            ("field_key".to_owned(), self.key.into()),
            ("old_value".to_owned(), self.old.clone()),
            ("new_value".to_owned(), self.new.clone()),
            ("is_bulk_update_flag".to_owned(), false.into()),
            ("log_time".to_owned(), self.time.into()),
            ("change_source".to_owned(), "api".into()),
            ("change_source_user_agent".to_owned(), Value::Null),
            ("is_custom".to_owned(), self.is_custom.into()),
        ]);
        state.insert(CHANGES, change);
    }
}

/// Keeps a change for each field in which a record differs from before.
pub(crate) fn remember(state: &mut State, call: &Call, collection: &Collection, before: &Record, row: &Record) {
    let Some(id) = read_id(row).filter(|_| collection.keeps_changes) else { return };
    let mut kinds = vec![(false, list_standard_values(collection, before, row), list_standard_values(collection, row, before))];
    if before.get("custom_fields") != row.get("custom_fields") {
        kinds.push((true, list_custom_values(state, collection, before), list_custom_values(state, collection, row)));
    }
    let time = stamp(call.now);
    for (is_custom, before, now) in &kinds {
        for key in now.keys().chain(before.keys().filter(|key| !now.contains_key(*key))) {
            let (old, new) = (before.get(key).unwrap_or(&Value::Null), now.get(key).unwrap_or(&Value::Null));
            if old != new {
                let change =
                    FieldChange { table: collection.name, item: id, user: call.user, time: &time, key, old, new, is_custom: *is_custom };
                change.keep(state);
            }
        }
    }
    if state.count(CHANGES) <= MOST_CHANGES {
        return;
    }
    let ids: Vec<u64> = list_changes(state, collection.name, id).filter_map(read_id).collect();
    for old in &ids[..ids.len().saturating_sub(MOST_CHANGES)] {
        state.forget(CHANGES, *old);
    }
}

pub(crate) fn list_changes<'a>(state: &'a State, table: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    let is_about = move |change: &&Record| read_text(change, "table") == table && change.get("item_id").and_then(Value::as_u64) == Some(id);
    state.live(CHANGES).filter(is_about)
}

/// Lists the standard fields in which a record differs from another, in the names and the form of v1.
fn list_standard_values(collection: &Collection, row: &Record, other: &Record) -> Record {
    let different = row.iter().filter(|(name, value)| other.get(*name) != Some(*value));
    let kept = different.filter(|(name, _)| !NOT_KEPT.iter().chain(collection.changes_not_kept).any(|other| other == name));
    kept.map(|(name, value)| (find_v1_name(collection, name).to_owned(), flatten(value))).collect()
}

fn list_custom_values(state: &State, collection: &Collection, row: &Record) -> Record {
    let mut values = Record::new();
    for field in fields::list_custom(state, &collection.fields) {
        fields::answer_v1(field, row.get("custom_fields").and_then(|kept| kept.get(fields::read_code(field))), &mut values);
    }
    values
}

/// Finds the name of a field in v1.
pub(crate) fn find_v1_name<'a>(collection: &Collection, field: &'a str) -> &'a str {
    let renamed = collection.v1.iter().find(|(_, rule)| matches!(rule, V1::From(other) if *other == field));
    renamed.map_or(field, |(name, _)| name)
}

/// Writes a value that consists of parts as one text.
fn flatten(value: &Value) -> Value {
    match value {
        Value::Array(parts) if parts.is_empty() => Value::Null,
        Value::Array(parts) => parts.iter().map(|part| to_text(&flatten(part))).collect::<Vec<_>>().join(",").into(),
        Value::Object(whole) => whole.get("value").cloned().unwrap_or_default(),
        other => other.clone(),
    }
}
