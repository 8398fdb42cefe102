use connector_core::action;
use connector_core::declare::{Json, List, Nullable, Text};

include!("../with/connector.rs");

/// Get Deals
///
/// Get all deals
#[action(get("/v2/deals"), returns(Vec<Json>))]
struct GetDeals {
    /// The tags to look for.
    tags: Option<List<Nullable<Text>>>,
}

fn main() {}
