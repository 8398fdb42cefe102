//! Pipelines: the ways that deals go.

use connector_core::{DateTime, Id, Text, action, record};

use crate::types::{Deleted, Limit, SortBy, SortDirection};

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
#[action(get("/api/v2/pipelines"), scopes("deals:read", "deals:full", "admin"), cost = 5, returns(Vec<Pipeline>))]
struct GetPipelines {
    /// What to sort by. Left out, the ID.
    sort_by: Option<SortBy>,
    /// Which way to sort. Left out, ascending.
    sort_direction: Option<SortDirection>,
    /// How many pipelines a page has, at most 500. Left out, 100.
    limit: Option<Limit>,
    /// Where to go on: `page.next` of the page before. Left out, the first page is read.
    cursor: Option<Text>,
}

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
