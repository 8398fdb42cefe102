// Errors of data sources that tokens alone can tell: each module is one wrong declaration.

mod data_source_incomplete {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal.
    #[data_source(search(SearchDeals), label("{title}"))]
    struct SelectDeal;

    /// Select Stage
    ///
    /// Select a stage.
    #[data_source(list(GetStages), search(SearchStages))]
    struct SelectStage;

    /// Select User
    ///
    /// Select a user.
    #[data_source(list(GetUsers), find(FindUsers), label("{name}"))]
    struct SelectUser;
}

mod term_without_search {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), term = "query", label("{title}"))]
    struct SelectDeal;
}

mod label_without_member {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), label("Deal"))]
    struct SelectDeal;
}

mod label_with_open_brace {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), label("{title"))]
    struct SelectDeal;
}

mod label_with_surplus_brace {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), label("{title}}"))]
    struct SelectDeal;
}

mod label_with_empty_path {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), label("{owner.}"))]
    struct SelectDeal;
}

mod key_that_is_no_path {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), key("owner..id"), label("{title}"))]
    struct SelectDeal;
}

mod source_by_hand_with_words {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(by_hand, label("{title}"))]
    struct SelectDeal;
}

mod source_without_list {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(label("{title}"))]
    struct SelectDeal;
}

mod two_places_to_look_in {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), search(SearchDeals), kept, label("{title}"))]
    struct SelectDeal;
}

mod members_without_a_whole_list {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), only(active = true), label("{title}"))]
    struct SelectDeal;
}

mod member_that_is_compared_with_a_float {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), kept, only(value = 1.5), label("{title}"))]
    struct SelectDeal;
}

mod fields_of_a_derived_source {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), label("{title}"))]
    struct SelectDeal {
        /// The owner.
        owner_id: i64,
    }
}

mod exact_without_a_search {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), exact = "exact_match", label("{title}"))]
    struct SelectDeal;
}

mod names_that_a_search_alone_finds {
    use connector_core::data_source;

    /// Select Deal
    ///
    /// Select a deal
    #[data_source(list(GetDeals), search(SearchDeals), named(name), label("{title}"))]
    struct SelectDeal;
}

fn main() {}
