//! Products of a deal, with their quantities and prices.

use connector_core::declare::{Date, DateTime, Id, Nullable};
use connector_core::{action, inputs, record};

use super::product::{BillingFrequency, Cycles, RECURRING};
use crate::data_sources::{SelectDeal, SelectProduct};
use crate::types::{ByCursor, Deleted, Sorted};

/// Add Deal Product
///
/// Add a product to the deal, eventually creating a new item called a deal-product
#[action(
    post("/api/v2/deals/{deal_id}/products"),
    scopes("products:full", "deals:full"),
    cost = 5,
    returns(DealProduct),
    with(DealProductInputs),
    rules(
        only_with("billingFrequencyCycles", "billingFrequency", RECURRING, Some("one-time")),
        required_with("billingFrequencyCycles", "billingFrequency", &["weekly"])
    )
)]
struct AddDealProduct {
    /// The deal to add the product to.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The product to add.
    #[source(SelectProduct)]
    product_id: Id,
    /// The price of one piece, in the deal's currency.
    item_price: f64,
    /// The number of pieces.
    quantity: f64,
}

/// Get Deal Products
///
/// List products attached to a deal
#[action(
    get("/api/v2/deals/{deal_id}/products"),
    scopes("products:read", "products:full", "deals:read", "deals:full"),
    cost = 10,
    returns(Vec<DealProduct>),
    with(Sorted<DealProductSortBy>, ByCursor)
)]
struct GetDealProducts {
    /// The deal whose products to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Update Deal Product
///
/// Update product attachment details of the deal-product (a product already attached to a deal)
#[action(
    patch("/api/v2/deals/{deal_id}/products/{product_attachment_id}"),
    scopes("products:full", "deals:full"),
    cost = 5,
    returns(DealProduct),
    with(DealProductInputs),
    rules(
        only_with("billingFrequencyCycles", "billingFrequency", RECURRING, None),
        not_null_with("billingFrequencyCycles", "billingFrequency", &["weekly"])
    )
)]
struct UpdateDealProduct {
    /// The deal that has the product.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The ID under which the deal has the product, as getDealProducts gives it; not the product's ID.
    product_attachment_id: Id,
    /// Another product in its place. Left out, it stays.
    #[source(SelectProduct)]
    product_id: Option<Id>,
    /// The price of one piece, in the deal's currency. Left out, it stays.
    item_price: Option<f64>,
    /// The number of pieces. Left out, it stays.
    quantity: Option<f64>,
}

/// Delete Deal Product
///
/// Delete an attached product from a deal
#[action(
    delete("/api/v2/deals/{deal_id}/products/{product_attachment_id}"),
    scopes("deals:full", "products:full"),
    cost = 3,
    returns(Deleted)
)]
struct DeleteDealProduct {
    /// The deal that has the product.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The ID under which the deal has the product, as getDealProducts gives it; not the product's ID.
    product_attachment_id: Id,
}

/// The inputs that adding and updating a product of a deal share.
#[inputs]
struct DealProductInputs {
    /// The tax, in percent. Left out, it is 0.
    tax: Option<f64>,
    /// A comment. Left out, there is none.
    comments: Option<String>,
    /// The discount, in percent or as an amount. Left out, there is none.
    discount: Option<f64>,
    /// True if it counts in the deal's value. Left out, it does.
    is_enabled: Option<bool>,
    /// The way tax is reckoned, for all products of the deal. Left out, as the user has set it.
    tax_method: Option<TaxMethod>,
    /// The type of the discount. Left out, a percentage.
    discount_type: Option<DiscountType>,
    /// The variation of the product. Left out, there is none.
    product_variation_id: Option<Nullable<Id>>,
    /// The billing frequency; another than one-time needs the Growth plan or above. Left out, once.
    billing_frequency: Option<BillingFrequency>,
    /// The number of times it is billed, at most 208; null is without end. Left out, without end.
    billing_frequency_cycles: Option<Nullable<Cycles>>,
    /// The day on which it is first billed, within ten years from today. Left out, none is set.
    billing_start_date: Option<Nullable<Date>>,
}

/// A field to sort the products of a deal by.
#[record]
enum DealProductSortBy {
    Id,
    AddTime,
    UpdateTime,
    OrderNr,
}

/// The way tax is reckoned.
#[record]
enum TaxMethod {
    Exclusive,
    Inclusive,
    None,
}

/// The type of a discount.
#[record]
enum DiscountType {
    Percentage,
    Amount,
}

/// A product of a deal.
#[record]
struct DealProduct {
    /// The ID under which the deal has it.
    id: i64,
    /// The deal.
    deal_id: Option<i64>,
    /// The product.
    product_id: Option<i64>,
    /// The variation of the product.
    product_variation_id: Option<i64>,
    /// The name of the product.
    name: Option<String>,
    /// Its place among the deal's products.
    order_nr: Option<i64>,
    /// The price of one piece.
    item_price: Option<f64>,
    /// The number of pieces.
    quantity: Option<f64>,
    /// The price of all of it.
    sum: Option<f64>,
    /// The three-letter code of the currency.
    currency: Option<String>,
    /// The tax, in percent.
    tax: Option<f64>,
    /// The way tax is reckoned.
    tax_method: Option<TaxMethod>,
    /// The discount.
    discount: Option<f64>,
    /// The type of the discount.
    discount_type: Option<DiscountType>,
    /// A comment.
    comments: Option<String>,
    /// True if it counts in the deal's value.
    is_enabled: Option<bool>,
    /// The billing frequency.
    billing_frequency: Option<BillingFrequency>,
    /// The number of times it is billed; null is without end.
    billing_frequency_cycles: Option<i64>,
    /// The day on which it is first billed.
    billing_start_date: Option<Date>,
    /// The time at which it was added.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}
