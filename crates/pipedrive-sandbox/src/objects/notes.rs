//! Notes about deals, leads, persons and organizations.

use http::StatusCode;
use serde_json::Value;

use crate::engine::collection::{Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1};
use crate::objects::comments;
use crate::objects::users::{CALLER, is_admin};
use crate::value::failure::Failure;
use crate::value::record::read_text;

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "notes",
        label: "Note",
        route: "/api/v1/notes",
        links: &[
            ("user_id", "users"),
            ("deal_id", "deals"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("lead_id", "leads"),
            ("project_id", "projects"),
            ("task_id", "tasks"),
        ],
        defaults: &[
            ("user_id", CALLER),
            ("last_update_user_id", CALLER),
            ("pinned_to_lead_flag", Preset::Flag(false)),
            ("pinned_to_deal_flag", Preset::Flag(false)),
            ("pinned_to_organization_flag", Preset::Flag(false)),
            ("pinned_to_person_flag", Preset::Flag(false)),
            ("pinned_to_project_flag", Preset::Flag(false)),
            ("pinned_to_task_flag", Preset::Flag(false)),
        ],
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("deal", V1::Linked("deal_id", "deals")),
            ("person", V1::Linked("person_id", "persons")),
            ("organization", V1::Linked("org_id", "organizations")),
            ("user", V1::Linked("user_id", "users")),
        ],
        check,
        after_write: comments::delete_with_note,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

/// The pins of a note, and the field that each needs.
const PINS: &[(&str, &str)] = &[
    ("pinned_to_lead_flag", "lead_id"),
    ("pinned_to_deal_flag", "deal_id"),
    ("pinned_to_organization_flag", "org_id"),
    ("pinned_to_person_flag", "person_id"),
    ("pinned_to_project_flag", "project_id"),
    ("pinned_to_task_flag", "task_id"),
];

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("content")?;
    check_size(draft, "content")?;
    if !PINS.iter().any(|(_, about)| draft.row.contains_key(*about)) {
        let about: Vec<&str> = PINS.iter().map(|(_, about)| *about).collect();
        return Err(Failure::bad_request(format!("A note needs at least one of {}.", about.join(", "))));
    }
    check_author(draft)?;
    draft.set("last_update_user_id", draft.call.user);
    PINS.iter().try_for_each(|(pin, about)| check_pin(draft, pin, about))
}

/// Refuses a text that is too long for a note.
pub(super) fn check_size(draft: &Draft, field: &str) -> Result<(), Failure> {
    const MOST: usize = 100 * 1024;
    if read_text(draft.row, field).len() > MOST { Err(Failure::invalid(field, "must have at most 100 KB")) } else { Ok(()) }
}

fn check_author(draft: &Draft) -> Result<(), Failure> {
    let author = draft.row.get("user_id").and_then(Value::as_u64).unwrap_or(draft.call.user);
    let before = draft.before.map_or(draft.call.user, |note| note.get("user_id").and_then(Value::as_u64).unwrap_or(0));
    if author != before && !is_admin(draft.state, draft.call.user) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "Only an admin may change the author of a note."));
    }
    Ok(())
}

/// Turns 0 and 1 of a body into false and true of an answer. A pin needs the record to which the note is pinned.
fn check_pin(draft: &mut Draft, pin: &str, about: &str) -> Result<(), Failure> {
    let is_pinned = draft.row.get(pin).is_some_and(|value| *value == Value::Bool(true) || value.as_u64() == Some(1));
    let can_be = draft.row.contains_key(about);
    if is_pinned && !can_be && draft.is_in_body(pin) {
        return Err(Failure::invalid(pin, format!("needs {about}")));
    }
    draft.set(pin, is_pinned && can_be);
    Ok(())
}
