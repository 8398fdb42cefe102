//! Activities.

use serde_json::Value;

use crate::engine::collection::{Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1};
use crate::objects::notes::check_size;
use crate::objects::users::CALLER;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{read_flag, read_part};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "activities",
        label: "Activity",
        route: "/api/v2/activities",
        links: &[
            ("owner_id", "users"),
            ("creator_user_id", "users"),
            ("deal_id", "deals"),
            ("lead_id", "leads"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("project_id", "projects"),
        ],
        foreign_key: "activity_id",
        defaults: &[
            ("subject", Preset::Text("Call")),
            ("type", Preset::Text("call")),
            ("owner_id", CALLER),
            ("creator_user_id", CALLER),
            ("busy", Preset::Flag(false)),
            ("done", Preset::Flag(false)),
            ("participants", Preset::EmptyList),
        ],
        filter: Some(("activity", "activity")),
        readable_when_deleted: true,
        v1: &[
            ("user_id", V1::From("owner_id")),
            ("busy_flag", V1::From("busy")),
            ("active_flag", V1::Not("is_deleted")),
            ("company_id", V1::Computed(|state, _| state.company().into())),
            ("location_subpremise", V1::Computed(|_, activity| read_part(activity, "location", "subpremise"))),
            ("location_street_number", V1::Computed(|_, activity| read_part(activity, "location", "street_number"))),
            ("location_route", V1::Computed(|_, activity| read_part(activity, "location", "route"))),
            ("location_sublocality", V1::Computed(|_, activity| read_part(activity, "location", "sublocality"))),
            ("location_locality", V1::Computed(|_, activity| read_part(activity, "location", "locality"))),
            ("location_admin_area_level_1", V1::Computed(|_, activity| read_part(activity, "location", "admin_area_level_1"))),
            ("location_admin_area_level_2", V1::Computed(|_, activity| read_part(activity, "location", "admin_area_level_2"))),
            ("location_country", V1::Computed(|_, activity| read_part(activity, "location", "country"))),
            ("location_postal_code", V1::Computed(|_, activity| read_part(activity, "location", "postal_code"))),
            ("location_formatted_address", V1::Computed(|_, activity| read_part(activity, "location", "formatted_address"))),
        ],
        check,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("subject")?;
    check_size(draft, "note")?;
    if draft.is_in_body("person_id") {
        return Err(Failure::invalid("person_id", "is read-only: send participants"));
    }
    if let Some(participants) = draft.row.get("participants").and_then(Value::as_array).filter(|_| draft.is_in_body("participants")) {
        for participant in participants {
            let id = participant.get("person_id").and_then(Value::as_u64);
            if id.and_then(|id| draft.state.get_live("persons", id)).is_none() {
                return Err(Failure::invalid("participants", "each must have the id of a person"));
            }
        }
        let primary = participants.iter().find(|p| p.get("primary") == Some(&Value::Bool(true))).or_else(|| participants.first());
        match primary.and_then(|p| p.get("person_id")).cloned() {
            Some(person) => draft.set("person_id", person),
            None => draft.clear("person_id"),
        }
    }
    if !read_flag(draft.row, "done") {
        draft.clear("marked_as_done_time");
    } else if draft.value_before("done") != Some(&Value::Bool(true)) {
        draft.set("marked_as_done_time", stamp(draft.call.now));
    }
    Ok(())
}
