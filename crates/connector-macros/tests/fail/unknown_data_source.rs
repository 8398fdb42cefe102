use connector_core::action;
use connector_core::declare::{Id, Json};

/// Get Deal
///
/// Get details of a deal
#[action(get("/v2/deals/{deal_id}"), returns(Json))]
struct GetDeal {
    /// The deal to read.
    #[source(SelectDael)]
    deal_id: Id,
}

include!("../with/connector.rs");

fn main() {}
