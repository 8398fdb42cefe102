// Errors that only the value of a constant can tell: an alias hides an Option from the tokens.

mod option_in_path {
    use connector_core::action;
    use connector_core::declare::{Id, Json};

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: Option<Id>,
    }
}

mod option_in_path_by_another_name {
    use connector_core::action;
    use connector_core::declare::{Id, Json};

    type MaybeId = Option<Id>;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: MaybeId,
    }
}

include!("../with/connector.rs");

fn main() {}
