//! Comments on notes.

use serde_json::Value;

use crate::engine::collection::{CRUD, Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1};
use crate::engine::read;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::objects::users::{CALLER, find_company};
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "noteComments",
        label: "Comment",
        route: "/api/v1/notes/{id}/comments",
        verbs: CRUD,
        variable: "commentId",
        key: Some("commentId"),
        defaults: &[("user_id", CALLER), ("object_type", Preset::Text("note"))],
        is_hidden,
        v1: &[
            ("uuid", V1::From("commentId")),
            ("active_flag", V1::Not("is_deleted")),
            ("add_time", V1::TimeWithMilliseconds("add_time")),
            ("update_time", V1::TimeWithMilliseconds("update_time")),
            ("company_id", V1::Computed(find_company)),
        ],
        check,
        ..NO_COLLECTION
    }],
    reports: &[("/api/v1/notes/{id}/comments", list)],
    ..NO_OBJECT
};

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    check_note(state, call)?;
    read::list(state, call, call.tables.collection("noteComments"))
}

fn check_note(state: &State, call: &Call) -> Result<(), Failure> {
    state.get_live("notes", call.id()).map(|_| ()).ok_or_else(|| Failure::not_found("Note"))
}

fn is_hidden(comment: &Record, call: &Call) -> bool {
    comment.get("object_id").and_then(Value::as_u64) != Some(call.id())
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    check_note(draft.state, draft.call)?;
    draft.require_text("content")?;
    draft.set("updater_id", draft.call.user);
    if draft.before.is_none() {
        draft.set("commentId", make_uuid(draft.state.rows(draft.table).count() + 1));
        draft.set("object_id", draft.call.id());
    }
    Ok(())
}

/// Builds the UUID of the nth comment.
pub(crate) fn make_uuid(n: usize) -> String {
    format!("c0000000-0000-4000-8000-{n:012x}")
}

/// Deletes the comments of a deleted note.
pub(super) fn delete_with_note(state: &mut State, call: &Call, _: Option<&Record>, note: &Record) {
    if is_deleted(note) {
        let is_on_note = |comment: &Record| comment.get("object_id") == note.get("id");
        state.change("noteComments", is_on_note, |comment| mark_deleted(comment, call));
    }
}
