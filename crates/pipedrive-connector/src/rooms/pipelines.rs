//! Pipelines: series of stages for deals.

use connector_core::declare::{Date, DateTime, Id, MapOf};
use connector_core::{action, record};

use crate::data_sources::{SelectPipeline, SelectUser};
use crate::types::{ByCursor, Deleted, SortBy, Sorted};

/// Add Pipeline
///
/// Add a new pipeline
#[action(post("/api/v2/pipelines"), scopes("admin"), cost = 5, returns(Pipeline))]
struct AddPipeline {
    /// The name of the pipeline.
    name: String,
    /// True if deals in it have a probability of their own. Left out, they do not.
    is_deal_probability_enabled: Option<bool>,
}

/// Get Pipeline
///
/// Get one pipeline
#[action(get("/api/v2/pipelines/{pipeline_id}"), scopes("deals:read", "deals:full", "admin"), cost = 1, returns(Pipeline))]
struct GetPipeline {
    /// The pipeline to read.
    #[source(SelectPipeline)]
    pipeline_id: Id,
}

/// Get Pipelines
///
/// Get all pipelines
#[action(get("/api/v2/pipelines"), scopes("deals:read", "deals:full", "admin"), cost = 5, returns(Vec<Pipeline>), with(Sorted<SortBy>, ByCursor))]
pub(crate) struct GetPipelines {}

/// Update Pipeline
///
/// Update a pipeline
#[action(patch("/api/v2/pipelines/{pipeline_id}"), scopes("admin"), cost = 5, returns(Pipeline), record(GetPipeline))]
struct UpdatePipeline {
    /// The pipeline to change.
    #[source(SelectPipeline)]
    pipeline_id: Id,
    /// The name of the pipeline. Left out, it stays.
    name: Option<String>,
    /// True if deals in it have a probability of their own. Left out, it stays.
    is_deal_probability_enabled: Option<bool>,
}

/// Delete Pipeline
///
/// Delete a pipeline
#[action(delete("/api/v2/pipelines/{pipeline_id}"), scopes("admin"), cost = 3, returns(Deleted), record(GetPipeline))]
struct DeletePipeline {
    /// The pipeline to delete.
    #[source(SelectPipeline)]
    pipeline_id: Id,
}

/// Get Pipeline Conversion Statistics
///
/// Get deals conversion rates in pipeline
#[action(
    get("/api/v1/pipelines/{pipeline_id}/conversion_statistics"),
    scopes("deals:read", "deals:full"),
    cost = 40,
    returns(ConversionStatistics)
)]
struct GetPipelineConversionStatistics {
    /// The pipeline to read about.
    #[source(SelectPipeline)]
    pipeline_id: Id,
    /// The first day to look at.
    start_date: Date,
    /// The last day to look at.
    end_date: Date,
    /// The user whose deals count. Left out, the connected user.
    #[source(SelectUser)]
    user_id: Option<Id>,
}

/// Get Pipeline Movement Statistics
///
/// Get deals movements in pipeline
#[action(
    get("/api/v1/pipelines/{pipeline_id}/movement_statistics"),
    scopes("deals:read", "deals:full"),
    cost = 40,
    returns(MovementStatistics),
    like(GetPipelineConversionStatistics)
)]
struct GetPipelineMovementStatistics {
    /// The pipeline to read about.
    #[source(SelectPipeline)]
    pipeline_id: Id,
}

/// A pipeline.
#[record]
struct Pipeline {
    /// The ID of the pipeline.
    id: i64,
    /// Its name.
    name: Option<String>,
    /// Its place among the others; the lowest is the default.
    order_nr: Option<i64>,
    /// True if it is deleted.
    #[flat("active", not)]
    is_deleted: Option<bool>,
    /// True if deals in it have a probability of their own.
    #[flat("dealProbability")]
    is_deal_probability_enabled: Option<bool>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// Its name in a URL, which Pipedrive no longer gives.
    #[flat(null)]
    url_title: Option<String>,
}

/// The shares of deals that went on from stage to stage.
#[record]
struct ConversionStatistics {
    /// The share that went from each stage to another.
    stage_conversions: Option<Vec<StageConversion>>,
    /// The share of deals that were won, in percent.
    won_conversion: Option<f64>,
    /// The share of deals that were lost, in percent.
    lost_conversion: Option<f64>,
}

/// The share of deals that went from one stage to another.
#[record]
struct StageConversion {
    /// The stage that they left.
    from_stage_id: Option<i64>,
    /// The stage that they came to.
    to_stage_id: Option<i64>,
    /// The share, in percent.
    conversion_rate: Option<f64>,
}

/// The movements of deals.
#[record]
struct MovementStatistics {
    /// The movements from stage to stage.
    movements_between_stages: Option<Movements>,
    /// Deals that were added.
    new_deals: Option<MovedDeals>,
    /// Deals that were still open at the end.
    deals_left_open: Option<MovedDeals>,
    /// Deals that were won.
    won_deals: Option<MovedDeals>,
    /// Deals that were lost.
    lost_deals: Option<MovedDeals>,
    /// The average age of deals.
    average_age_in_days: Option<AverageAge>,
}

/// A number of movements.
#[record]
struct Movements {
    /// The number.
    count: Option<i64>,
}

/// Some deals and what they are worth.
#[record]
struct MovedDeals {
    /// The number of the deals.
    count: Option<i64>,
    /// Their IDs.
    deals_ids: Option<Vec<i64>>,
    /// Their values, by currency.
    values: Option<MapOf<f64>>,
    /// The same as a text, by currency.
    formatted_values: Option<MapOf<String>>,
}

/// The average age of deals, in days.
#[record]
struct AverageAge {
    /// In all stages together.
    across_all_stages: Option<f64>,
    /// In each stage.
    by_stages: Option<Vec<StageAge>>,
}

/// The average age of deals in a stage.
#[record]
struct StageAge {
    /// The stage.
    stage_id: Option<i64>,
    /// The number of days.
    value: Option<f64>,
}
