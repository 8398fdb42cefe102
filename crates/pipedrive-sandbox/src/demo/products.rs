//! The demo's products, and their attachments to deals.

use serde_json::{Value, json};

use crate::demo::filters::add_filter;
use crate::demo::rows::{build_record, make_time};
use crate::engine::state::State;
use crate::objects::deal_products;
use crate::value::record::{read_id, read_text};

/// Name, code, unit, tax, category, billing frequency, billing cycles, price by currency.
type Product = (&'static str, &'static str, &'static str, f64, u64, &'static str, Option<u64>, &'static [(&'static str, u64, u64)]);

const PRODUCTS: &[Product] = &[
    ("Website", "1001", "piece", 20.0, 2, "one-time", None, &[("EUR", 2400, 900), ("USD", 2600, 980), ("GBP", 2100, 780)]),
    ("Licence", "1002", "seat", 20.0, 2, "annually", None, &[("EUR", 120, 0), ("USD", 130, 0)]),
    ("Support plan", "1003", "hour", 0.0, 2, "monthly", Some(12), &[("EUR", 90, 40)]),
    ("Desk sensor", "1004", "piece", 24.0, 1, "one-time", None, &[("EUR", 35, 18), ("GBP", 30, 16)]),
];

/// Deal, product, price, quantity, discount in percent, tax method.
const ATTACHED: &[(u64, u64, u64, u64, u64, &str)] =
    &[(1, 1, 2400, 1, 10, "exclusive"), (1, 2, 120, 5, 0, "exclusive"), (2, 3, 90, 2, 0, "none"), (3, 4, 35, 40, 5, "inclusive")];

pub(super) fn add(state: &mut State) {
    for (n, product) in (1_u64..).zip(PRODUCTS) {
        let prices =
            |id: u64| product.7.iter().map(move |(currency, price, cost)| build_price(id, currency, *price, *cost)).collect::<Value>();
        state.insert(
            "products",
            build_record(json!({
                "name": product.0, "code": product.1, "description": format!("{}, as in our price list.", product.0), "unit": product.2,
                "tax": product.3, "category": product.4, "is_linkable": true, "is_deleted": false, "visible_to": 3, "owner_id": 1 + n % 4,
                "add_time": make_time(n, n), "update_time": make_time(n + 9, n), "billing_frequency": product.5, "billing_frequency_cycles": product.6,
                "prices": prices(n), "custom_fields": {},
            })),
        );
    }
    for (n, (name, price)) in (1_u64..).zip([("Battery", 38), ("Wired", 32)]) {
        let price = json!({
            "product_variation_id": n, "price": price, "currency": "EUR", "cost": 18, "direct_cost": null, "notes": "",
        });
        state.insert("productVariations", build_record(json!({ "name": name, "product_id": 4, "prices": [price], "is_deleted": false })));
    }
    attach(state);
    add_filter(state, "Products sold by the piece", "products", "product", &[("unit", "=", "piece"), ("tax", ">", "0")]);
}

fn build_price(id: u64, currency: &str, price: u64, cost: u64) -> Value {
    json!({ "product_id": id, "price": price, "currency": currency, "cost": cost, "direct_cost": null, "notes": "" })
}

/// Attaches the products above, and one product each to the first person's deal and to some open and won deals.
fn attach(state: &mut State) {
    let list_deals = |status: &'static str, skip: usize| {
        let deals = state.live("deals").filter(move |deal| read_text(deal, "status") == status);
        deals.filter_map(read_id).filter(|id| *id > 3).skip(skip).step_by(6).take(8).collect::<Vec<_>>()
    };
    let first_persons_deal = state.live("deals").find(|deal| deal.get("person_id").and_then(Value::as_u64) == Some(1)).and_then(read_id);
    let more: Vec<u64> = first_persons_deal.into_iter().chain(list_deals("open", 1)).chain(list_deals("won", 0)).collect();
    for (deal, product, price, quantity, discount, method) in ATTACHED {
        attach_one(state, *deal, *product, *price, *quantity, *discount, method);
    }
    for (n, deal) in (0_u64..).zip(more) {
        let (product, price) = [(1, 2400), (2, 120), (3, 90), (4, 35)][usize::try_from(n % 4).unwrap_or(0)];
        attach_one(state, deal, product, price, 1 + n % 5, 0, "none");
    }
}

fn attach_one(state: &mut State, deal: u64, product: u64, price: u64, quantity: u64, discount: u64, method: &str) {
    let read_product = |name: &str| state.get("products", product).and_then(|product| product.get(name)).cloned();
    let deal = state.get("deals", deal).cloned().unwrap_or_default();
    let time = read_text(&deal, "update_time").to_owned();
    let order = deal_products::list_rows(state, &deal).count() + 1;
    let row = build_record(json!({
        "product_id": product, "item_price": price, "quantity": quantity, "tax": read_product("tax"), "comments": "", "discount": discount,
        "discount_type": "percentage", "tax_method": method, "is_enabled": true, "billing_frequency": read_product("billing_frequency"),
        "billing_frequency_cycles": read_product("billing_frequency_cycles"), "deal_id": deal.get("id"), "order_nr": order,
        "add_time": time, "update_time": time, "is_deleted": false,
    }));
    state.insert(deal_products::TABLE, row);
    deal_products::set_value(state, deal, &time);
}
