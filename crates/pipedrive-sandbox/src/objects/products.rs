//! Products: their prices, billing, variations and copies.

use serde_json::{Value, json};

use crate::engine::collection::{
    Call, Collection, Draft, FieldTables, NO_COLLECTION, NO_OBJECT, Object, Preset, Search, SearchPlace, V1, Verb,
};
use crate::engine::envelope::wrap;
use crate::engine::fields;
use crate::engine::read::{find_named, shape_data};
use crate::engine::state::State;
use crate::objects::derived;
use crate::objects::roles::find_visibility;
use crate::objects::users::{CALLER, find_currency};
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_text, to_text};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection {
            name: "products",
            label: "Product",
            route: "/api/v2/products",
            verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search],
            links: &[("owner_id", "users")],
            foreign_key: "product_id",
            defaults: &[
                ("code", Preset::Text("")),
                ("description", Preset::Text("")),
                ("unit", Preset::Text("")),
                ("tax", Preset::Number(0)),
                ("is_linkable", Preset::Flag(true)),
                ("visible_to", Preset::Computed(|state, call| find_visibility(state, call.user, "product_default_visibility"))),
                ("owner_id", CALLER),
                ("billing_frequency", Preset::Text("one-time")),
                ("custom_fields", Preset::EmptyObject),
            ],
            fields: FieldTables::new(FIELDS),
            search: Some(&Search {
                kind: "product",
                fields: &[
                    ("name", SearchPlace::Field("name")),
                    ("code", SearchPlace::Field("code")),
                    ("custom_fields", SearchPlace::CustomFields),
                ],
                nested: &[("owner", "owner_id", "users")],
                // The document promises an integer here, but a code need not be one.
                computed: &[("code", |_, product| product.get("code").and_then(|code| to_text(code).parse::<i64>().ok()).map(Into::into))],
                includable: &[("product.price", "prices", |_, _, row| row.get("prices").cloned())],
            }),
            filter: Some(("products", "product")),
            readable_when_deleted: true,
            v1: &[
                ("active_flag", V1::Not("is_deleted")),
                ("selectable", V1::From("is_linkable")),
                ("company_id", V1::Computed(|state, _| state.company().into())),
            ],
            check,
            after_write: set_price_owner,
            derive: derived::derive,
            ..NO_COLLECTION
        },
        Collection {
            name: "productVariations",
            label: "Product variation",
            route: "/api/v2/products/{id}/variations",
            verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
            variable: "product_variation_id",
            within: Some(("product_id", "products")),
            links: &[("product_id", "products")],
            foreign_key: "product_variation_id",
            check: check_variation,
            after_write: set_variation_price_owner,
            ..NO_COLLECTION
        },
    ],
    writes: &[("POST", "/api/v2/products/{id}/duplicate", duplicate)],
    ..NO_OBJECT
};

const FIELDS: &str = "productFields";
const MAX_CYCLES: u64 = 208;

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    require_not_negative(draft, "tax")?;
    check_billing(draft)?;
    if let Some(category) = draft.call.body.get("category").filter(|_| draft.is_in_body("category"))
        && let Some(field) = fields::find(draft.state, &FieldTables::new(FIELDS), "category")
    {
        fields::check_option(field, category).map_err(|reason| Failure::invalid("category", reason))?;
    }
    let free = json!([{ "price": 0, "currency": find_currency(draft.state, draft.call) }]);
    set_prices(draft, &free)
}

fn check_variation(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    set_prices(draft, &json!([]))
}

pub(super) fn require_not_negative(draft: &Draft, field: &str) -> Result<(), Failure> {
    match draft.row.get(field).and_then(Value::as_f64) {
        Some(number) if number < 0.0 => Err(Failure::invalid(field, "must not be negative")),
        _ => Ok(()),
    }
}

/// Checks the billing cycles: one-time products have none, weekly ones need them.
pub(super) fn check_billing(draft: &Draft) -> Result<(), Failure> {
    let wrong = |reason: String| Err(Failure::invalid("billing_frequency_cycles", reason));
    match (read_text(draft.row, "billing_frequency"), draft.row.get("billing_frequency_cycles")) {
        ("one-time", Some(_)) => wrong("must be null if the billing frequency is one-time".to_owned()),
        ("weekly", None) => wrong("is required if the billing frequency is weekly".to_owned()),
        (_, Some(cycles)) if !cycles.as_u64().is_some_and(|cycles| (1..=MAX_CYCLES).contains(&cycles)) => {
            wrong(format!("must be between 1 and {MAX_CYCLES}"))
        }
        _ => Ok(()),
    }
}

/// Replaces the prices by those of the body. A new record without any gets the default ones.
fn set_prices(draft: &mut Draft, default: &Value) -> Result<(), Failure> {
    let prices = match draft.call.body.get("prices") {
        Some(prices) => prices,
        None if draft.before.is_none() => default,
        None => return Ok(()),
    };
    let mut checked: Vec<Value> = Vec::new();
    for price in prices.as_array().into_iter().flatten() {
        let price = check_price(price).map_err(|reason| Failure::invalid("prices", reason))?;
        if checked.iter().any(|other| other["currency"] == price["currency"]) {
            return Err(Failure::invalid("prices", "must have one price for each currency"));
        }
        checked.push(price);
    }
    draft.set("prices", checked);
    Ok(())
}

fn check_price(price: &Value) -> Result<Value, String> {
    const KNOWN: &[&str] = &["product_id", "product_variation_id", "price", "currency", "cost", "direct_cost", "notes"];
    let fields = price.as_object().ok_or("each must be an object")?;
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("{unknown} is unknown"));
    }
    let number = |name: &str, default: Value| match fields.get(name).filter(|value| !value.is_null()) {
        Some(value) if value.as_f64().is_some_and(|number| number >= 0.0) => Ok(value.clone()),
        Some(_) => Err(format!("{name} must be a number, and not negative")),
        None => Ok(default),
    };
    if !fields.get("price").is_some_and(Value::is_number) || !fields::is_currency(read_text(fields, "currency")) {
        return Err("each must have a price and a currency code of three letters".to_owned());
    }
    Ok(json!({
        "price": number("price", 0.into())?, "currency": read_text(fields, "currency"), "cost": number("cost", 0.into())?,
        "direct_cost": number("direct_cost", Value::Null)?, "notes": read_text(fields, "notes"),
    }))
}

fn set_price_owner(state: &mut State, _: &Call, _: Option<&Record>, product: &Record) {
    set_owner_of_prices(state, "products", "product_id", product);
}

fn set_variation_price_owner(state: &mut State, _: &Call, _: Option<&Record>, variation: &Record) {
    set_owner_of_prices(state, "productVariations", "product_variation_id", variation);
}

/// Writes the owner's id into its prices. The id of a new record is known only after it is stored.
fn set_owner_of_prices(state: &mut State, table: &str, field: &str, owner: &Record) {
    let is_owner = |row: &Record| row.get("id") == owner.get("id");
    state.change(table, is_owner, |row| {
        for price in row.get_mut("prices").and_then(Value::as_array_mut).into_iter().flatten() {
            price[field] = owner.get("id").cloned().unwrap_or_default();
        }
    });
}

/// Copies a product with its prices, custom fields and variations.
fn duplicate(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let products = call.tables.collection("products");
    let product =
        find_named(state, call, products).filter(|row| !is_deleted(row)).cloned().ok_or_else(|| call.refuse_missing(products.label))?;
    let variations: Vec<Record> =
        state.live("productVariations").filter(|row| row.get("product_id") == product.get("id")).cloned().collect();
    let id = copy(state, call, "products", product);
    let copied = state.get("products", id).cloned().unwrap_or_default();
    set_owner_of_prices(state, "products", "product_id", &copied);
    for mut variation in variations {
        variation.insert("product_id".to_owned(), id.into());
        let variation = copy(state, call, "productVariations", variation);
        let copied = state.get("productVariations", variation).cloned().unwrap_or_default();
        set_owner_of_prices(state, "productVariations", "product_variation_id", &copied);
    }
    let data = state.get("products", id).map(|row| shape_data(state, call, products, row));
    Ok(wrap(data.unwrap_or_default()))
}

fn copy(state: &mut State, call: &Call, table: &str, mut row: Record) -> u64 {
    row.shift_remove("id");
    for time in ["add_time", "update_time"] {
        row.insert(time.to_owned(), stamp(call.now).into());
    }
    state.insert(table, row)
}
