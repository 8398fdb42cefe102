//! The search for products.

use connector_core::declare::{Either, List, Text};
use connector_core::{action, record};

use super::product::ProductPrice;
use crate::types::{ByCursor, Found, Named, VisibleTo};

/// Search Products
///
/// Search products
#[action(
    get("/api/v2/products/search"),
    scopes("products:read", "products:full", "search:read"),
    cost = 20,
    returns(Found<FoundProduct>),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchProducts {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// The fields to search. Left out, all of them.
    fields: Option<List<ProductSearchField>>,
    /// True if the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<ProductSearchExtra>,
}

/// A field that a search for products can look in.
#[record]
enum ProductSearchField {
    Code,
    CustomFields,
    Name,
}

/// A further field that a search for products can include.
#[record]
enum ProductSearchExtra {
    #[wire("product.price")]
    Price,
}

/// A product as a search shows it.
#[record]
struct FoundProduct {
    /// The ID of the product.
    id: i64,
    /// The kind of record, product.
    r#type: Option<String>,
    /// Its name.
    name: Option<String>,
    /// Its code.
    code: Option<Either<i64, String>>,
    /// Its visibility.
    visible_to: Option<VisibleTo>,
    /// The user who owns it.
    #[flat(id("ownerId"))]
    owner: Option<Named>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<String>>,
    /// Its prices; only where they were asked for.
    prices: Option<Vec<ProductPrice>>,
}
