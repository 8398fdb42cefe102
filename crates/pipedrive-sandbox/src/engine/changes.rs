//! The memory of changed fields.

use serde_json::Value;

use crate::engine::collection::{Call, Collection, V1};
use crate::engine::fields;
use crate::engine::state::State;
use crate::value::clock::stamp;
use crate::value::record::{Record, id_of, plain, text};

/// The field with the stages that a record has left, each with the time at which it came there.
///
/// The record's own fields have the stage in which it is now.
pub(crate) const PAST_STAGES: &str = "past_stages";

/// The table of remembered changes, each of one field.
pub(crate) const CHANGES: &str = "changes";

/// How many changes of one record are remembered: older ones make way.
const REMEMBERED: usize = 500;

/// Fields that follow from others, or that are no one's to change.
const UNTOLD: &[&str] = &["id", "update_time", "stage_change_time", "custom_fields", PAST_STAGES];

/// One change of one field, about to be remembered.
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

/// Remembers each field in which a record is not as it was.
pub(crate) fn remember(state: &mut State, call: &Call, collection: &Collection, before: &Record, row: &Record) {
    let Some(id) = id_of(row).filter(|_| collection.remembers) else { return };
    let custom = |state: &State, row: &Record| list_custom_values(state, collection, row);
    let kinds = [
        (false, list_standard_values(collection, before), list_standard_values(collection, row)),
        (true, custom(state, before), custom(state, row)),
    ];
    let time = stamp(call.now);
    for (is_custom, was, is) in &kinds {
        for key in is.keys().chain(was.keys().filter(|key| !is.contains_key(*key))) {
            let (old, new) = (was.get(key).unwrap_or(&Value::Null), is.get(key).unwrap_or(&Value::Null));
            if old != new {
                let change =
                    FieldChange { table: collection.name, item: id, user: call.user, time: &time, key, old, new, is_custom: *is_custom };
                change.keep(state);
            }
        }
    }
    let ids: Vec<u64> = list_changes(state, collection.name, id).filter_map(id_of).collect();
    for old in &ids[..ids.len().saturating_sub(REMEMBERED)] {
        state.forget(CHANGES, *old);
    }
}

pub(crate) fn list_changes<'a>(state: &'a State, table: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    let concerns = move |change: &&Record| text(change, "table") == table && change.get("item_id").and_then(Value::as_u64) == Some(id);
    state.live(CHANGES).filter(concerns)
}

/// A record's own fields, by their names and in their form in v1.
fn list_standard_values(collection: &Collection, row: &Record) -> Record {
    let told = row.iter().filter(|(name, _)| !UNTOLD.contains(&name.as_str()));
    told.map(|(name, value)| (v1_name(collection, name).to_owned(), flatten(value))).collect()
}

fn list_custom_values(state: &State, collection: &Collection, row: &Record) -> Record {
    let mut values = Record::new();
    for field in fields::custom(state, &collection.fields) {
        fields::answer_v1(field, row.get("custom_fields").and_then(|kept| kept.get(fields::code(field))), &mut values);
    }
    values
}

/// What v1 calls a field.
pub(crate) fn v1_name<'a>(collection: &Collection, field: &'a str) -> &'a str {
    let renamed = collection.v1.iter().find(|(_, rule)| matches!(rule, V1::From(other) if *other == field));
    renamed.map_or(field, |(name, _)| name)
}

/// A value that is made of parts is told as one text.
fn flatten(value: &Value) -> Value {
    match value {
        Value::Array(parts) if parts.is_empty() => Value::Null,
        Value::Array(parts) => parts.iter().map(|part| plain(&flatten(part))).collect::<Vec<_>>().join(",").into(),
        Value::Object(whole) => whole.get("value").cloned().unwrap_or_default(),
        other => other.clone(),
    }
}
