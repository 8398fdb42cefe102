//! Leads, their labels and sources, and conversions between leads and deals.

use serde_json::{Value, json};

use crate::engine::collection::{
    Call, Collection, Draft, FieldTables, NO_COLLECTION, NO_OBJECT, Object, Preset, Search, SearchPlace, V1, Verb,
};
use crate::engine::envelope::wrap;
use crate::engine::fields::is_currency;
use crate::engine::read::find_named;
use crate::engine::state::State;
use crate::engine::write::{add, remove};
use crate::objects::derived;
use crate::objects::persons::list_contacts;
use crate::objects::roles::find_visibility;
use crate::objects::users::CALLER;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::money;
use crate::value::record::{Record, UUID, is_deleted, read_handle, read_id, read_text, to_text};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection {
            route: "/api/v1/leads",
            verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search],
            ..LEADS
        },
        Collection { route: "/api/v2/leads", verbs: &[Verb::Search], ..LEADS },
        Collection {
            name: "leadLabels",
            label: "Lead label",
            route: "/api/v1/leadLabels",
            verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
            v1: &[("id", V1::From(UUID)), ADDED, UPDATED],
            check: check_label,
            after_write: remove_label,
            ..NO_COLLECTION
        },
        Collection { name: "leadSources", label: "Lead source", route: "/api/v1/leadSources", verbs: &[Verb::List], ..NO_COLLECTION },
    ],
    reports: &[
        ("/api/v2/leads/{id}/convert/status/{conversion_id}", read_conversion),
        ("/api/v2/deals/{id}/convert/status/{conversion_id}", read_conversion),
    ],
    writes: &[("POST", "/api/v2/leads/{id}/convert/deal", convert_to_deal), ("POST", "/api/v2/deals/{id}/convert/lead", convert_to_lead)],
    ..NO_OBJECT
};

const LEADS: Collection = Collection {
    name: "leads",
    label: "Lead",
    links: &[
        ("owner_id", "users"),
        ("creator_id", "users"),
        ("person_id", "persons"),
        ("organization_id", "organizations"),
        ("source_deal_id", "deals"),
    ],
    foreign_key: "lead_id",
    defaults: &[
        ("owner_id", CALLER),
        ("creator_id", CALLER),
        ("label_ids", Preset::EmptyList),
        ("source_name", Preset::Text("API")),
        ("origin", Preset::Text("API")),
        ("is_archived", Preset::Flag(false)),
        ("was_seen", Preset::Flag(false)),
        ("visible_to", Preset::Computed(|state, call| find_visibility(state, call.user, "lead_default_visibility"))),
        ("custom_fields", Preset::EmptyObject),
    ],
    fields: FIELDS,
    search: Some(&Search {
        kind: "lead",
        fields: &[
            ("title", SearchPlace::Field("title")),
            ("notes", SearchPlace::About("notes", "content")),
            ("custom_fields", SearchPlace::CustomFields),
        ],
        nested: &[("owner", "owner_id", "users"), ("person", "person_id", "persons"), ("organization", "organization_id", "organizations")],
        computed: &[
            ("emails", |state, lead| Some(list_contacts_of_person(state, lead, "emails"))),
            ("phones", |state, lead| Some(list_contacts_of_person(state, lead, "phones"))),
            ("value", |_, lead| money::round_amount(lead)),
            ("currency", |_, lead| lead.get("value")?.get("currency").cloned()),
        ],
        includable: &[("lead.was_seen", "was_seen", |_, _, row| row.get("was_seen").cloned())],
    }),
    filter: Some(("leads", "lead")),
    v1: &[("id", V1::From(UUID)), ("cc_email", V1::From("smart_bcc_email")), ADDED, UPDATED],
    check,
    derive: derived::derive,
    ..NO_COLLECTION
};

/// The fields of leads. Their custom fields are those of deals. v1 shows only custom fields with a value.
pub(crate) const FIELDS: FieldTables = FieldTables { own: "leadFields", custom: "dealFields", shows_empty: false };

const ADDED: (&str, V1) = ("add_time", V1::TimeWithMilliseconds("add_time"));
const UPDATED: (&str, V1) = ("update_time", V1::TimeWithMilliseconds("update_time"));

const CONVERSIONS: &str = "conversions";

/// Tables whose records move along when a lead or a deal is converted.
const MOVED_TABLES: &[&str] = &["notes", "activities", "files"];

/// Tables whose records have UUIDs, and the first digit of those.
const UUID_DIGITS: &[(&str, u32)] = &[("leads", 1), ("leadLabels", 2), (CONVERSIONS, 3)];

/// Makes the UUID of a table's n-th record, which is the same in each sandbox.
pub(crate) fn make_uuid(table: &str, n: usize) -> String {
    let first = UUID_DIGITS.iter().find(|(name, _)| *name == table).map_or(0, |(_, first)| *first);
    format!("{first}0000000-0000-4000-8000-{n:012}")
}

fn list_contacts_of_person(state: &State, lead: &Record, list: &str) -> Value {
    state.find_linked(lead, "person_id", "persons").map_or_else(|| json!([]), |person| list_contacts(person, list))
}

fn make_next_uuid(state: &State, table: &str) -> String {
    make_uuid(table, state.rows(table).count() + 1)
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("title")?;
    if !["person_id", "organization_id"].iter().any(|field| draft.row.contains_key(*field)) {
        return Err(Failure::bad_request("A lead needs a person_id or an organization_id."));
    }
    if draft.row.get("value").is_some_and(|value| !value["currency"].as_str().is_some_and(is_currency)) {
        return Err(Failure::invalid("value.currency", "must be a currency code of three letters"));
    }
    for label in draft.call.body.get("label_ids").and_then(Value::as_array).into_iter().flatten() {
        if draft.state.find("leadLabels", &to_text(label)).is_none_or(is_deleted) {
            return Err(Failure::invalid("label_ids", format!("{} does not exist", to_text(label))));
        }
    }
    // v1 sends text, but the stored level is a number.
    if let Some(level) = draft.row.get("visible_to").and_then(Value::as_str).and_then(|level| level.parse::<u64>().ok()) {
        draft.set("visible_to", level);
    }
    set_uuid(draft);
    Ok(())
}

fn check_label(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    set_uuid(draft);
    Ok(())
}

fn set_uuid(draft: &mut Draft) {
    if draft.before.is_none() {
        draft.set(UUID, make_next_uuid(draft.state, draft.table));
    }
}

/// Removes a deleted label from leads.
fn remove_label(state: &mut State, _: &Call, _: Option<&Record>, label: &Record) {
    if is_deleted(label) {
        let is_label = |id: &Value| Some(id) == label.get(UUID);
        let has_label = |lead: &Record| lead.get("label_ids").and_then(Value::as_array).is_some_and(|ids| ids.iter().any(is_label));
        state.change("leads", has_label, |lead| {
            if let Some(ids) = lead.get_mut("label_ids").and_then(Value::as_array_mut) {
                ids.retain(|id| !is_label(id));
            }
        });
    }
}

fn convert_to_deal(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let lead = find_source(state, call, call.tables.collection("leads"))?;
    let value = |part: &str| lead.get("value").and_then(|value| value.get(part));
    let mut deal = copy_shared(&lead);
    let renamed = [("value", value("amount")), ("currency", value("currency")), ("org_id", lead.get("organization_id"))];
    deal.extend(renamed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))));
    // A stage implies its pipeline: a pipeline in the body is ignored beside it.
    let stage = ["stage_id", "pipeline_id"].into_iter().find_map(|name| Some((name.to_owned(), call.body.get(name)?.clone())));
    deal.extend(stage);
    deal.insert("source_lead_id".to_owned(), read_handle(&lead).cloned().unwrap_or_default());
    convert(state, call, ("leads", &lead), ("deals", deal))
}

fn convert_to_lead(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let deal = find_source(state, call, call.tables.collection("deals"))?;
    let mut lead = copy_shared(&deal);
    lead.insert("value".to_owned(), json!({ "amount": deal.get("value"), "currency": deal.get("currency") }));
    lead.insert("source_deal_id".to_owned(), deal.get("id").cloned().unwrap_or_default());
    lead.insert("source_name".to_owned(), "Deal".into());
    lead.extend(deal.get("org_id").map(|id| ("organization_id".to_owned(), id.clone())));
    convert(state, call, ("deals", &deal), ("leads", lead))
}

fn find_source(state: &State, call: &Call, collection: &Collection) -> Result<Record, Failure> {
    let row = find_named(state, call, collection).filter(|row| !is_deleted(row)).cloned();
    row.ok_or_else(|| call.refuse_missing(collection.label))
}

/// Copies the fields that leads and deals call by the same name.
fn copy_shared(row: &Record) -> Record {
    const SHARED: &[&str] = &[
        "title",
        "owner_id",
        "person_id",
        "expected_close_date",
        "visible_to",
        "origin",
        "origin_id",
        "channel",
        "channel_id",
        "custom_fields",
    ];
    SHARED.iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))).collect()
}

/// Adds the new record, moves related records to it, and deletes the old one. All is completed at once.
fn convert(state: &mut State, call: &Call, from: (&str, &Record), into: (&str, Record)) -> Result<Value, Failure> {
    let added = add(state, &call.with_body(into.1), call.tables.collection(into.0))?;
    let new = state.get(into.0, added).cloned().unwrap_or_default();
    let (old_key, new_key) = (call.tables.collection(from.0).foreign_key, call.tables.collection(into.0).foreign_key);
    for table in MOVED_TABLES {
        let is_about = |row: &Record| row.get(old_key).is_some_and(|id| Some(id) == read_handle(from.1));
        state.change(table, is_about, |row| {
            row.shift_remove(old_key);
            row.insert(new_key.to_owned(), read_handle(&new).cloned().unwrap_or_default());
        });
    }
    remove(state, call, call.tables.collection(from.0), read_id(from.1).unwrap_or(0));
    let id = make_next_uuid(state, CONVERSIONS);
    let mut conversion = json!({ UUID: id, "from": read_handle(from.1), "status": "completed", "add_time": stamp(call.now) });
    conversion[new_key] = json!(read_handle(&new));
    if let Value::Object(conversion) = conversion {
        state.insert(CONVERSIONS, conversion);
    }
    Ok(wrap(json!({ "conversion_id": id })))
}

fn read_conversion(state: &State, call: &Call) -> Result<Value, Failure> {
    let variable = |name: &str| call.variables.get(name).map_or("", String::as_str);
    let conversion =
        state.find(CONVERSIONS, variable("conversion_id")).filter(|row| row.get("from").is_some_and(|id| to_text(id) == variable("id")));
    let conversion = conversion.ok_or_else(|| Failure::not_found("Conversion"))?;
    let mut data = json!({ "conversion_id": read_text(conversion, UUID), "status": read_text(conversion, "status") });
    for name in ["deal_id", "lead_id"] {
        if let Some(id) = conversion.get(name) {
            data[name] = id.clone();
        }
    }
    Ok(wrap(data))
}
