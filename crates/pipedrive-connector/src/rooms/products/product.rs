//! A product that an account sells.

use connector_core::declare::InputValue::Texts;
use connector_core::declare::{DateTime, Either, Id, List, MatchBy, MatchKey, Nullable, Text};
use connector_core::{action, inputs, record};

use crate::account_fields::OfProducts;
use crate::data_sources::{SelectFilter, SelectProduct, SelectProductFieldOption, SelectUser};
use crate::types::{ByCursor, CUSTOM_FIELD, Choosing, CustomFields, Deleted, Sorted, VisibleTo};

/// Add Product
///
/// Add a product
#[action(
    post("/api/v2/products"),
    scopes("products:full"),
    cost = 5,
    returns(Product),
    with(ProductInputs),
    rules(
        only_with("billingFrequencyCycles", "billingFrequency", RECURRING, Some("one-time")),
        required_with("billingFrequencyCycles", "billingFrequency", &["weekly"])
    )
)]
struct AddProduct {
    /// The name of the product.
    name: Text,
}

/// Get Product
///
/// Get one product
#[action(get("/api/v2/products/{product_id}"), scopes("products:read", "products:full"), cost = 1, returns(Product))]
pub(crate) struct GetProduct {
    /// The product to read.
    #[source(SelectProduct)]
    product_id: Id,
}

/// Get Products
///
/// Get all products
#[action(get("/api/v2/products"), scopes("products:read", "products:full"), cost = 10, returns(Vec<Product>), with(Sorted<ProductSortBy>, Choosing<OfProducts>, ByCursor))]
pub(crate) struct GetProducts {
    /// Only products of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// The products to read, at most 100; those that are not there or not visible are left out.
    /// Left out, all are read.
    #[source(SelectProduct)]
    ids: Option<List<Id>>,
    /// A filter of the account; it overrides the IDs. Left out, none applies.
    #[overrides(ids)]
    #[source(SelectFilter, type = "products")]
    filter_id: Option<Id>,
    /// Only products changed at this moment or later, with its zone. Left out, no matter when.
    updated_since: Option<DateTime>,
}

/// Update Product
///
/// Update a product
#[action(
    patch("/api/v2/products/{product_id}"),
    scopes("products:full"),
    cost = 5,
    returns(Product), record(GetProduct),
    with(ProductInputs),
    rules(
        only_with("billingFrequencyCycles", "billingFrequency", RECURRING, None),
        not_null_with("billingFrequencyCycles", "billingFrequency", &["weekly"])
    )
)]
struct UpdateProduct {
    /// The product to change.
    #[source(SelectProduct)]
    product_id: Id,
    /// The name of the product. Left out, it stays.
    name: Option<Text>,
}

/// Upsert Product
///
/// Update the product that has a code or another value, or add one that has it
#[action(
    upsert(SelectProduct, add = AddProduct, update = UpdateProduct, by = PRODUCT_KEYS),
    scopes_all(["products:read", "products:full", "search:read"], ["products:read", "products:full"], ["products:full"]),
    cost = 21,
    returns(Product),
    with(ProductInputs)
)]
struct UpsertProduct {
    /// The input to match by: code or name, or the name or key of a custom field; or a list of these.
    #[own]
    match_by: MatchBy,
    /// The name of the product; one that is added needs it. Left out, it stays.
    name: Option<Text>,
}

/// The values by which a product is found.
const PRODUCT_KEYS: &[MatchKey] = &[
    MatchKey::code("code", "code").narrowed_by(&[("fields", Texts(&["code"]))]),
    MatchKey::text("name", "name").narrowed_by(&[("fields", Texts(&["name"]))]),
    CUSTOM_FIELD,
];

/// Delete Product
///
/// Delete a product
#[action(delete("/api/v2/products/{product_id}"), scopes("products:full"), cost = 3, returns(Deleted), record(GetProduct))]
struct DeleteProduct {
    /// The product to delete; after 30 days it is gone for good.
    #[source(SelectProduct)]
    product_id: Id,
}

/// The inputs that adding and updating a product share.
#[inputs]
struct ProductInputs {
    /// The code of the product. Left out, it has none.
    code: Option<String>,
    /// The description of the product. Left out, there is none.
    description: Option<String>,
    /// The unit in which it is sold. Left out, it has none.
    unit: Option<String>,
    /// The tax, in percent. Left out, it is 0.
    tax: Option<f64>,
    /// The ID of the category. Left out, it is in none.
    #[source(SelectProductFieldOption, field_code = "category")]
    category: Option<i64>,
    /// The user who owns the product. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// True if it can be added to deals. Left out, it can.
    is_linkable: Option<bool>,
    /// The visibility of the product. Left out, the default of the user applies.
    visible_to: Option<VisibleTo>,
    /// The prices of the product, one for each currency. Left out, it costs 0 in the user's currency.
    #[on_update("All prices of the product, one per currency; they replace those it has. Left out, they stay.")]
    prices: Option<Vec<Price>>,
    /// Custom fields by their names or 40-character keys. Left out, none is set.
    #[on_update("Custom fields by their names or 40-character keys; null clears one. Left out, all stay.")]
    custom_fields: Option<CustomFields<OfProducts>>,
    /// The billing frequency; another than one-time needs the Growth plan or above. Left out, once.
    billing_frequency: Option<BillingFrequency>,
    /// The number of times it is billed, at most 208; null is without end. Left out, without end.
    billing_frequency_cycles: Option<Nullable<Cycles>>,
}

/// A field to sort products by.
#[record]
enum ProductSortBy {
    Id,
    Name,
    AddTime,
    UpdateTime,
}

/// The frequency at which something is billed.
#[record]
pub(super) enum BillingFrequency {
    #[wire("one-time")]
    OneTime,
    Annually,
    #[wire("semi-annually")]
    SemiAnnually,
    Quarterly,
    Monthly,
    Weekly,
}

/// The billing frequencies that repeat.
pub(super) const RECURRING: &[&str] = &["annually", "semi-annually", "quarterly", "monthly", "weekly"];

/// The number of times that something is billed.
pub(super) type Cycles = crate::types::AtMost<208>;

/// The price of a product in one currency.
#[record]
struct Price {
    /// The three-letter code of the currency.
    currency: String,
    /// The price that a customer pays.
    price: Option<f64>,
    /// The cost of one piece to the company.
    cost: Option<f64>,
    /// The direct cost of one piece to the company.
    direct_cost: Option<f64>,
    /// A note about the price.
    notes: Option<String>,
}

/// A product.
#[record]
struct Product {
    /// The ID of the product.
    id: i64,
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
    category: Option<Either<i64, String>>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// True if it can be added to deals.
    is_linkable: Option<bool>,
    /// True if it is deleted.
    #[flat("activeFlag", not)]
    is_deleted: Option<bool>,
    /// Its visibility.
    visible_to: Option<i64>,
    /// Its prices, one for each currency.
    prices: Option<Vec<ProductPrice>>,
    /// The billing frequency.
    billing_frequency: Option<BillingFrequency>,
    /// The number of times it is billed; null is without end.
    billing_frequency_cycles: Option<i64>,
    /// Custom fields by their 40-character keys.
    custom_fields: Option<CustomFields<OfProducts>>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}

/// The price of a product in one currency, as it is kept.
#[record]
pub(super) struct ProductPrice {
    /// The ID of the product.
    product_id: Option<i64>,
    /// The three-letter code of the currency.
    currency: Option<String>,
    /// The price that a customer pays.
    price: Option<f64>,
    /// The cost of one piece to the company.
    cost: Option<f64>,
    /// The direct cost of one piece to the company.
    direct_cost: Option<f64>,
    /// A note about the price.
    notes: Option<String>,
}
