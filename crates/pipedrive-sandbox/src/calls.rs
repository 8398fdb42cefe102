//! Call logs: what belongs together in one, and their recordings.

use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Call, Deed, Report};
use crate::collections::{Collection, collection};
use crate::engine::read;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::rules::Draft;
use crate::value::clock::parse_time;
use crate::value::failure::Failure;
use crate::value::record::{Record, flag, is_deleted, text};

pub(crate) const REPORTS: &[(&str, Report)] = &[("/api/v1/callLogs", list)];

pub(crate) const DEEDS: &[(&str, &str, Deed)] =
    &[("DELETE", "/api/v1/callLogs/{id}", delete), ("POST", "/api/v1/callLogs/{id}/recordings", record)];

fn calls() -> &'static Collection {
    collection("callLogs").expect("the table has a row for call logs")
}

/// The id of the log that is made after so many others.
pub(crate) fn id(others: usize) -> String {
    format!("ca11{:028x}", others + 1)
}

/// Those of the token's user.
fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let own = |log: &&Record| log.get("user_id").and_then(Value::as_u64) == Some(call.user);
    read::paged(state, call, calls(), state.live(calls().name).filter(own).collect())
}

fn delete(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut log = named(state, call)?;
    if is_deleted(&log) {
        return Err(Failure::gone(calls().label));
    }
    mark_deleted(&mut log, call);
    state.put(calls().name, log);
    Ok(json!({ "success": true }))
}

/// That a recording is there is all that can be read of it.
fn record(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut log = named(state, call).ok().filter(|log| !is_deleted(log)).ok_or_else(|| Failure::not_found(calls().label))?;
    if flag(&log, "has_recording") {
        return Err(Failure::new(StatusCode::CONFLICT, "Recording for this call already exists."));
    }
    log.insert("has_recording".to_owned(), true.into());
    state.put(calls().name, log);
    Ok(json!({ "success": true }))
}

/// The log that the path names, deleted or not.
fn named(state: &State, call: &Call) -> Result<Record, Failure> {
    let id = call.variables.get("id").map(String::as_str).unwrap_or_default();
    state.rows(calls().name).find(|log| text(log, "uuid") == id).cloned().ok_or_else(|| Failure::not_found(calls().label))
}

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    let of_another = draft.row.get("user_id").and_then(Value::as_u64) != Some(draft.call.user);
    if of_another && !is_admin(draft.state, draft.call.user) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "Only who manages the account may log calls of another user."));
    }
    follow_activity(draft)?;
    if draft.row.contains_key("deal_id") && draft.row.contains_key("lead_id") {
        return Err(Failure::invalid("lead_id", "a call is about a deal or a lead, not both"));
    }
    let moment = |name: &str| parse_time(text(draft.row, name));
    let seconds = moment("start_time").zip(moment("end_time")).map_or(0, |(start, end)| (end - start).whole_seconds());
    if seconds < 0 {
        return Err(Failure::invalid("end_time", "must not be before start_time"));
    }
    let duration = text(draft.row, "duration");
    if !duration.is_empty() && duration.parse::<u32>().is_err() {
        return Err(Failure::invalid("duration", "must be a number of seconds"));
    }
    if duration.is_empty() {
        draft.set("duration", seconds.to_string());
    }
    draft.set("uuid", id(draft.state.rows(draft.table).count()));
    Ok(())
}

/// A call that an activity stands for is about what the activity is about, whatever else was given.
fn follow_activity(draft: &mut Draft) -> Result<(), Failure> {
    let Some(activity) = draft.state.linked(draft.row, "activity_id", "activities") else {
        return Ok(());
    };
    if text(activity, "type") != "call" {
        return Err(Failure::invalid("activity_id", "must be an activity of the type call"));
    }
    for field in ["deal_id", "person_id", "org_id", "lead_id"] {
        match activity.get(field) {
            Some(id) => draft.set(field, id.clone()),
            None => draft.clear(field),
        }
    }
    Ok(())
}

fn is_admin(state: &State, user: u64) -> bool {
    let access = state.get("users", user).and_then(|user| user.get("access")?.as_array());
    access.into_iter().flatten().any(|app| app["app"] == "global" && app["admin"] == true)
}
