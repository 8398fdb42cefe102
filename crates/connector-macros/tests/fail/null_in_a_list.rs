use connector_core::{Json, List, Nullable, Text, action};

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
