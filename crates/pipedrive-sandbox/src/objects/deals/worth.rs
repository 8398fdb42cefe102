//! The value of a deal, weighted by its probability.

use serde_json::Value;

use crate::engine::state::State;
use crate::value::money;
use crate::value::record::{Record, flag, text};

/// Computes a deal's value times its probability.
/// That is the deal's own, or else its stage's if the pipeline uses probabilities.
pub(super) fn weigh(state: &State, deal: &Record) -> f64 {
    let from_stage = || {
        let pipeline = state.linked(deal, "pipeline_id", "pipelines")?;
        flag(pipeline, "is_deal_probability_enabled")
            .then(|| state.linked(deal, "stage_id", "stages")?.get("deal_probability")?.as_f64())?
    };
    let probability = match text(deal, "status") {
        "won" => 100.0,
        "lost" => 0.0,
        _ => deal.get("probability").and_then(Value::as_f64).or_else(from_stage).unwrap_or(100.0),
    };
    money::round(money::amount(deal) * probability / 100.0)
}
