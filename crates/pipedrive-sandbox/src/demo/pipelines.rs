//! The demo's pipelines and their stages.

use serde_json::json;

use crate::demo::rows::{build_record, make_time};
use crate::engine::state::State;

const PIPELINES: &[(&str, &[(&str, u64)])] = &[
    ("Sales", &[("Qualified", 10), ("Contact made", 20), ("Demo scheduled", 40), ("Proposal made", 60), ("Negotiation", 80)]),
    ("Renewals", &[("Upcoming", 50), ("In talks", 65), ("Offer sent", 80), ("Agreed", 95)]),
];

/// Checks that deals rot in the stage of this name.
fn rots(stage: &str) -> bool {
    stage == "Negotiation"
}

pub(super) fn add(state: &mut State) {
    for (order, (name, stages)) in (1_u64..).zip(PIPELINES) {
        let pipeline = state.insert(
            "pipelines",
            build_record(json!({
                "name": name, "order_nr": order, "is_deleted": false, "is_deal_probability_enabled": true,
                "add_time": make_time(0, order), "update_time": make_time(0, order),
            })),
        );
        for (order, (name, probability)) in (1_u64..).zip(*stages) {
            state.insert(
                "stages",
                build_record(json!({
                    "order_nr": order, "name": name, "is_deleted": false, "deal_probability": probability,
                    "pipeline_id": pipeline, "is_deal_rot_enabled": rots(name), "days_to_rotten": rots(name).then_some(30),
                    "add_time": make_time(0, order), "update_time": make_time(0, order),
                })),
            );
        }
    }
}
