// Errors that tokens alone can tell: each module is one wrong declaration.

mod action_without_doc {
    use connector_core::action;

    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod label_without_description {
    use connector_core::action;

    /// Get Deal
    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod field_without_doc {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        deal_id: connector_core::declare::Id,
    }
}

mod record_without_doc {
    use connector_core::record;

    #[record]
    struct Deal {
        /// Its ID.
        id: i64,
    }
}

mod member_without_doc {
    use connector_core::record;

    /// A deal.
    #[record]
    struct Deal {
        id: i64,
    }
}

mod unknown_method {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(fetch("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod unknown_word {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), price = 1, returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod two_endpoints {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), post("/v2/deals"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod path_without_slash {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod path_variable_without_field {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        id: connector_core::declare::Id,
    }
}

mod place_of_a_path_variable {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        #[query]
        deal_id: connector_core::declare::Id,
    }
}

mod returns_missing {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod two_places {
    use connector_core::action;

    /// Add Deal
    ///
    /// Add a deal
    #[action(post("/v2/deals"), returns(connector_core::declare::Json))]
    struct AddDeal {
        /// The owner of the deal.
        #[query]
        #[form]
        owner_id: connector_core::declare::Id,
    }
}

mod doubled_wire_name {
    use connector_core::action;

    /// Get Deals
    ///
    /// Get all deals
    #[action(get("/v2/deals"), returns(connector_core::declare::Json))]
    struct GetDeals {
        /// Only deals of this owner.
        owner_id: Option<connector_core::declare::Id>,
        /// Only deals of this user.
        #[wire("owner_id")]
        user_id: Option<connector_core::declare::Id>,
    }
}

mod two_inputs_of_one_name {
    use connector_core::action;

    /// Get Deals
    ///
    /// Get all deals
    #[action(get("/v2/deals"), returns(connector_core::declare::Json))]
    struct GetDeals {
        /// Only deals of this owner.
        owner_id: Option<connector_core::declare::Id>,
        /// Only deals of this user.
        #[allow(non_snake_case)]
        ownerId: Option<connector_core::declare::Id>,
    }
}

mod member_twice {
    use connector_core::record;

    /// A deal.
    #[record]
    struct Deal {
        /// Its ID.
        id: i64,
        /// Its number.
        #[wire("id")]
        number: i64,
    }
}

mod instead_of_nothing {
    use connector_core::action;

    /// Add Person
    ///
    /// Add a person
    #[action(post("/v2/persons"), returns(connector_core::declare::Json))]
    struct AddPerson {
        /// The email address.
        #[instead_of(emails)]
        email: Option<String>,
    }
}

mod time_of_nothing {
    use connector_core::inputs;

    #[inputs]
    struct Due {
        /// The day on which it is due.
        due_day: Option<connector_core::declare::Date>,
        /// The time of day.
        #[time_of(due_date)]
        due_time: Option<String>,
    }
}

mod two_times_of_a_date {
    use connector_core::inputs;

    #[inputs]
    struct Meeting {
        /// The day.
        day: Option<connector_core::declare::Date>,
        /// The time at which it begins.
        #[time_of(day)]
        begin: Option<String>,
        /// The time at which it ends.
        #[time_of(day)]
        end: Option<String>,
    }
}

mod unknown_change_of_a_view {
    use connector_core::record;

    /// A deal.
    #[record]
    struct Deal {
        /// True if it is deleted.
        #[flat("active", turned)]
        is_deleted: Option<bool>,
    }
}

mod empty_place_in_a_view {
    use connector_core::record;

    /// A deal.
    #[record]
    struct Deal {
        /// True if it is deleted.
        #[flat()]
        is_deleted: Option<bool>,
    }
}

mod tuple_struct {
    use connector_core::{action, record};

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct GetDeal(connector_core::declare::Id);

    /// A deal.
    #[record]
    struct Deal(i64);
}

mod enum_as_action {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals"), returns(connector_core::declare::Json))]
    enum GetDeal {
        One,
        All,
    }
}

mod record_with_words {
    use connector_core::record;

    /// A deal.
    #[record(closed)]
    struct Deal {
        /// Its ID.
        id: i64,
    }

    /// The status of a deal.
    #[record(open)]
    enum DealStatus {
        Open,
        Won,
    }
}

mod value_with_fields {
    use connector_core::record;

    /// The status of a deal.
    #[record]
    enum DealStatus {
        Open,
        Lost(String),
    }
}

mod variable_beside_text {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}.json"), returns(connector_core::declare::Json))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }

    /// Get Person
    ///
    /// Get details of a person
    #[action(get("/v2/persons/{{person_id}}"), returns(connector_core::declare::Json))]
    struct GetPerson {
        /// The person to read.
        person_id: connector_core::declare::Id,
    }
}

mod word_twice {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(get("/v2/deals/{deal_id}"), cost = 1, returns(connector_core::declare::Json), cost = 2)]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod removed_with_inputs {
    use connector_core::action;

    /// Get Subscription
    ///
    /// Get details of a subscription
    #[action(removed("Read the deal's products."))]
    struct GetSubscription {
        /// The subscription to read.
        subscription_id: connector_core::declare::Id,
    }

    /// Delete Subscription
    ///
    /// Delete a subscription
    #[action(removed("Delete the deal's product."), cost = 1)]
    struct DeleteSubscription;
}

mod code_without_endpoint {
    use connector_core::action;

    /// Get Deal
    ///
    /// Get details of a deal
    #[action(by_hand(run))]
    struct GetDeal {
        /// The deal to read.
        deal_id: connector_core::declare::Id,
    }
}

mod any_scope_and_several {
    use connector_core::action;

    /// Bill Deal
    ///
    /// Read a deal, and add an invoice for it
    #[action(scopes("deals:read"), scopes_all(["deals:read"], ["invoices:full"]))]
    struct BillDeal {
        /// The deal to bill.
        deal_id: connector_core::declare::Id,
    }

    /// Find Deal
    ///
    /// Find a deal
    #[action(scopes_all(["deals:read", "deals:full"]))]
    struct FindDeal {
        /// The text to look for.
        term: connector_core::declare::Text,
    }

    /// Copy Deal
    ///
    /// Copy a deal
    #[action(scopes_all(["deals:full"], []))]
    struct CopyDeal {
        /// The deal to copy.
        deal_id: connector_core::declare::Id,
    }

    /// Lose Deal
    ///
    /// Lose a deal
    #[action(scopes_all("deals:full", "deals:read"))]
    struct LoseDeal {
        /// The deal that is lost.
        deal_id: connector_core::declare::Id,
    }
}

mod group_with_words {
    use connector_core::inputs;

    #[inputs(query)]
    struct ByStart {
        /// The place at which to start.
        start: Option<connector_core::declare::Start>,
    }
}

mod sentence_of_a_group_outside_a_group {
    use connector_core::action;

    /// Update Deal
    ///
    /// Update a deal
    #[action(patch("/v2/deals/{deal_id}"), returns(connector_core::declare::Json))]
    struct UpdateDeal {
        /// The deal to change.
        deal_id: connector_core::declare::Id,
        /// The title of the deal.
        #[on_update("Another title.")]
        title: Option<String>,
    }
}

fn main() {}

mod open_record_with_type_parameters {
    use connector_core::record;

    /// The records that a search found.
    #[record(open)]
    struct Found<Item> {
        /// The records.
        items: Vec<Item>,
    }
}

mod change_by_another_method {
    use connector_core::action;

    /// Update Deal
    ///
    /// Update a deal
    #[action(patch("/v2/deals/{deal_id}"), changes, returns(connector_core::declare::Json))]
    struct UpdateDeal {
        /// The deal to change.
        deal_id: connector_core::declare::Id,
    }
}

mod list_to_find_in_without_its_members {
    use connector_core::action;

    /// Add Deal
    ///
    /// Add a deal
    #[action(post("/v2/deals"), returns(connector_core::declare::Json), found_in(GetDeals, since = "updatedSince"))]
    struct AddDeal {}
}
