//! Reports about the account: its currencies and add-ons, and the user's connections and settings.

use serde_json::{Value, json};

use crate::engine::collection::{Call, NO_OBJECT, Object};
use crate::engine::envelope::wrap;
use crate::engine::state::State;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_text};

pub(super) const OBJECT: Object = Object {
    reports: &[
        ("/api/v1/currencies", list_currencies),
        ("/api/v1/billing/subscriptions/addons", list_addons),
        ("/api/v1/userConnections", list_connections),
        ("/api/v1/userSettings", list_settings),
    ],
    ..NO_OBJECT
};

#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_currencies(state: &State, call: &Call) -> Result<Value, Failure> {
    let term = call.parameter("term").unwrap_or_default().trim().to_lowercase();
    let fits = |currency: &&Record| ["name", "code"].iter().any(|field| read_text(currency, field).to_lowercase().contains(&term));
    Ok(wrap(state.live("currencies").filter(fits).cloned().map(Value::Object).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_addons(state: &State, _: &Call) -> Result<Value, Failure> {
    Ok(wrap(state.live("addons").map(|addon| json!({ "code": addon.get("code") })).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_connections(state: &State, call: &Call) -> Result<Value, Failure> {
    Ok(wrap(find_own(state, call, "userConnections")))
}

#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_settings(state: &State, call: &Call) -> Result<Value, Failure> {
    Ok(wrap(find_own(state, call, "userSettings")))
}

/// Finds the row of the token's user in a table; empty if there is none.
fn find_own(state: &State, call: &Call, table: &str) -> Value {
    let row = state.live(table).find(|row| row.get("user_id").and_then(Value::as_u64) == Some(call.user));
    let fields = row.into_iter().flatten().filter(|(name, _)| !matches!(name.as_str(), "id" | "user_id"));
    Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}
