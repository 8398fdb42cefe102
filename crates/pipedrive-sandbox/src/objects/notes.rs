//! Notes about deals, leads, persons and organizations.

use serde_json::Value;

use crate::engine::collection::{Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1};
use crate::objects::comments;
use crate::objects::users::CALLER;
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

fn check(draft: &mut Draft) -> Result<(), Failure> {
    const MAX_CONTENT: usize = 100 * 1024;
    const ABOUT: &[&str] = &["lead_id", "deal_id", "person_id", "org_id", "project_id", "task_id"];
    draft.require_text("content")?;
    if read_text(draft.row, "content").len() > MAX_CONTENT {
        return Err(Failure::invalid("content", "must have at most 100 KB"));
    }
    if !ABOUT.iter().any(|field| draft.row.contains_key(*field)) {
        return Err(Failure::bad_request(format!("A note needs at least one of {}.", ABOUT.join(", "))));
    }
    // Bodies have 0 and 1, answers false and true.
    for (_, value) in draft.row.iter_mut().filter(|(name, _)| name.starts_with("pinned_to_")) {
        *value = Value::Bool(matches!(value, Value::Bool(true)) || value.as_u64() == Some(1));
    }
    draft.set("last_update_user_id", draft.call.user);
    Ok(())
}
