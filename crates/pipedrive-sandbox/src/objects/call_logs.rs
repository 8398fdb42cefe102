//! Call logs and their recordings.

use http::StatusCode;
use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1, Verb};
use crate::engine::read::answer_list;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::objects::users::{CALLER, find_company, is_admin};
use crate::value::clock::parse_time;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_flag, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: TABLE,
        label: LABEL,
        route: "/api/v1/callLogs",
        verbs: &[Verb::Get, Verb::Create],
        links: &[
            ("user_id", "users"),
            ("activity_id", "activities"),
            ("deal_id", "deals"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("lead_id", "leads"),
        ],
        defaults: &[("user_id", CALLER), ("has_recording", Preset::Flag(false))],
        v1: &[
            ("id", V1::From("uuid")),
            ("start_time", V1::TimeWithMilliseconds("start_time")),
            ("end_time", V1::TimeWithMilliseconds("end_time")),
            ("company_id", V1::Computed(find_company)),
        ],
        check,
        ..NO_COLLECTION
    }],
    reports: &[("/api/v1/callLogs", list)],
    writes: &[("DELETE", "/api/v1/callLogs/{id}", delete), ("POST", "/api/v1/callLogs/{id}/recordings", add_recording)],
    ..NO_OBJECT
};

const TABLE: &str = "callLogs";
const LABEL: &str = "Call log";

/// Makes the id of the log that follows `others` logs.
pub(crate) fn make_uuid(others: usize) -> String {
    format!("ca11{:028x}", others + 1)
}

/// Lists the logs of the token's user.
fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let is_own = |log: &&Record| log.get("user_id").and_then(Value::as_u64) == Some(call.user);
    answer_list(state, call, call.tables.collection(TABLE), state.live(TABLE).filter(is_own).collect())
}

fn delete(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut log = find_log(state, call)?;
    if is_deleted(&log) {
        return Err(Failure::gone(LABEL));
    }
    mark_deleted(&mut log, call);
    state.put(TABLE, log);
    Ok(json!({ "success": true }))
}

/// Adds a recording. The API tells no more of it than that it is there.
fn add_recording(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut log = find_log(state, call).ok().filter(|log| !is_deleted(log)).ok_or_else(|| Failure::not_found(LABEL))?;
    if read_flag(&log, "has_recording") {
        return Err(Failure::new(StatusCode::CONFLICT, "Recording for this call already exists."));
    }
    log.insert("has_recording".to_owned(), true.into());
    state.put(TABLE, log);
    Ok(json!({ "success": true }))
}

/// Finds the log that the path names, deleted or not.
fn find_log(state: &State, call: &Call) -> Result<Record, Failure> {
    let id = call.variables.get("id").map(String::as_str).unwrap_or_default();
    state.rows(TABLE).find(|log| read_text(log, "uuid") == id).cloned().ok_or_else(|| Failure::not_found(LABEL))
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    let is_of_other_user = draft.row.get("user_id").and_then(Value::as_u64) != Some(draft.call.user);
    if is_of_other_user && !is_admin(draft.state, draft.call.user) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "Only an admin may log calls of another user."));
    }
    copy_links(draft)?;
    if draft.row.contains_key("deal_id") && draft.row.contains_key("lead_id") {
        return Err(Failure::invalid("lead_id", "a call is about a deal or a lead, not both"));
    }
    let read_time = |name: &str| parse_time(read_text(draft.row, name));
    let seconds = read_time("start_time").zip(read_time("end_time")).map_or(0, |(start, end)| (end - start).whole_seconds());
    if seconds < 0 {
        return Err(Failure::invalid("end_time", "must not be before start_time"));
    }
    let duration = read_text(draft.row, "duration");
    if !duration.is_empty() && duration.parse::<u32>().is_err() {
        return Err(Failure::invalid("duration", "must be a number of seconds"));
    }
    if duration.is_empty() {
        draft.set("duration", seconds.to_string());
    }
    draft.set("uuid", make_uuid(draft.state.rows(draft.table).count()));
    Ok(())
}

/// Copies the links of the call's activity, which replace those in the body.
fn copy_links(draft: &mut Draft) -> Result<(), Failure> {
    let Some(activity) = draft.state.find_linked(draft.row, "activity_id", "activities") else {
        return Ok(());
    };
    if read_text(activity, "type") != "call" {
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
