//! The users who may see a record.

use serde_json::Value;

use crate::engine::collection::{Call, NO_OBJECT, Object};
use crate::engine::envelope::wrap;
use crate::engine::read::find_named;
use crate::engine::state::State;
use crate::objects::{followers, roles};
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    reports: &[
        ("/api/v1/deals/{id}/permittedUsers", list),
        ("/api/v1/leads/{id}/permittedUsers", list_of_lead),
        ("/api/v1/organizations/{id}/permittedUsers", list),
        ("/api/v1/persons/{id}/permittedUsers", list),
        ("/api/v1/products/{id}/permittedUsers", list),
    ],
    ..NO_OBJECT
};

/// The level at which only the owner, the followers and the admins see a record.
///
/// The other levels all mean the entire company here. They differ by visibility groups, which larger plans have.
const OWNER_AND_FOLLOWERS: u64 = 1;

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let (field, row) = followers::find_followed(state, call)?;
    let followers: Vec<&Value> = followers::list_followers(state, field, call.id()).filter_map(|row| row.get("user_id")).collect();
    Ok(wrap(list_permitted(state, row, &followers)))
}

/// Lists the users who may see a lead, which nobody follows.
fn list_of_lead(state: &State, call: &Call) -> Result<Value, Failure> {
    let leads = call.tables.collection("leads");
    let lead = find_named(state, call, leads).filter(|lead| !is_deleted(lead)).ok_or_else(|| call.refuse_missing(leads.label))?;
    Ok(wrap(list_permitted(state, lead, &[])))
}

fn list_permitted(state: &State, row: &Record, followers: &[&Value]) -> Value {
    let is_open = row.get("visible_to").and_then(Value::as_u64) != Some(OWNER_AND_FOLLOWERS);
    let admins: Vec<u64> = list_admins(state).filter_map(read_id).collect();
    let may = |user: &Record| {
        let id = user.get("id");
        is_open
            || row.get("owner_id") == id
            || id.is_some_and(|id| followers.contains(&id))
            || read_id(user).is_some_and(|id| admins.contains(&id))
    };
    state.live("users").filter(|user| may(user)).filter_map(|user| user.get("id").cloned()).collect()
}

/// Lists the users with a permission set for admins of sales or of the whole account.
fn list_admins(state: &State) -> impl Iterator<Item = &Record> {
    let sets =
        state.live("permissionSets").filter(|set| read_text(set, "type") == "admin" && matches!(read_text(set, "app"), "sales" | "global"));
    sets.flat_map(|set| roles::list_assigned(state, set))
}
