//! Pipelines.

use crate::engine::collection::{Call, Collection, NO_COLLECTION, NO_OBJECT, Object, Preset};
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::record::{Record, is_deleted};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "pipelines",
        label: "Pipeline",
        route: "/api/v2/pipelines",
        foreign_key: "pipeline_id",
        defaults: &[("order_nr", Preset::Next("")), ("is_deal_probability_enabled", Preset::Flag(true))],
        readable_when_deleted: true,
        after_write: delete_contents,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

/// Deletes the stages and the deals of a deleted pipeline.
fn delete_contents(state: &mut State, call: &Call, _: Option<&Record>, pipeline: &Record) {
    if is_deleted(pipeline) {
        let inside = |row: &Record| row.get("pipeline_id") == pipeline.get("id") && !is_deleted(row);
        for table in ["stages", "deals"] {
            state.change(table, inside, |row| mark_deleted(row, call));
        }
    }
}
