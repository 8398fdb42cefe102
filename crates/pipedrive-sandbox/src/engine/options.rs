//! Changes to the options of a custom field: all options of a request are changed, or none.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection};
use crate::engine::envelope::wrap_page;
use crate::engine::fields;
use crate::engine::read::find_named;
use crate::engine::state::State;
use crate::facts::validate::LISTED;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_text};

/// The field with the deleted options, whose ids are not used again.
const DELETED: &str = "options_deleted";

pub(crate) fn add(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    edit(state, call, collection, |field, given| {
        let all = list(field, "options").iter().chain(list(field, DELETED));
        let last = all.filter_map(|option| option.get("id")?.as_u64()).max().unwrap_or(0);
        let added: Vec<Value> =
            (last.saturating_add(1)..).zip(given).map(|(id, option)| json!({ "id": id, "label": option.get("label") })).collect();
        append(field, "options", &added);
        Ok(added)
    })
}

pub(crate) fn change(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    edit(state, call, collection, |field, given| {
        let mut changed = Vec::new();
        for one in given {
            for option in field.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
                if option.get("id") == one.get("id") {
                    option["label"] = one.get("label").cloned().unwrap_or_default();
                    changed.push(option.clone());
                }
            }
        }
        Ok(changed)
    })
}

pub(crate) fn remove(state: &mut State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    edit(state, call, collection, |field, given| {
        let is_given = |option: &Value| given.iter().any(|one| one.get("id") == option.get("id"));
        let (removed, left): (Vec<Value>, Vec<Value>) = list(field, "options").iter().cloned().partition(is_given);
        if left.is_empty() {
            return Err(Failure::invalid("options", "a field of this type needs at least one"));
        }
        field.insert("options".to_owned(), left.into());
        append(field, DELETED, &removed);
        Ok(removed)
    })
}

/// Finds the field, checks the ids in the body against its options, and stores the result of `apply`.
fn edit(
    state: &mut State,
    call: &Call,
    collection: &Collection,
    apply: impl Fn(&mut Record, &[Value]) -> Result<Vec<Value>, Failure>,
) -> Result<Value, Failure> {
    let mut field = find_named(state, call, collection).cloned().ok_or_else(|| call.refuse_missing(collection.label))?;
    fields::check_custom(&field)?;
    if !matches!(read_text(&field, "field_type"), "enum" | "set") {
        return Err(Failure::invalid("field_code", "belongs to a field without options"));
    }
    let given = call.body.get(LISTED).and_then(Value::as_array).filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| Failure::invalid("body", "must have at least one option"))?;
    for (index, id) in given.iter().enumerate().filter_map(|(index, one)| Some((index, one.get("id")?))) {
        fields::check_option(&field, id).map_err(|reason| Failure::invalid(&format!("[{index}].id"), reason))?;
    }
    let answer = apply(&mut field, given)?;
    field.insert("update_time".to_owned(), stamp(call.now).into());
    state.put(collection.name, field);
    let shown = answer.iter().map(|option| json!({ "id": option.get("id"), "label": option.get("label") }));
    Ok(wrap_page(shown.collect(), Value::Null))
}

fn list<'a>(field: &'a Record, name: &str) -> &'a [Value] {
    field.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn append(field: &mut Record, name: &str, more: &[Value]) {
    let all: Vec<Value> = list(field, name).iter().chain(more).cloned().collect();
    field.insert(name.to_owned(), all.into());
}
