//! The definitions of the demo's fields, and values of its custom fields.

use serde_json::{Value, json};

use crate::demo::rows::{DAYS, make_date};
use crate::engine::collection::FieldTables;
use crate::engine::fields;
use crate::engine::fields::make_key;
use crate::engine::state::State;
use crate::value::money::CURRENCY;
use crate::value::random::Random;
use crate::value::record::Record;

/// Name, type and code of a field that every company has.
pub(super) type Standard = (&'static str, &'static str, &'static str);

const LABELS: &[(&str, &str)] = &[("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue"), ("Customer", "green")];

const COMMON: &[Standard] = &[
    ("ID", "int", "id"),
    ("Owner", "user", "owner_id"),
    ("Labels", "set", "label_ids"),
    ("Visible to", "visible_to", "visible_to"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

const ENTITIES: &[(&str, &[Standard], bool)] = &[
    (
        "dealFields",
        &[
            ("Title", "varchar", "title"),
            ("Value", "monetary", "value"),
            ("Currency", "varchar", "currency"),
            ("Creator", "user", "creator_user_id"),
            ("Person", "people", "person_id"),
            ("Organization", "org", "org_id"),
            ("Pipeline", "double", "pipeline_id"),
            ("Stage", "stage", "stage_id"),
            ("Status", "status", "status"),
            ("Probability", "double", "probability"),
            ("Lost reason", "varchar_options", "lost_reason"),
            ("Expected close date", "date", "expected_close_date"),
            ("Stage changed", "date", "stage_change_time"),
            ("Closed", "date", "close_time"),
            ("Won", "date", "won_time"),
            ("Lost", "date", "lost_time"),
        ],
        true,
    ),
    (
        "personFields",
        &[
            ("Name", "varchar", "name"),
            ("First name", "varchar", "first_name"),
            ("Last name", "varchar", "last_name"),
            ("Phone", "phone", "phones"),
            ("E-mail", "varchar", "emails"),
            ("Organization", "org", "org_id"),
            ("Job title", "varchar", "job_title"),
            ("Birthday", "date", "birthday"),
        ],
        true,
    ),
    (
        "organizationFields",
        &[
            ("Name", "varchar", "name"),
            ("Address", "address", "address"),
            ("Website", "varchar", "website"),
            ("Industry", "enum", "industry"),
            ("Annual revenue", "double", "annual_revenue"),
            ("Employees", "int", "employee_count"),
        ],
        true,
    ),
    (
        "productFields",
        &[
            ("Name", "varchar", "name"),
            ("Code", "varchar", "code"),
            ("Description", "text", "description"),
            ("Unit", "varchar", "unit"),
            ("Tax", "double", "tax"),
            ("Category", "enum", "category"),
            ("Billing frequency", "billing_frequency", "billing_frequency"),
        ],
        true,
    ),
];

const ACTIVITY_FIELDS: &[Standard] = &[
    ("ID", "int", "id"),
    ("Subject", "varchar", "subject"),
    ("Type", "enum", "type"),
    ("Owner", "user", "owner_id"),
    ("Creator", "user", "creator_user_id"),
    ("Due date", "date", "due_date"),
    ("Due time", "time", "due_time"),
    ("Duration", "time", "duration"),
    ("Done", "boolean", "done"),
    ("Marked as done", "date", "marked_as_done_time"),
    ("Busy", "boolean", "busy"),
    ("Deal", "deal", "deal_id"),
    ("Lead", "lead", "lead_id"),
    ("Person", "people", "person_id"),
    ("Organization", "org", "org_id"),
    ("Project", "project", "project_id"),
    ("Location", "address", "location"),
    ("Public description", "text", "public_description"),
    ("Note", "text", "note"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

const NOTE_FIELDS: &[Standard] = &[
    ("Content", "text", "content"),
    ("User", "user", "user_id"),
    ("Deal", "deal", "deal_id"),
    ("Lead", "lead", "lead_id"),
    ("Person", "people", "person_id"),
    ("Organization", "org", "org_id"),
    ("Pinned to deal", "enum", "pinned_to_deal_flag"),
    ("Pinned to lead", "enum", "pinned_to_lead_flag"),
    ("Pinned to person", "enum", "pinned_to_person_flag"),
    ("Pinned to organization", "enum", "pinned_to_organization_flag"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

pub(super) const ACTIVITY_TYPES: &[&str] = &["call", "meeting", "task", "deadline", "email", "lunch"];

/// One custom field of each type that can be made.
const CUSTOM: &[(&str, &str)] = &[
    ("Reference", "varchar"),
    ("Campaign", "varchar_auto"),
    ("Background", "text"),
    ("Score", "double"),
    ("Budget", "monetary"),
    ("Interests", "set"),
    ("Tier", "enum"),
    ("Account manager", "user"),
    ("Partner", "org"),
    ("Introduced by", "people"),
    ("Hotline", "phone"),
    ("Best time to call", "time"),
    ("Office hours", "timerange"),
    ("First met", "date"),
    ("Trial", "daterange"),
    ("Site", "address"),
];

/// Defines the fields of deals, persons, organizations and products.
pub(super) fn add(state: &mut State) {
    for (table, standard, has_custom) in ENTITIES {
        define(state, table, standard, *has_custom);
    }
}

/// Defines the fields of activities and notes, which have no custom ones.
pub(super) fn add_fixed(state: &mut State) {
    let words = |words: &[&str]| words.iter().map(|word| json!({ "id": word, "label": word })).collect();
    for (name, kind, code) in ACTIVITY_FIELDS {
        let options: Value = if *code == "type" { words(ACTIVITY_TYPES) } else { Value::Null };
        // An address lists its parts, as a custom address does.
        let mut field = fields::define(name, kind, code, &options, *kind == "address");
        field.insert("is_custom_field".to_owned(), false.into());
        require(&mut field, matches!(*code, "subject" | "type"));
        state.insert("activityFields", field);
    }
    for (name, kind, code) in NOTE_FIELDS {
        let is_choice = *kind == "enum";
        let options = if is_choice { json!([{ "id": 1, "label": "Yes" }, { "id": 0, "label": "No" }]) } else { Value::Null };
        let mut field = fields::define(name, kind, code, &options, false);
        require(&mut field, *code == "content");
        state.insert("noteFields", field);
    }
}

fn define(state: &mut State, table: &str, standard: &[Standard], has_custom: bool) {
    for (name, kind, code) in COMMON.iter().chain(standard) {
        let options = match *code {
            "label_ids" => LABELS.iter().zip(1..).map(|((label, color), id)| json!({ "id": id, "label": label, "color": color })).collect(),
            "status" => ["open", "won", "lost"].iter().map(|s| json!({ "id": s, "label": s })).collect(),
            "industry" | "category" => list_options(&["Manufacturing", "Services", "Trade"]),
            _ => Value::Null,
        };
        state.insert(table, fields::define(name, kind, code, &options, false));
    }
    for (name, kind) in CUSTOM.iter().filter(|_| has_custom) {
        let options = match *kind {
            "set" => list_options(&["Analytics", "Automation", "Support"]),
            "enum" => list_options(&["Bronze", "Silver", "Gold"]),
            _ => Value::Null,
        };
        let key = make_key(state, &format!("{table}.{kind}"));
        state.insert(table, fields::define(name, kind, &key, &options, true));
    }
}

fn list_options(labels: &[&str]) -> Value {
    labels.iter().zip(1..).map(|(label, id)| json!({ "id": id, "label": label })).collect()
}

fn require(field: &mut Record, is_required: bool) {
    field.insert("required_fields".to_owned(), json!({ "enabled": is_required, "stage_ids": [], "statuses": {} }));
}

/// Draws values of custom fields. About a third of the fields get one.
pub(super) fn draw_custom_values(state: &State, tables: &FieldTables, random: &mut Random) -> Value {
    let mut values = Record::new();
    for field in fields::list_custom(state, tables) {
        if !random.draw_one_in(3) {
            continue;
        }
        let day = random.draw_below(DAYS);
        let value = match field.get("field_type").and_then(Value::as_str).unwrap_or_default() {
            "double" => json!(random.draw_below(100)),
            "monetary" => json!({ "value": 50 * random.draw_below(100), "currency": CURRENCY }),
            "set" => json!([1, 2 + random.draw_below(2)]),
            "enum" => json!(1 + random.draw_below(3)),
            "user" => json!(1 + random.draw_below(4)),
            // The first ones, if they exist already.
            "org" if state.get("organizations", 1).is_some() => json!(1),
            "people" if state.get("persons", 1).is_some() => json!(1),
            "org" | "people" => continue,
            "phone" => json!(format!("+1 555 02{:02}", random.draw_below(100))),
            "time" => json!({ "value": "10:30:00" }),
            "timerange" => json!({ "value": "09:00:00", "until": "17:00:00" }),
            "date" => json!(make_date(day)),
            "daterange" => json!({ "value": make_date(day), "until": make_date(day + 14) }),
            "address" => {
                json!({ "value": "Harbour Street 1, Tallinn, Estonia", "locality": "Tallinn", "country": "Estonia" })
            }
            "text" => json!("Met at the spring fair; asked for a second demo."),
            _ => json!(format!("REF-{:04}", random.draw_below(10_000))),
        };
        values.insert(fields::read_code(field).to_owned(), value);
    }
    Value::Object(values)
}
