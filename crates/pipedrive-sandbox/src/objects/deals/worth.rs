//! The values of deals: weighted by their probability, and summed by currency.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::state::State;
use crate::value::money;
use crate::value::record::{Record, read_flag, read_text};

/// Computes a deal's value times its probability.
/// That is the deal's own, or else its stage's if the pipeline uses probabilities.
pub(super) fn weigh(state: &State, deal: &Record) -> f64 {
    let from_stage = || {
        let pipeline = state.find_linked(deal, "pipeline_id", "pipelines")?;
        read_flag(pipeline, "is_deal_probability_enabled")
            .then(|| state.find_linked(deal, "stage_id", "stages")?.get("deal_probability")?.as_f64())?
    };
    let probability = match read_text(deal, "status") {
        "won" => 100.0,
        "lost" => 0.0,
        _ => deal.get("probability").and_then(Value::as_f64).or_else(from_stage).unwrap_or(100.0),
    };
    money::round(money::read_amount(deal) * probability / 100.0)
}

/// Sums a value of deals for each currency.
pub(super) fn sum_by_currency<'a>(deals: &[&'a Record], value: impl Fn(&Record) -> f64) -> BTreeMap<&'a str, f64> {
    let mut sums = BTreeMap::new();
    for deal in deals {
        *sums.entry(read_text(deal, "currency")).or_default() += value(deal);
    }
    sums
}

/// Writes sums by currency as an object.
pub(super) fn write_sums(sums: &BTreeMap<&str, f64>) -> Value {
    sums.iter().map(|(code, sum)| ((*code).to_owned(), money::to_json(*sum))).collect::<Record>().into()
}
