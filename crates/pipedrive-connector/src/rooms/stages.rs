//! Stages: the steps of a pipeline.

use connector_core::declare::{DateTime, Id, Nullable};
use connector_core::{action, inputs, record};

use crate::data_sources::{SelectPipeline, SelectStage};
use crate::types::{ByCursor, Deleted, Sorted};

/// Add Stage
///
/// Add a new stage
#[action(post("/api/v2/stages"), scopes("admin"), cost = 5, returns(Stage), with(StageParts))]
struct AddStage {
    /// The name of the stage.
    name: String,
    /// The pipeline to add the stage to.
    #[source(SelectPipeline)]
    pipeline_id: Id,
}

/// Get Stage
///
/// Get one stage
#[action(get("/api/v2/stages/{stage_id}"), scopes("deals:read", "deals:full", "admin"), cost = 1, returns(Stage))]
struct GetStage {
    /// The stage to read.
    #[source(SelectStage)]
    stage_id: Id,
}

/// Get Stages
///
/// Get all stages
#[action(get("/api/v2/stages"), scopes("deals:read", "deals:full", "admin"), cost = 5, returns(Vec<Stage>), with(Sorted<StageSortBy>, ByCursor))]
pub(crate) struct GetStages {
    /// Only stages of this pipeline. Left out, those of all.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
}

/// Update Stage
///
/// Update stage details
#[action(patch("/api/v2/stages/{stage_id}"), scopes("admin"), cost = 5, returns(Stage), record(GetStage), with(StageParts))]
struct UpdateStage {
    /// The stage to change.
    #[source(SelectStage, pipeline_id)]
    stage_id: Id,
    /// The name of the stage. Left out, it stays.
    name: Option<String>,
    /// The pipeline to move the stage to. Left out, it stays.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
}

/// Delete Stage
///
/// Delete a stage
#[action(delete("/api/v2/stages/{stage_id}"), scopes("admin"), cost = 3, returns(Deleted), record(GetStage))]
struct DeleteStage {
    /// The stage to delete.
    #[source(SelectStage)]
    stage_id: Id,
}

/// The parts of a stage beside its name and pipeline.
#[inputs]
struct StageParts {
    /// The probability of winning deals in it, in percent. Left out, it is 100.
    deal_probability: Option<i64>,
    /// True if deals in it rot where nothing happens. Left out, they do not.
    is_deal_rot_enabled: Option<bool>,
    /// The number of days without a change after which a deal is rotten. Left out, none is set.
    days_to_rotten: Option<Nullable<i64>>,
}

/// A field to sort stages by.
#[record]
enum StageSortBy {
    Id,
    UpdateTime,
    AddTime,
    OrderNr,
}

/// A stage.
#[record]
struct Stage {
    /// The ID of the stage.
    id: i64,
    /// Its place in its pipeline.
    order_nr: Option<i64>,
    /// Its name.
    name: Option<String>,
    /// True if it is deleted.
    #[flat("activeFlag", not)]
    is_deleted: Option<bool>,
    /// The probability of winning deals in it, in percent.
    deal_probability: Option<i64>,
    /// The pipeline it belongs to.
    pipeline_id: Option<i64>,
    /// True if deals in it rot where nothing happens.
    #[flat("rottenFlag")]
    is_deal_rot_enabled: Option<bool>,
    /// The number of days without a change after which a deal is rotten.
    #[flat("rottenDays")]
    days_to_rotten: Option<i64>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}
