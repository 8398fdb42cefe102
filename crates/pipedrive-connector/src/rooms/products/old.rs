//! Products, as API v1 shows them.

use connector_core::declare::{Both, Id, MapOf, UtcTime};
use connector_core::{action, record};

use crate::account_fields::{OfDeals, OfProducts};
use crate::data_sources::SelectPerson;
use crate::rooms::deals::{OldDealIds, OldDealParts};
use crate::types::{ByStart, VisibleToText, WithFields};

/// Get Person Products
///
/// List products associated with a person
#[action(
    get("/api/v1/persons/{person_id}/products"),
    scopes("contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<MapOf<PersonProduct>>),
    with(ByStart)
)]
struct GetPersonProducts {
    /// The person whose products to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// The deal of a person's product, as API v1 has deals; custom fields stand beside its own.
type DealOfPersonProduct = Both<PersonProductDeal, Both<OldDealIds, OldDealParts>>;

/// A product of a person's deal, under the ID of the deal.
#[record]
struct PersonProduct {
    /// The deal, as API v1 has deals.
    deal: Option<WithFields<DealOfPersonProduct, OfDeals>>,
    /// The product, as API v1 has products.
    product: Option<WithFields<OldProduct, OfProducts>>,
}

/// The further members of a deal beside a person's product.
#[record]
struct PersonProductDeal {
    /// The company that the account belongs to.
    company_id: Option<i64>,
    /// The time at which the deal was first made, in UTC.
    first_add_time: Option<UtcTime>,
}

/// A product of API v1.
#[record]
struct OldProduct {
    /// The ID of the product.
    id: Option<i64>,
    /// The company that the account belongs to.
    company_id: Option<i64>,
    /// Its name.
    name: Option<String>,
    /// Its code.
    code: Option<String>,
    /// Its description.
    description: Option<String>,
    /// The unit in which it is sold.
    unit: Option<String>,
    /// The tax, in percent.
    tax: Option<f64>,
    /// The ID of its category.
    category: Option<String>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// True if it can be added to deals.
    selectable: Option<bool>,
    /// The first letter of its name.
    first_char: Option<String>,
    /// Its visibility.
    visible_to: Option<VisibleToText>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// The number of its files.
    files_count: Option<i64>,
    /// The time at which it was added to the deal, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// The deal that it was added to.
    deal_id: Option<i64>,
}
