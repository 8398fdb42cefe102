//! Users who follow a record or another user, and how that changed.

use serde_json::{Value, json};

use crate::answer::{Call, Deed, Report, page, success};
use crate::collections::known;
use crate::engine::read::{limit, read_cursor, record, write_cursor};
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::roles::given_user;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of};

pub(crate) const TABLE: &str = "followers";
pub(crate) const CHANGES: &str = "followerChanges";

pub(crate) const REPORTS: &[(&str, Report)] = &[
    ("/api/v2/deals/{id}/followers", list),
    ("/api/v2/organizations/{id}/followers", list),
    ("/api/v2/persons/{id}/followers", list),
    ("/api/v2/products/{id}/followers", list),
    ("/api/v2/users/{id}/followers", list),
    ("/api/v2/deals/{id}/followers/changelog", changelog),
    ("/api/v2/organizations/{id}/followers/changelog", changelog),
    ("/api/v2/persons/{id}/followers/changelog", changelog),
    ("/api/v2/products/{id}/followers/changelog", changelog),
];

pub(crate) const DEEDS: &[(&str, &str, Deed)] = &[
    ("POST", "/api/v2/deals/{id}/followers", add),
    ("POST", "/api/v2/organizations/{id}/followers", add),
    ("POST", "/api/v2/persons/{id}/followers", add),
    ("POST", "/api/v2/products/{id}/followers", add),
    ("DELETE", "/api/v2/deals/{id}/followers/{follower_id}", remove),
    ("DELETE", "/api/v2/organizations/{id}/followers/{follower_id}", remove),
    ("DELETE", "/api/v2/persons/{id}/followers/{follower_id}", remove),
    ("DELETE", "/api/v2/products/{id}/followers/{follower_id}", remove),
];

/// What can be followed: its table, what an error calls it, and the field of a follower that holds its id.
const FOLLOWED: &[(&str, &str, &str)] = &[
    ("deals", "Deal", "deal_id"),
    ("persons", "Person", "person_id"),
    ("organizations", "Organization", "org_id"),
    ("products", "Product", "product_id"),
    ("users", "User", "followed_user_id"),
];

/// The field of a follower that holds the id of a record of this table.
pub(crate) fn field_of(table: &str) -> Option<&'static str> {
    FOLLOWED.iter().find(|(name, ..)| *name == table).map(|(.., field)| *field)
}

/// The record whose followers the path asks for, and the field by which they point to it.
pub(crate) fn followed<'a>(state: &'a State, call: &Call) -> Result<(&'static str, &'a Record), Failure> {
    let named = call.operation.path.split('/').nth(3);
    let (table, label, field) =
        FOLLOWED.iter().find(|(table, ..)| Some(*table) == named).expect("each path here is below a followed record");
    let row = state.get_live(table, call.id()).ok_or_else(|| call.missing(label))?;
    Ok((field, row))
}

/// The rows of a record's followers.
pub(crate) fn of<'a>(state: &'a State, field: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    state.live(TABLE).filter(move |row| holds(row, field, id))
}

fn holds(row: &Record, field: &str, id: u64) -> bool {
    row.get(field).and_then(Value::as_u64) == Some(id)
}

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = followed(state, call)?;
    paged(state, call, TABLE, of(state, field, call.id()).collect())
}

fn changelog(state: &State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = followed(state, call)?;
    paged(state, call, CHANGES, state.live(CHANGES).filter(|change| holds(change, field, call.id())).collect())
}

/// A page in the order of the rows' ids. Its cursor is good for this list of this record alone.
fn paged(state: &State, call: &Call, table: &str, mut rows: Vec<&Record>) -> Result<Value, Failure> {
    let list = format!("{}:{}", call.operation.id, call.id());
    if let Some(cursor) = call.parameter("cursor") {
        let (_, last) = read_cursor(cursor, &list)?;
        rows.retain(|row| id_of(row) > Some(last));
    }
    let more = rows.len() > limit(call);
    rows.truncate(limit(call));
    let last = rows.last().filter(|_| more).and_then(|row| id_of(row));
    let next = last.map(|id| write_cursor(&list, &(Value::Null, id)));
    let data = rows.into_iter().map(|row| record(state, call, known(table), row)).collect();
    Ok(page(data, json!({ "next_cursor": next })))
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = followed(state, call)?;
    let user = id_of(&given_user(state, call)?).unwrap_or(0);
    if of(state, field, call.id()).any(|row| holds(row, "user_id", user)) {
        return Err(Failure::invalid("user_id", "follows already"));
    }
    let row = follow(state, &Change { field, id: call.id(), user, actor: call.user, time: stamp(call.now) });
    Ok(success(record(state, call, known(TABLE), &row)))
}

fn remove(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = followed(state, call)?;
    let user = call.variables.get("follower_id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let found = of(state, field, call.id()).find(|row| holds(row, "user_id", user)).cloned();
    let mut row = found.ok_or_else(|| call.missing("Follower"))?;
    mark_deleted(&mut row, call);
    let data = record(state, call, known(TABLE), &row);
    state.put(TABLE, row);
    log(state, "removed", &Change { field, id: call.id(), user, actor: call.user, time: stamp(call.now) });
    Ok(success(data))
}

/// That a user begins or ceases to follow what has this id, which a follower holds in `field`.
pub(crate) struct Change {
    pub(crate) field: &'static str,
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) actor: u64,
    pub(crate) time: String,
}

/// Keeps a follower, and that it came. Gives the follower.
pub(crate) fn follow(state: &mut State, change: &Change) -> Record {
    let mut row = Record::new();
    row.insert(change.field.to_owned(), change.id.into());
    row.insert("user_id".to_owned(), change.user.into());
    row.insert("add_time".to_owned(), change.time.clone().into());
    let id = state.insert(TABLE, row);
    log(state, "added", change);
    state.get(TABLE, id).cloned().unwrap_or_default()
}

fn log(state: &mut State, action: &str, change: &Change) {
    let mut row = Record::new();
    row.insert(change.field.to_owned(), change.id.into());
    row.insert("action".to_owned(), action.into());
    row.insert("actor_user_id".to_owned(), change.actor.into());
    row.insert("follower_user_id".to_owned(), change.user.into());
    row.insert("time".to_owned(), change.time.clone().into());
    state.insert(CHANGES, row);
}
