//! Pipelines: series of stages for deals.

use connector_core::{Date, DateTime, Id, MapOf, action, record};

use crate::types::{ByCursor, Deleted, SortBy, Sorted};

/// Add Pipeline
///
/// Add a new pipeline
#[action(post("/api/v2/pipelines"), scopes("admin"), cost = 5, returns(Pipeline))]
struct AddPipeline {
    /// The name of the pipeline.
    name: String,
    /// Whether deals in it have a probability of their own. Left out, they do not.
    is_deal_probability_enabled: Option<bool>,
}

/// Get Pipeline
///
/// Get one pipeline
#[action(get("/api/v2/pipelines/{pipeline_id}"), scopes("deals:read", "deals:full", "admin"), cost = 1, returns(Pipeline))]
struct GetPipeline {
    /// The pipeline to read.
    pipeline_id: Id,
}

/// Get Pipelines
///
/// Get all pipelines
#[action(get("/api/v2/pipelines"), scopes("deals:read", "deals:full", "admin"), cost = 5, returns(Vec<Pipeline>), with(Sorted<SortBy>, ByCursor))]
struct GetPipelines {}

/// Update Pipeline
///
/// Update a pipeline
#[action(patch("/api/v2/pipelines/{pipeline_id}"), scopes("admin"), cost = 5, returns(Pipeline))]
struct UpdatePipeline {
    /// The pipeline to change.
    pipeline_id: Id,
    /// The name of the pipeline. Left out, it stays.
    name: Option<String>,
    /// Whether deals in it have a probability of their own. Left out, it stays.
    is_deal_probability_enabled: Option<bool>,
}

/// Delete Pipeline
///
/// Delete a pipeline
#[action(delete("/api/v2/pipelines/{pipeline_id}"), scopes("admin"), cost = 3, returns(Deleted))]
struct DeletePipeline {
    /// The pipeline to delete.
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
    pipeline_id: Id,
    /// The first day to look at.
    start_date: Date,
    /// The last day to look at.
    end_date: Date,
    /// The user whose deals count. Left out, the connected user.
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
    pipeline_id: Id,
}

/// A pipeline.
#[record]
struct Pipeline {
    /// The ID of the pipeline.
    id: i64,
    /// Its name.
    name: Option<String>,
    /// Where it stands among the others; the lowest is the default.
    order_nr: Option<i64>,
    /// Whether it is deleted.
    is_deleted: Option<bool>,
    /// Whether deals in it have a probability of their own.
    is_deal_probability_enabled: Option<bool>,
    /// When it was made.
    add_time: Option<DateTime>,
    /// When it was last changed.
    update_time: Option<DateTime>,
}

/// How many deals went on from each stage.
#[record]
struct ConversionStatistics {
    /// How many went from one stage to another.
    stage_conversions: Option<Vec<StageConversion>>,
    /// How many were won, in percent.
    won_conversion: Option<f64>,
    /// How many were lost, in percent.
    lost_conversion: Option<f64>,
}

/// How many deals went from one stage to another.
#[record]
struct StageConversion {
    /// The stage that they left.
    from_stage_id: Option<i64>,
    /// The stage that they came to.
    to_stage_id: Option<i64>,
    /// How many did, in percent.
    conversion_rate: Option<f64>,
}

/// How deals moved.
#[record]
struct MovementStatistics {
    /// How often a deal changed its stage.
    movements_between_stages: Option<Movements>,
    /// Deals that were added.
    new_deals: Option<MovedDeals>,
    /// Deals that were still open at the end.
    deals_left_open: Option<MovedDeals>,
    /// Deals that were won.
    won_deals: Option<MovedDeals>,
    /// Deals that were lost.
    lost_deals: Option<MovedDeals>,
    /// How old deals are.
    average_age_in_days: Option<AverageAge>,
}

/// How often something moved.
#[record]
struct Movements {
    /// How often.
    count: Option<i64>,
}

/// Some deals and what they are worth.
#[record]
struct MovedDeals {
    /// How many there are.
    count: Option<i64>,
    /// Their IDs.
    deals_ids: Option<Vec<i64>>,
    /// What they are worth, by currency.
    values: Option<MapOf<f64>>,
    /// The same as a text, by currency.
    formatted_values: Option<MapOf<String>>,
}

/// How old deals are, in days.
#[record]
struct AverageAge {
    /// In all stages together.
    across_all_stages: Option<f64>,
    /// In each stage.
    by_stages: Option<Vec<StageAge>>,
}

/// How long deals have been in a stage.
#[record]
struct StageAge {
    /// The stage.
    stage_id: Option<i64>,
    /// How many days.
    value: Option<f64>,
}
