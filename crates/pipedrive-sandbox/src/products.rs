//! What a product demands: its prices, how it is billed, its variations and copies.

use serde_json::{Value, json};

use crate::answer::{Call, Deed, success};
use crate::collections::known;
use crate::engine::read::{named, record};
use crate::engine::state::State;
use crate::engine::{fields, write};
use crate::rules::Draft;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, text};

pub(crate) const DEEDS: &[(&str, &str, Deed)] = &[("POST", "/api/v2/products/{id}/duplicate", duplicate)];

const MAX_CYCLES: u64 = 208;

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("name")?;
    not_negative(draft, "tax")?;
    billing(draft)?;
    if let Some(category) = draft.call.body.get("category").filter(|_| draft.brings("category"))
        && let Some(field) = fields::by_code(draft.state, "productFields", "category")
    {
        fields::known_option(field, category).map_err(|reason| Failure::invalid("category", reason))?;
    }
    let free = json!([{ "price": 0, "currency": write::currency(draft.state, draft.call) }]);
    prices(draft, &free)
}

pub(crate) fn variation(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("name")?;
    prices(draft, &json!([]))
}

pub(crate) fn not_negative(draft: &Draft, field: &str) -> Result<(), Failure> {
    match draft.row.get(field).and_then(Value::as_f64) {
        Some(number) if number < 0.0 => Err(Failure::invalid(field, "must not be negative")),
        _ => Ok(()),
    }
}

/// What is billed once has no cycles, and what is billed weekly needs them.
pub(crate) fn billing(draft: &Draft) -> Result<(), Failure> {
    let wrong = |reason: String| Err(Failure::invalid("billing_frequency_cycles", reason));
    match (text(draft.row, "billing_frequency"), draft.row.get("billing_frequency_cycles")) {
        ("one-time", Some(_)) => wrong("must be null where the billing frequency is one-time".to_owned()),
        ("weekly", None) => wrong("is required where the billing frequency is weekly".to_owned()),
        (_, Some(cycles)) if !cycles.as_u64().is_some_and(|cycles| (1..=MAX_CYCLES).contains(&cycles)) => {
            wrong(format!("must be between 1 and {MAX_CYCLES}"))
        }
        _ => Ok(()),
    }
}

/// The prices that a body brings replace all that were there; a new record without any has those of its kind.
fn prices(draft: &mut Draft, otherwise: &Value) -> Result<(), Failure> {
    let given = match draft.call.body.get("prices") {
        Some(given) => given,
        None if draft.before.is_none() => otherwise,
        None => return Ok(()),
    };
    let mut kept: Vec<Value> = Vec::new();
    for price in given.as_array().into_iter().flatten() {
        let price = one_price(price).map_err(|reason| Failure::invalid("prices", reason))?;
        if kept.iter().any(|other| other["currency"] == price["currency"]) {
            return Err(Failure::invalid("prices", "must have one price for each currency"));
        }
        kept.push(price);
    }
    draft.set("prices", kept);
    Ok(())
}

fn one_price(given: &Value) -> Result<Value, String> {
    const KNOWN: &[&str] = &["product_id", "product_variation_id", "price", "currency", "cost", "direct_cost", "notes"];
    let fields = given.as_object().ok_or("each must be an object")?;
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("{unknown} is unknown"));
    }
    let number = |name: &str, otherwise: Value| match fields.get(name).filter(|value| !value.is_null()) {
        Some(value) if value.as_f64().is_some_and(|number| number >= 0.0) => Ok(value.clone()),
        Some(_) => Err(format!("{name} must be a number, and not negative")),
        None => Ok(otherwise),
    };
    if !fields.get("price").is_some_and(Value::is_number) || !fields::is_currency(text(fields, "currency")) {
        return Err("each needs a price and a currency's three letters".to_owned());
    }
    Ok(json!({
        "price": number("price", 0.into())?, "currency": text(fields, "currency"), "cost": number("cost", 0.into())?,
        "direct_cost": number("direct_cost", Value::Null)?, "notes": text(fields, "notes"),
    }))
}

pub(crate) fn after(state: &mut State, _: &Call, _: Option<&Record>, product: &Record) {
    own_prices(state, "products", "product_id", product);
}

pub(crate) fn after_variation(state: &mut State, _: &Call, _: Option<&Record>, variation: &Record) {
    own_prices(state, "productVariations", "product_variation_id", variation);
}

/// Each price names what it is the price of, whose id is known only now.
pub(crate) fn own_prices(state: &mut State, table: &str, field: &str, owner: &Record) {
    let is_owner = |row: &Record| row.get("id") == owner.get("id");
    state.change(table, is_owner, |row| {
        for price in row.get_mut("prices").and_then(Value::as_array_mut).into_iter().flatten() {
            price[field] = owner.get("id").cloned().unwrap_or_default();
        }
    });
}

/// A copy of a product with its prices, custom fields and variations.
fn duplicate(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let products = known("products");
    let product = named(state, call, products).filter(|row| !is_deleted(row)).cloned().ok_or_else(|| call.missing(products.label))?;
    let variations: Vec<Record> =
        state.live("productVariations").filter(|row| row.get("product_id") == product.get("id")).cloned().collect();
    let id = copy(state, call, "products", product);
    let made = state.get("products", id).cloned().unwrap_or_default();
    own_prices(state, "products", "product_id", &made);
    for mut variation in variations {
        variation.insert("product_id".to_owned(), id.into());
        let variation = copy(state, call, "productVariations", variation);
        let made = state.get("productVariations", variation).cloned().unwrap_or_default();
        own_prices(state, "productVariations", "product_variation_id", &made);
    }
    let made = state.get("products", id).map(|row| record(state, call, products, row));
    Ok(success(made.unwrap_or_default()))
}

fn copy(state: &mut State, call: &Call, table: &str, mut row: Record) -> u64 {
    row.shift_remove("id");
    for time in ["add_time", "update_time"] {
        row.insert(time.to_owned(), stamp(call.now).into());
    }
    state.insert(table, row)
}
