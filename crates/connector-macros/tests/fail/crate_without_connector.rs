use connector_core::{Id, Json, action};

/// Get Deal
///
/// Get details of a deal
#[action(get("/v2/deals/{deal_id}"), returns(Json))]
struct GetDeal {
    /// The deal to read.
    deal_id: Id,
}

fn main() {}
