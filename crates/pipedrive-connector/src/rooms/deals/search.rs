//! The search for deals.

use connector_core::declare::{DateTime, Id, Json, List, Text};
use connector_core::{action, record};

use super::deal::DealStatus;
use crate::data_sources::{SelectOrganization, SelectPerson};
use crate::types::{ByCursor, Found, Named, VisibleTo};

/// Search Deals
///
/// Search deals
#[action(
    get("/api/v2/deals/search"),
    scopes("deals:read", "deals:full", "search:read"),
    cost = 20,
    returns(Found<FoundDeal>),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchDeals {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// The fields to search. Left out, all of them.
    fields: Option<List<DealSearchField>>,
    /// True if the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
    /// Only deals of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only deals of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    organization_id: Option<Id>,
    /// Only deals of this status. Left out, those of all.
    status: Option<DealStatus>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<DealSearchExtra>,
}

/// A field that a search for deals can look in.
#[record]
enum DealSearchField {
    CustomFields,
    Notes,
    Title,
}

/// A further field that a search for deals can include.
#[record]
enum DealSearchExtra {
    #[wire("deal.cc_email")]
    CcEmail,
}

/// A deal as a search shows it.
#[record]
struct FoundDeal {
    /// The ID of the deal.
    id: i64,
    /// The kind of record, deal.
    r#type: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Its value, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// Its status.
    status: Option<DealStatus>,
    /// Its visibility.
    visible_to: Option<VisibleTo>,
    /// The user who owns it.
    #[flat(id("ownerId"))]
    owner: Option<Named>,
    /// The stage it is in.
    #[flat(id("stageId"))]
    stage: Option<Named>,
    /// The linked person.
    #[flat(id("personId"))]
    person: Option<Named>,
    /// The linked organization.
    #[flat(id("orgId"))]
    organization: Option<Named>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<Json>>,
    /// The notes that match.
    notes: Option<Vec<String>>,
    /// True if it is archived.
    is_archived: Option<bool>,
    /// The mail address that files copies with the deal; only where it was asked for.
    cc_email: Option<String>,
    /// The pipeline it is in. A search does not give it.
    #[flat(null)]
    pipeline_id: Option<i64>,
    /// The time at which it was made. A search does not give it.
    #[flat(null)]
    add_time: Option<DateTime>,
    /// The time of its last change. A search does not give it.
    #[flat(null)]
    update_time: Option<DateTime>,
}
