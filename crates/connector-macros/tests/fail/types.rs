// Errors that the types tell: each module is one wrong declaration.

mod input_of_another_type {
    use connector_core::action;
    use connector_core::declare::Json;

    /// Get Deals
    ///
    /// Get all deals
    #[action(get("/v2/deals"), returns(Json))]
    struct GetDeals {
        /// The number of deals on a page.
        limit: Option<u32>,
    }
}

mod answer_of_another_type {
    use connector_core::action;
    use connector_core::declare::Id;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(Vec<u32>))]
    struct GetDeal {
        /// The deal to read.
        deal_id: Id,
    }
}

mod member_of_another_type {
    use connector_core::record;

    /// A deal.
    #[record]
    struct Deal {
        /// Its ID.
        id: u32,
    }
}

mod by_hand_without_handler {
    use connector_core::action;
    use connector_core::declare::Id;

    /// Download File
    ///
    /// Download a file
    #[action]
    struct DownloadFile {
        /// The file to download.
        file_id: Id,
    }
}

mod source_that_is_none {
    use connector_core::action;
    use connector_core::declare::{Id, Json};

    struct SelectDeal;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(Json))]
    struct GetDeal {
        /// The deal to read.
        #[source(SelectDeal)]
        deal_id: Id,
    }
}

mod data_source_over_no_action {
    use connector_core::{action, data_source};
    use connector_core::declare::{Json, Text};

    struct SearchDeals;

    /// Get Deals
    ///
    /// Get all deals
    #[action(get("/v2/deals"), returns(Vec<Json>))]
    struct GetDeals {
        /// The cursor to go on from.
        cursor: Option<Text>,
    }

    /// Select Deal
    ///
    /// Select a deal.
    #[data_source(list(GetDeals), search(SearchDeals), label("{title}"))]
    struct SelectDeal;
}

mod data_source_by_hand_without_code {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal.
    #[data_source(by_hand)]
    struct SelectDeal {
        /// The owner of the deals.
        owner_id: connector_core::declare::Id,
    }
}

mod no_group_of_inputs {
    use connector_core::action;
    use connector_core::declare::Json;

    struct ByCursor;

    /// Get Deals
    ///
    /// Get all deals
    #[action(get("/v2/deals"), returns(Vec<Json>), with(ByCursor))]
    struct GetDeals {}
}

include!("../with/connector.rs");

fn main() {}
