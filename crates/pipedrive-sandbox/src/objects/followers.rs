//! Followers of records and of users, and the log of their changes.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, NO_COLLECTION, NO_OBJECT, Object};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::paging::Order;
use crate::engine::read::shape_data;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::objects::users::require_given;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection { name: TABLE, label: "Follower", verbs: &[], links: ENDS, is_link_table: true, ..NO_COLLECTION },
        Collection { name: CHANGES, verbs: &[], links: ENDS, ..NO_COLLECTION },
    ],
    reports: &[
        ("/api/v2/deals/{id}/followers", list),
        ("/api/v2/organizations/{id}/followers", list),
        ("/api/v2/persons/{id}/followers", list),
        ("/api/v2/products/{id}/followers", list),
        ("/api/v2/users/{id}/followers", list),
        ("/api/v2/deals/{id}/followers/changelog", list_changes),
        ("/api/v2/organizations/{id}/followers/changelog", list_changes),
        ("/api/v2/persons/{id}/followers/changelog", list_changes),
        ("/api/v2/products/{id}/followers/changelog", list_changes),
    ],
    writes: &[
        ("POST", "/api/v2/deals/{id}/followers", add),
        ("POST", "/api/v2/organizations/{id}/followers", add),
        ("POST", "/api/v2/persons/{id}/followers", add),
        ("POST", "/api/v2/products/{id}/followers", add),
        ("DELETE", "/api/v2/deals/{id}/followers/{follower_id}", remove),
        ("DELETE", "/api/v2/organizations/{id}/followers/{follower_id}", remove),
        ("DELETE", "/api/v2/persons/{id}/followers/{follower_id}", remove),
        ("DELETE", "/api/v2/products/{id}/followers/{follower_id}", remove),
    ],
    ..NO_OBJECT
};

const TABLE: &str = "followers";
const CHANGES: &str = "followerChanges";

/// The links of a follower, and of a change of one: the user, and the followed record. A merge moves them.
const ENDS: &[(&str, &str)] = &[
    ("user_id", "users"),
    ("deal_id", "deals"),
    ("person_id", "persons"),
    ("org_id", "organizations"),
    ("product_id", "products"),
    ("followed_user_id", "users"),
];

/// Tables whose records can be followed: name, label, and the field of a follower with the record's id.
const FOLLOWED: &[(&str, &str, &str)] = &[
    ("deals", "Deal", "deal_id"),
    ("persons", "Person", "person_id"),
    ("organizations", "Organization", "org_id"),
    ("products", "Product", "product_id"),
    ("users", "User", "followed_user_id"),
];

/// Finds the field of a follower with the id of a record of this table.
pub(crate) fn find_field(table: &str) -> Option<&'static str> {
    FOLLOWED.iter().find(|(name, ..)| *name == table).map(|(.., field)| *field)
}

/// Finds the followed record in the path, and the field by which its followers point to it.
pub(super) fn find_followed<'a>(state: &'a State, call: &Call) -> Result<(&'static str, &'a Record), Failure> {
    let named = call.operation.path.split('/').nth(3);
    let (table, label, field) =
        FOLLOWED.iter().find(|(table, ..)| Some(*table) == named).expect("each path here is below a followed record");
    let row = state.get_live(table, call.id()).ok_or_else(|| call.refuse_missing(label))?;
    Ok((field, row))
}

/// Lists the followers of a record.
pub(super) fn list_followers<'a>(state: &'a State, field: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    state.live(TABLE).filter(move |row| has_id(row, field, id))
}

fn has_id(row: &Record, field: &str, id: u64) -> bool {
    row.get(field).and_then(Value::as_u64) == Some(id)
}

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = find_followed(state, call)?;
    answer_rows(state, call, TABLE, list_followers(state, field, call.id()).collect())
}

fn list_changes(state: &State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = find_followed(state, call)?;
    answer_rows(state, call, CHANGES, state.live(CHANGES).filter(|change| has_id(change, field, call.id())).collect())
}

/// Answers a page in the order of ids. Its cursor is valid for this list of this record alone.
fn answer_rows(state: &State, call: &Call, table: &str, rows: Vec<&Record>) -> Result<Value, Failure> {
    let (rows, next) = Order::oldest_first(call).cut_page(call, rows)?;
    let data = rows.into_iter().map(|row| shape_data(state, call, call.tables.collection(table), row)).collect();
    Ok(wrap_page(data, json!({ "next_cursor": next })))
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = find_followed(state, call)?;
    let user = read_id(&require_given(state, call)?).unwrap_or(0);
    if list_followers(state, field, call.id()).any(|row| has_id(row, "user_id", user)) {
        return Err(Failure::invalid("user_id", "is a follower already"));
    }
    let row = follow(state, &FollowChange { field, id: call.id(), user, actor: call.user, time: stamp(call.now) });
    Ok(wrap(shape_data(state, call, call.tables.collection(TABLE), &row)))
}

fn remove(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let (field, _) = find_followed(state, call)?;
    let user = call.variables.get("follower_id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let found = list_followers(state, field, call.id()).find(|row| has_id(row, "user_id", user)).cloned();
    let mut row = found.ok_or_else(|| call.refuse_missing("Follower"))?;
    mark_deleted(&mut row, call);
    let data = shape_data(state, call, call.tables.collection(TABLE), &row);
    state.put(TABLE, row);
    log_change(state, "removed", &FollowChange { field, id: call.id(), user, actor: call.user, time: stamp(call.now) });
    Ok(wrap(data))
}

/// The start or the end of a user's following. A follower has the followed record's id in `field`.
pub(crate) struct FollowChange {
    pub(crate) field: &'static str,
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) actor: u64,
    pub(crate) time: String,
}

/// Stores a follower and a log entry for it, and returns the follower.
pub(crate) fn follow(state: &mut State, change: &FollowChange) -> Record {
    let mut row = Record::new();
    row.insert(change.field.to_owned(), change.id.into());
    row.insert("user_id".to_owned(), change.user.into());
    row.insert("add_time".to_owned(), change.time.clone().into());
    let id = state.insert(TABLE, row);
    log_change(state, "added", change);
    state.get(TABLE, id).cloned().unwrap_or_default()
}

fn log_change(state: &mut State, action: &str, change: &FollowChange) {
    let mut row = Record::new();
    row.insert(change.field.to_owned(), change.id.into());
    row.insert("action".to_owned(), action.into());
    row.insert("actor_user_id".to_owned(), change.actor.into());
    row.insert("follower_user_id".to_owned(), change.user.into());
    row.insert("time".to_owned(), change.time.clone().into());
    state.insert(CHANGES, row);
}
