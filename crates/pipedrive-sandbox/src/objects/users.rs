//! Users, and the user whose token a request carries.

use serde_json::Value;

use crate::engine::collection::{Call, Collection, NO_COLLECTION, NO_OBJECT, Object, Preset, V1, Verb};
use crate::engine::envelope::wrap;
use crate::engine::read::shape_data;
use crate::engine::state::State;
use crate::value::failure::Failure;
use crate::value::money::CURRENCY;
use crate::value::record::{Record, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "users",
        label: "User",
        route: "/api/v1/users",
        verbs: &[Verb::List, Verb::Get],
        foreign_key: "user_id",
        related_key: Some("user"),
        field_type: Some("user"),
        v1: &[
            ("is_you", V1::ComputedForCall(|_, call, user| (read_id(user) == Some(call.user)).into())),
            ("active_flag", V1::Not("is_deleted")),
        ],
        ..NO_COLLECTION
    }],
    reports: &[("/api/v1/users/find", find), ("/api/v1/users/me", read_own)],
    ..NO_OBJECT
};

fn read_own(state: &State, call: &Call) -> Result<Value, Failure> {
    let user = state.get_live("users", call.user).ok_or_else(|| Failure::not_found("User"))?;
    Ok(wrap(shape_data(state, call, call.tables.collection("users"), user)))
}

fn find(state: &State, call: &Call) -> Result<Value, Failure> {
    let term = call.parameter("term").unwrap_or_default().to_lowercase();
    if term.is_empty() {
        return Err(Failure::invalid("term", "must not be empty"));
    }
    let field = if call.asks_for("search_by_email") { "email" } else { "name" };
    let found = state.live("users").filter(|user| read_text(user, field).to_lowercase().contains(&term));
    Ok(wrap(found.map(|user| shape_data(state, call, call.tables.collection("users"), user)).collect()))
}

/// The default of a field with a user: the one whose token the request carries.
pub(super) const CALLER: Preset = Preset::Computed(|_, call| call.user.into());

/// The default of a field with a currency: that of the user whose token the request carries.
pub(super) const CURRENCY_OF_CALLER: Preset = Preset::Computed(|state, call| find_currency(state, call).into());

/// Finds the currency of the user whose token the request carries.
pub(super) fn find_currency<'a>(state: &'a State, call: &Call) -> &'a str {
    state.get("users", call.user).and_then(|user| user.get("default_currency")?.as_str()).unwrap_or(CURRENCY)
}

/// Finds the company of a record's user.
pub(super) fn find_company(state: &State, row: &Record) -> Value {
    state.find_linked(row, "user_id", "users").and_then(|user| user.get("company_id")).cloned().unwrap_or_default()
}

/// Refuses the token of a user who is not there.
pub(crate) fn check_caller(state: &State, call: &Call) -> Result<(), Failure> {
    state.get_live("users", call.user).map(|_| ()).ok_or_else(Failure::unauthorized)
}

/// Finds the user that a body names.
pub(super) fn require_given(state: &State, call: &Call) -> Result<Record, Failure> {
    let id = call.body.get("user_id").and_then(Value::as_u64).unwrap_or(0);
    state.get_live("users", id).cloned().ok_or_else(|| Failure::invalid("user_id", "does not exist"))
}

/// Tells whether a user is an admin of the whole account.
pub(super) fn is_admin(state: &State, user: u64) -> bool {
    let access = state.get("users", user).and_then(|user| user.get("access")?.as_array());
    access.into_iter().flatten().any(|app| app["app"] == "global" && app["admin"] == true)
}
