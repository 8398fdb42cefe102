//! Comments on notes.

use serde_json::Value;

use crate::answer::{Call, Report};
use crate::collections::collection;
use crate::engine::read;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::rules::Draft;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted};

pub(crate) const REPORTS: &[(&str, Report)] = &[("/api/v1/notes/{id}/comments", list)];

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    on_a_note(state, call)?;
    read::list(state, call, collection("noteComments").expect("the table has a row for comments"))
}

fn on_a_note(state: &State, call: &Call) -> Result<(), Failure> {
    state.get_live("notes", call.id()).map(|_| ()).ok_or_else(|| Failure::not_found("Note"))
}

pub(crate) fn hidden(comment: &Record, call: &Call) -> bool {
    comment.get("object_id").and_then(Value::as_u64) != Some(call.id())
}

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    on_a_note(draft.state, draft.call)?;
    draft.named("content")?;
    draft.set("updater_id", draft.call.user);
    if draft.before.is_none() {
        draft.set("commentId", format!("c0000000-0000-4000-8000-{:012x}", draft.state.rows(draft.table).count() + 1));
        draft.set("object_id", draft.call.id());
    }
    Ok(())
}

/// A deleted note takes its comments with it.
pub(crate) fn after_note(state: &mut State, call: &Call, _: Option<&Record>, note: &Record) {
    if is_deleted(note) {
        let on_it = |comment: &Record| comment.get("object_id") == note.get("id");
        state.change("noteComments", on_it, |comment| mark_deleted(comment, call));
    }
}
