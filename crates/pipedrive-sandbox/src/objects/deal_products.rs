//! Products attached to deals: the sum of each row, and the value that the rows give to their deal.

use serde_json::{Value, json};
use time::Duration;

use crate::engine::changes::remember;
use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, Verb};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::paging::cut_page;
use crate::engine::read::answer_list;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::engine::write;
use crate::objects::products::{check_billing, require_not_negative};
use crate::value::clock::{parse_date, stamp};
use crate::value::failure::Failure;
use crate::value::money;
use crate::value::record::{Record, is_deleted, read_flag, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: TABLE,
        label: "Deal product",
        route: "/api/v2/deals/{id}/products",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        variable: "product_attachment_id",
        within: Some(("deal_id", "deals")),
        links: &[("deal_id", "deals"), ("product_id", "products"), ("product_variation_id", "productVariations")],
        defaults: &[
            ("tax", Preset::Number(0)),
            ("comments", Preset::Text("")),
            ("discount", Preset::Number(0)),
            ("discount_type", Preset::Text("percentage")),
            ("is_enabled", Preset::Flag(true)),
            ("billing_frequency", Preset::Text("one-time")),
            ("order_nr", Preset::Next("deal_id")),
        ],
        check,
        after_write: update_deal,
        derive,
        ..NO_COLLECTION
    }],
    reports: &[
        ("/api/v2/deals/products", list_of_deals),
        ("/api/v1/products/{id}/deals", list_deals),
        ("/api/v1/persons/{id}/products", list_of_person),
    ],
    writes: &[("POST", "/api/v2/deals/{id}/products/bulk", add_many), ("DELETE", "/api/v2/deals/{id}/products", delete_many)],
    ..NO_OBJECT
};

pub(crate) const TABLE: &str = "dealProducts";

const MAX_AT_ONCE: usize = 100;
const MAX_RECURRING: usize = 20;

/// The bills in a year for each billing frequency.
const PER_YEAR: &[(&str, f64)] = &[("annually", 1.0), ("semi-annually", 2.0), ("quarterly", 4.0), ("monthly", 12.0), ("weekly", 52.0)];

/// Lists the rows of a deal.
pub(crate) fn list_rows<'a>(state: &'a State, deal: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live(TABLE).filter(move |row| row.get("deal_id").and_then(Value::as_u64) == read_id(deal))
}

/// Computes a field that a row takes from others.
fn derive(state: &State, _: &Collection, row: &Record, name: &str) -> Option<Value> {
    match name {
        "sum" => Some(money::to_json(compute_sum(row))),
        "name" => state.find_linked(row, "product_id", "products")?.get("name").cloned(),
        "currency" => state.find_linked(row, "deal_id", "deals")?.get("currency").cloned(),
        _ => None,
    }
}

/// Computes the sum of one bill: the price less the discount, plus the tax if the price does not include it.
fn compute_bill(row: &Record) -> f64 {
    let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let full = number("item_price") * number("quantity");
    let reduced = match read_text(row, "discount_type") {
        "amount" => full - number("discount"),
        _ => full * (1.0 - number("discount") / 100.0),
    };
    if read_text(row, "tax_method") == "exclusive" { reduced * (1.0 + number("tax") / 100.0) } else { reduced }
}

fn find_bills_per_year(row: &Record) -> Option<f64> {
    PER_YEAR.iter().find(|(frequency, _)| *frequency == read_text(row, "billing_frequency")).map(|(_, times)| *times)
}

/// Counts the bills of a row: its own number of cycles, or those of a year if it runs until it is cancelled.
fn count_bills(row: &Record) -> f64 {
    row.get("billing_frequency_cycles").and_then(Value::as_f64).or_else(|| find_bills_per_year(row)).unwrap_or(1.0)
}

fn compute_sum(row: &Record) -> f64 {
    money::round(compute_bill(row) * count_bills(row))
}

/// Computes the sum of a row's bills in a year; 0 if it is billed once.
fn compute_yearly(row: &Record) -> f64 {
    find_bills_per_year(row).map_or(0.0, |times| compute_bill(row) * times)
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    if draft.state.find_linked(draft.row, "deal_id", "deals").is_some_and(|deal| read_flag(deal, "is_archived")) {
        return Err(Failure::invalid("id", "belongs to an archived deal, which cannot be changed"));
    }
    let product = draft.state.find_linked(draft.row, "product_id", "products");
    if draft.is_in_body("product_id") && product.is_some_and(|product| !read_flag(product, "is_linkable")) {
        return Err(Failure::invalid("product_id", "belongs to a product that cannot be added to deals"));
    }
    let variation = draft.state.find_linked(draft.row, "product_variation_id", "productVariations");
    if variation.is_some_and(|variation| variation.get("product_id") != draft.row.get("product_id")) {
        return Err(Failure::invalid("product_variation_id", "belongs to another product"));
    }
    for field in ["quantity", "tax", "discount"] {
        require_not_negative(draft, field)?;
    }
    let discount = draft.row.get("discount").and_then(Value::as_f64).unwrap_or(0.0);
    if read_text(draft.row, "discount_type") == "percentage" && discount > 100.0 {
        return Err(Failure::invalid("discount", "must be at most 100 percent"));
    }
    if !draft.row.contains_key("tax_method") {
        let method = list_others(draft).find_map(|row| row.get("tax_method")).cloned();
        draft.set("tax_method", method.unwrap_or_else(|| "none".into()));
    }
    check_billing(draft)?;
    if find_bills_per_year(draft.row).is_some()
        && list_others(draft).filter(|row| find_bills_per_year(row).is_some()).count() >= MAX_RECURRING
    {
        return Err(Failure::invalid("billing_frequency", format!("a deal can have at most {MAX_RECURRING} recurring products")));
    }
    check_start(draft)
}

/// Lists the other rows of the same deal.
fn list_others<'a>(draft: &'a Draft) -> impl Iterator<Item = &'a Record> {
    let own_id = draft.before.and_then(read_id);
    draft
        .state
        .live(TABLE)
        .filter(move |row| row.get("deal_id") == draft.row.get("deal_id") && (own_id.is_none() || read_id(row) != own_id))
}

fn check_start(draft: &Draft) -> Result<(), Failure> {
    const TEN_YEARS: Duration = Duration::days(3653);
    let date = parse_date(read_text(draft.row, "billing_start_date"));
    match date.map(|date| date - draft.call.now.date()) {
        Some(distance) if draft.is_in_body("billing_start_date") && distance.abs() > TEN_YEARS => {
            Err(Failure::invalid("billing_start_date", "must be within ten years from now"))
        }
        _ => Ok(()),
    }
}

/// Gives all rows of the deal the same tax method, and the deal its new value.
fn update_deal(state: &mut State, call: &Call, _: Option<&Record>, row: &Record) {
    if !is_deleted(row) {
        let method = row.get("tax_method").cloned().unwrap_or_default();
        let differs = |other: &Record| other.get("deal_id") == row.get("deal_id") && other.get("tax_method") != Some(&method);
        state.change(TABLE, differs, |other| {
            other.insert("tax_method".to_owned(), method.clone());
        });
    }
    if let Some(deal) = state.find_linked(row, "deal_id", "deals").cloned() {
        revalue(state, call, &deal);
    }
}

/// Gives a deal the value of its rows, and keeps that as a change.
pub(super) fn revalue(state: &mut State, call: &Call, before: &Record) {
    set_value(state, before.clone(), &stamp(call.now));
    let now = read_id(before).and_then(|id| state.get("deals", id)).cloned().unwrap_or_default();
    remember(state, call, call.tables.collection("deals"), before, &now);
}

/// Gives a deal the value of its enabled rows, with the revenue in a year and in a month.
pub(crate) fn set_value(state: &mut State, mut deal: Record, now: &str) {
    let rows: Vec<&Record> = list_rows(state, &deal).filter(|row| read_flag(row, "is_enabled")).collect();
    let total = |part: fn(&Record) -> f64| money::to_json(rows.iter().map(|row| part(row)).sum());
    let worth = [
        ("value", total(compute_sum)),
        ("arr", total(compute_yearly)),
        ("mrr", total(|row| compute_yearly(row) / 12.0)),
        ("acv", total(|row| compute_bill(row) * find_bills_per_year(row).map_or(1.0, |most| count_bills(row).min(most)))),
    ];
    let has_rows = list_rows(state, &deal).next().is_some();
    for (name, value) in worth {
        if has_rows || name == "value" {
            deal.insert(name.to_owned(), value);
        } else {
            deal.shift_remove(name);
        }
    }
    deal.insert("update_time".to_owned(), now.into());
    state.put("deals", deal);
}

fn add_many(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let bodies = call.body.get("data").and_then(Value::as_array).filter(|bodies| !bodies.is_empty());
    let bodies = bodies.ok_or_else(|| Failure::invalid("data", "must have at least one product"))?;
    let mut added = Vec::new();
    for body in bodies.iter().filter_map(Value::as_object) {
        let mut answer = write::create(state, &call.with_body(body.clone()), call.tables.collection(TABLE))?;
        added.push(answer["data"].take());
    }
    Ok(wrap(added.into()))
}

fn delete_many(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let table = call.tables.collection(TABLE);
    table.check_path(state, call)?;
    let named = call.ids("ids");
    let is_named =
        |row: &&Record| table.has(call, row) && named.as_ref().is_none_or(|ids| read_id(row).is_some_and(|id| ids.contains(&id)));
    let ids: Vec<u64> = state.live(TABLE).filter(is_named).filter_map(read_id).collect();
    let (deleted, left) = ids.split_at(ids.len().min(MAX_AT_ONCE));
    for id in deleted {
        write::remove(state, call, table, *id);
    }
    Ok(wrap_page(json!({ "ids": deleted }), json!({ "more_items_in_collection": !left.is_empty() })))
}

fn list_of_deals(state: &State, call: &Call) -> Result<Value, Failure> {
    let deals = call.ids("deal_ids").unwrap_or_default();
    let is_of_deals = |row: &&Record| {
        let deal = state.find_linked(row, "deal_id", "deals").filter(|deal| !is_deleted(deal)).and_then(read_id);
        deal.is_some_and(|deal| deals.contains(&deal))
    };
    answer_list(state, call, call.tables.collection(TABLE), state.live(TABLE).filter(is_of_deals).collect())
}

/// Lists the deals to which a product is attached.
fn list_deals(state: &State, call: &Call) -> Result<Value, Failure> {
    let product = state.get_live("products", call.id()).ok_or_else(|| call.refuse_missing("Product"))?;
    let has_product = |deal: &Record| list_rows(state, deal).any(|row| row.get("product_id") == product.get("id"));
    let status = call.parameter("status").unwrap_or("all_not_deleted");
    let has_status = |deal: &Record| match status {
        "deleted" => is_deleted(deal),
        "all_not_deleted" => !is_deleted(deal),
        status => !is_deleted(deal) && read_text(deal, "status") == status,
    };
    answer_list(
        state,
        call,
        call.tables.collection("deals"),
        state.rows("deals").filter(|deal| has_status(deal) && has_product(deal)).collect(),
    )
}

/// Lists the products of a person's deals, each beside its deal.
fn list_of_person(state: &State, call: &Call) -> Result<Value, Failure> {
    state.get_live("persons", call.id()).ok_or_else(|| call.refuse_missing("Person"))?;
    let deals = state.live("deals").filter(|deal| deal.get("person_id").and_then(Value::as_u64) == Some(call.id()));
    let pairs = deals.flat_map(|deal| list_rows(state, deal).map(move |row| (deal, row)));
    let pairs: Vec<(&Record, &Record)> =
        pairs.filter_map(|(deal, row)| Some((deal, state.find_linked(row, "product_id", "products")?))).collect();
    let (pairs, pagination) = cut_page(call, &pairs);
    let rows = pairs.iter().map(|(deal, product)| {
        let mut product = (*product).clone();
        product.insert("deal_id".to_owned(), deal.get("id").cloned().unwrap_or_default());
        let shape_part = |part: &str, table: &str, row: &Record| {
            let shape = call.shape(&["data", "DEAL_ID", part]);
            shape.map(|shape| shape_record(state, call, call.tables.collection(table), row, shape))
        };
        let pair = json!({ "deal": shape_part("deal", "deals", deal), "product": shape_part("product", "products", &product) });
        Value::Object(Record::from_iter([(read_id(deal).unwrap_or(0).to_string(), pair)]))
    });
    Ok(wrap_page(rows.collect(), json!({ "pagination": pagination })))
}
