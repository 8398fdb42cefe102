//! The stages of pipelines.

use serde_json::Value;

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset};
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::objects::deals::statistics::record_stage;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_id};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "stages",
        label: "Stage",
        route: "/api/v2/stages",
        links: &[("pipeline_id", "pipelines")],
        foreign_key: "stage_id",
        related_key: Some("stage"),
        defaults: &[
            ("order_nr", Preset::Next("pipeline_id")),
            ("deal_probability", Preset::Number(100)),
            ("is_deal_rot_enabled", Preset::Flag(false)),
        ],
        readable_when_deleted: true,
        check,
        after_write: move_deals,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

fn check(draft: &mut Draft) -> Result<(), Failure> {
    if draft.row.get("deal_probability").and_then(Value::as_u64).is_none_or(|p| p > 100) {
        return Err(Failure::invalid("deal_probability", "must be between 0 and 100"));
    }
    if draft.is_in_body("days_to_rotten") && draft.row.get("days_to_rotten").and_then(Value::as_u64).is_none() {
        return Err(Failure::invalid("days_to_rotten", "must not be negative"));
    }
    draft.require_text("name")
}

/// Moves the deals of a stage along with it.
/// The deals of a deleted stage move to a neighbour, or are deleted with the last one.
fn move_deals(state: &mut State, call: &Call, before: Option<&Record>, now: &Record) {
    let Some(before) = before else { return };
    let inside = |row: &Record| row.get("stage_id") == now.get("id") && !is_deleted(row);
    if is_deleted(now) {
        let order = |row: &Record| row.get("order_nr").and_then(Value::as_u64).unwrap_or(0);
        let siblings = state.live("stages").filter(|other| other.get("pipeline_id") == now.get("pipeline_id"));
        let neighbour = siblings.min_by_key(|other| (order(other) > order(now), order(other).abs_diff(order(now)))).and_then(read_id);
        state.change("deals", inside, |deal| match neighbour {
            Some(neighbour) => {
                let time = stamp(call.now);
                record_stage(&deal.clone(), deal);
                deal.insert("stage_id".to_owned(), neighbour.into());
                deal.insert("stage_change_time".to_owned(), time.clone().into());
                deal.insert("update_time".to_owned(), time.into());
            }
            None => mark_deleted(deal, call),
        });
    } else if before.get("pipeline_id") != now.get("pipeline_id") {
        let pipeline = now.get("pipeline_id").cloned().unwrap_or_default();
        state.change("deals", inside, |deal| {
            deal.insert("pipeline_id".to_owned(), pipeline.clone());
        });
    }
}
