//! The demo companies: the same records each time, made from fixed seeds.

use serde_json::{Value, json};
use time::macros::date;
use time::{Date, Duration};

use crate::engine::collection::FieldTables;
use crate::engine::fields::field_key;
use crate::engine::state::{FIRST_USER, State};
use crate::engine::{fields, filters};
use crate::objects::TABLES;
use crate::value::clock::iso_date;
use crate::value::money::CURRENCY;
use crate::value::random::Random;
use crate::value::record::Record;

mod account;
mod calls;
mod companies;
mod files;
mod flow;
mod followers;
mod leads;
mod mail;
mod products;

pub(crate) use companies::{DEMOS, Demo};

const FIRST_DAY: Date = date!(2026 - 01 - 05);
const DAYS: u64 = 300;
const ORGANIZATIONS: u64 = 25;
const PERSONS: u64 = 60;
const DEALS: u64 = 200;

const PIPELINES: &[(&str, &[(&str, u64)])] = &[
    ("Sales", &[("Qualified", 10), ("Contact made", 20), ("Demo scheduled", 40), ("Proposal made", 60), ("Negotiation", 80)]),
    ("Renewals", &[("Upcoming", 50), ("In talks", 65), ("Offer sent", 80), ("Agreed", 95)]),
];

const LABELS: &[(&str, &str)] = &[("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue"), ("Customer", "green")];

/// Name, type and the codes of a field that every company has.
type Standard = (&'static str, &'static str, &'static str);

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

const FIRST_NAMES: &[&str] =
    &["Alma", "Bruno", "Celia", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Liam", "Mira", "Noel", "Olga"];
const COMPANY_KINDS: &[&str] = &["Works", "Logistics", "Foods", "Software", "Energy"];
const PRODUCTS: &[&str] = &["website", "licence", "support plan", "pilot", "rollout", "training", "audit"];
const CITIES: &[(&str, &str)] =
    &[("Tallinn", "Estonia"), ("Lisbon", "Portugal"), ("Berlin", "Germany"), ("Dublin", "Ireland"), ("Prague", "Czechia")];
const ACTIVITIES: &[(&str, &str)] =
    &[("Call", "call"), ("Meeting", "meeting"), ("Send offer", "task"), ("Lunch", "lunch"), ("E-mail", "email")];

pub(crate) fn build_company(demo: &Demo) -> State {
    let mut state = State::new(demo.id);
    let mut random = Random::named(demo.seed);
    users(&mut state, demo);
    pipelines(&mut state);
    for (table, standard, has_custom) in ENTITIES {
        field_definitions(&mut state, table, standard, *has_custom);
    }
    for n in 0..ORGANIZATIONS {
        let row = organization(&state, demo, &mut random, n);
        state.insert("organizations", row);
    }
    for n in 0..PERSONS {
        let row = person(&state, demo, &mut random, n);
        state.insert("persons", row);
    }
    for n in 1..=DEALS {
        let row = deal(&state, &mut random, n);
        state.insert("deals", row);
    }
    for n in 0..80 {
        state.insert("notes", note(&mut random, n));
    }
    for n in 0..120 {
        let row = activity(&state, &mut random, n);
        state.insert("activities", row);
    }
    stored_filters(&mut state);
    account::add(&mut state);
    products::add(&mut state);
    leads::add(&mut state);
    files::add(&mut state);
    calls::add(&mut state);
    mail::add(&mut state);
    followers::add(&mut state);
    flow::add(&mut state);
    state
}

/// A made record: what is null is left out, as in all that is kept.
fn record(value: Value) -> Record {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Record::new(),
    }
}

fn at(day: u64, seconds: u64) -> String {
    let seconds = seconds % 32_400 + 28_800;
    format!("{}T{:02}:{:02}:{:02}Z", on(day), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn on(day: u64) -> String {
    iso_date(FIRST_DAY.saturating_add(Duration::days(i64::try_from(day).unwrap_or(0))))
}

fn users(state: &mut State, demo: &Demo) {
    for (n, (name, mailbox)) in (0_u64..).zip(demo.users) {
        state.insert(
            "users",
            record(json!({
                "name": name, "email": format!("{mailbox}@{}", demo.mail), "default_currency": CURRENCY, "locale": "en_US",
                "lang": 1, "activated": true, "last_login": at(DAYS, n * 977), "created": at(n, 0), "modified": at(DAYS, n * 977),
                "has_created_company": n == 0,
                "access": [
                    { "app": "global", "admin": n == 0, "permission_set_id": "00000000-0000-4000-8000-000000000001" },
                    { "app": "sales", "admin": n == 0, "permission_set_id": "00000000-0000-4000-8000-000000000002" },
                ],
                "timezone_name": "Europe/Tallinn", "timezone_offset": "+02:00", "role_id": 1, "is_deleted": false,
                "company_id": demo.id, "company_name": demo.name, "company_domain": demo.domain, "company_country": demo.country,
                "company_industry": demo.industry, "language": { "language_code": "en", "country_code": "US" },
            })),
        );
    }
}

fn pipelines(state: &mut State) {
    for (order, (name, stages)) in (1_u64..).zip(PIPELINES) {
        let pipeline = state.insert(
            "pipelines",
            record(json!({
                "name": name, "order_nr": order, "is_deleted": false, "is_deal_probability_enabled": true,
                "add_time": at(0, order), "update_time": at(0, order),
            })),
        );
        for (order, (name, probability)) in (1_u64..).zip(*stages) {
            state.insert(
                "stages",
                record(json!({
                    "order_nr": order, "name": name, "is_deleted": false, "deal_probability": probability,
                    "pipeline_id": pipeline, "is_deal_rot_enabled": false, "add_time": at(0, order), "update_time": at(0, order),
                })),
            );
        }
    }
}

fn field_definitions(state: &mut State, table: &str, standard: &[Standard], has_custom: bool) {
    for (name, kind, code) in COMMON.iter().chain(standard) {
        let options = match *code {
            "label_ids" => LABELS.iter().zip(1..).map(|((label, color), id)| json!({ "id": id, "label": label, "color": color })).collect(),
            "status" => ["open", "won", "lost"].iter().map(|s| json!({ "id": s, "label": s })).collect(),
            "industry" | "category" => options(&["Manufacturing", "Services", "Trade"]),
            _ => Value::Null,
        };
        state.insert(table, fields::define(name, kind, code, &options, false));
    }
    for (name, kind) in CUSTOM.iter().filter(|_| has_custom) {
        let options = match *kind {
            "set" => options(&["Analytics", "Automation", "Support"]),
            "enum" => options(&["Bronze", "Silver", "Gold"]),
            _ => Value::Null,
        };
        let key = field_key(state, &format!("{table}.{kind}"));
        state.insert(table, fields::define(name, kind, &key, &options, true));
    }
}

fn options(labels: &[&str]) -> Value {
    labels.iter().zip(1..).map(|(label, id)| json!({ "id": id, "label": label })).collect()
}

fn organization(state: &State, demo: &Demo, random: &mut Random, n: u64) -> Record {
    let (first, kind) = (pick_nth(demo.customers, n), pick_nth(COMPANY_KINDS, n / 3));
    let name = format!("{first} {kind}{}", if n < 13 { "" } else { " Group" });
    let made = random.below(DAYS);
    record(json!({
        "name": name, "owner_id": 1 + random.below(4), "add_time": at(made, n), "update_time": at(made + random.below(10), n),
        "is_deleted": false, "visible_to": 3, "address": address(random), "label_ids": labels(random),
        "website": format!("https://{}.example.com", first.to_lowercase()),
        "industry": 1 + random.below(3), "annual_revenue": 100_000 * (1 + random.below(80)), "employee_count": 5 + random.below(900),
        "custom_fields": custom_values(state, &FieldTables::new("organizationFields"), random),
    }))
}

fn address(random: &mut Random) -> Value {
    let (city, country) = *random.pick(CITIES);
    let number = 1 + random.below(90);
    json!({
        "value": format!("Harbour Street {number}, {city}, {country}"), "country": country, "locality": city,
        "route": "Harbour Street", "street_number": number.to_string(), "postal_code": format!("{:05}", 10_000 + random.below(9_000)),
    })
}

fn person(state: &State, demo: &Demo, random: &mut Random, n: u64) -> Record {
    let (first, last) = (pick_nth(FIRST_NAMES, n), pick_nth(demo.last_names, n));
    let mailbox = format!("{}.{}{n}@example.com", first.to_lowercase(), last.to_lowercase());
    let made = random.below(DAYS);
    let mut emails = vec![json!({ "value": mailbox, "primary": true, "label": "work" })];
    if random.one_in(4) {
        emails.push(json!({ "value": format!("{}{n}@home.example.com", first.to_lowercase()), "primary": false, "label": "home" }));
    }
    record(json!({
        "name": format!("{first} {last}"), "first_name": first, "last_name": last, "owner_id": 1 + random.below(4),
        "org_id": (!random.one_in(6)).then(|| 1 + random.below(ORGANIZATIONS)),
        "add_time": at(made, n), "update_time": at(made + random.below(10), n), "emails": emails,
        "phones": [{ "value": format!("+1 555 01{n:02}"), "primary": true, "label": "work" }],
        "is_deleted": false, "visible_to": 3, "label_ids": labels(random),
        "job_title": random.one_in(2).then_some("Buyer"),
        "custom_fields": custom_values(state, &FieldTables::new("personFields"), random),
    }))
}

fn deal(state: &State, random: &mut Random, n: u64) -> Record {
    let stages: Vec<&Record> = state.rows("stages").collect();
    let place = *random.pick(&stages);
    let person = state.get("persons", 1 + random.below(PERSONS)).filter(|_| !random.one_in(8));
    let company =
        person.and_then(|p| p.get("org_id")).and_then(Value::as_u64).or_else(|| random.one_in(2).then(|| 1 + random.below(ORGANIZATIONS)));
    let about = company.and_then(|id| state.get("organizations", id)).or(person).and_then(|row| row.get("name")?.as_str());
    let title = format!("{} {}", about.unwrap_or("Walk-in"), random.pick(PRODUCTS));
    let (made, seconds) = (random.below(DAYS - 40), random.below(30_000));
    let moved = at(made + random.below(20), seconds);
    let closed = at(made + 20 + random.below(20), seconds);
    let status = *random.pick(&["open", "open", "open", "open", "open", "won", "won", "won", "lost", "lost"]);
    let is = |wanted: &str| status == wanted;
    let cents = if random.one_in(10) { 0.5 } else { 0.0 };
    let euros = u32::try_from(100 * (1 + random.below(250))).unwrap_or(100);
    let is_archived = n.is_multiple_of(25);
    record(json!({
        "title": title, "owner_id": 1 + random.below(4), "creator_user_id": FIRST_USER,
        "person_id": person.and_then(|p| p.get("id")), "org_id": company,
        "pipeline_id": place.get("pipeline_id"), "stage_id": place.get("id"),
        "value": if cents > 0.0 { json!(f64::from(euros) + cents) } else { json!(euros) },
        "currency": random.pick(&["EUR", "EUR", "USD", "GBP"]), "add_time": at(made, seconds),
        "update_time": if is("open") { moved.clone() } else { closed.clone() }, "stage_change_time": moved,
        "is_deleted": n % 60 == 59, "is_archived": is_archived, "archive_time": is_archived.then(|| closed.clone()),
        "status": status, "probability": random.one_in(3).then(|| 5 * random.below(21)), "visible_to": 3,
        "lost_reason": is("lost").then(|| random.pick(&["Price", "No answer", "Chose another"])),
        "close_time": (!is("open")).then(|| closed.clone()), "won_time": is("won").then(|| closed.clone()),
        "first_won_time": is("won").then(|| closed.clone()), "lost_time": is("lost").then(|| closed.clone()),
        "expected_close_date": (!random.one_in(3)).then(|| on(made + 30 + random.below(60))),
        "label_ids": labels(random), "origin": "ManuallyCreated", "custom_fields": custom_values(state, &FieldTables::new("dealFields"), random),
    }))
}

fn labels(random: &mut Random) -> Value {
    if random.one_in(2) { json!([1 + random.below(4)]) } else { json!([]) }
}

/// About a third of the custom fields have a value.
fn custom_values(state: &State, tables: &FieldTables, random: &mut Random) -> Value {
    let mut values = Record::new();
    for field in fields::custom(state, tables) {
        if !random.one_in(3) {
            continue;
        }
        let day = random.below(DAYS);
        let value = match field.get("field_type").and_then(Value::as_str).unwrap_or_default() {
            "double" => json!(random.below(100)),
            "monetary" => json!({ "value": 50 * random.below(100), "currency": CURRENCY }),
            "set" => json!([1, 2 + random.below(2)]),
            "enum" => json!(1 + random.below(3)),
            "user" => json!(1 + random.below(4)),
            // Those made first, so that what is pointed to is there.
            "org" if state.get("organizations", 1).is_some() => json!(1),
            "people" if state.get("persons", 1).is_some() => json!(1),
            "org" | "people" => continue,
            "phone" => json!(format!("+1 555 02{:02}", random.below(100))),
            "time" => json!({ "value": "10:30:00" }),
            "timerange" => json!({ "value": "09:00:00", "until": "17:00:00" }),
            "date" => json!(on(day)),
            "daterange" => json!({ "value": on(day), "until": on(day + 14) }),
            "address" => {
                json!({ "value": "Harbour Street 1, Tallinn, Estonia", "locality": "Tallinn", "country": "Estonia" })
            }
            "text" => json!("Met at the spring fair; asked for a second demo."),
            _ => json!(format!("REF-{:04}", random.below(10_000))),
        };
        values.insert(fields::code(field).to_owned(), value);
    }
    Value::Object(values)
}

fn note(random: &mut Random, n: u64) -> Record {
    let day = random.below(DAYS);
    let about = match n % 3 {
        0 => json!({ "deal_id": 1 + random.below(DEALS) }),
        1 => json!({ "person_id": 1 + random.below(PERSONS) }),
        _ => json!({ "org_id": 1 + random.below(ORGANIZATIONS) }),
    };
    let mut row = record(json!({
        "content": random.pick(&["<p>Asked for references.</p>", "<p>Wants to start next quarter.</p>", "<p>Prefers e-mail.</p>"]),
        "user_id": 1 + random.below(4), "last_update_user_id": FIRST_USER, "add_time": at(day, n), "update_time": at(day, n), "is_deleted": false,
        "pinned_to_lead_flag": false, "pinned_to_deal_flag": false, "pinned_to_organization_flag": false,
        "pinned_to_person_flag": false, "pinned_to_project_flag": false, "pinned_to_task_flag": false,
    }));
    row.extend(record(about));
    row
}

fn activity(state: &State, random: &mut Random, n: u64) -> Record {
    let (subject, kind) = *random.pick(ACTIVITIES);
    let deal = state.get("deals", 1 + random.below(DEALS));
    let linked = |name: &str| deal.and_then(|deal| deal.get(name)).cloned();
    let (day, done) = (random.below(DAYS + 60), random.one_in(2));
    let person = linked("person_id");
    record(json!({
        "subject": subject, "type": kind, "owner_id": 1 + random.below(4), "creator_user_id": FIRST_USER, "is_deleted": false,
        "add_time": at(day.min(DAYS), n), "update_time": at(day.min(DAYS), n), "deal_id": linked("id"),
        "person_id": person, "org_id": linked("org_id"), "due_date": on(day + 3), "due_time": "10:00:00", "duration": "00:30:00",
        "busy": false, "done": done, "marked_as_done_time": done.then(|| at(day + 3, n)),
        "participants": person.map_or_else(|| json!([]), |person| json!([{ "person_id": person, "primary": true }])),
    }))
}

fn stored_filters(state: &mut State) {
    let filters = [
        ("Open deals over 1000", "deals", "deal", [("status", "=", "open"), ("value", ">", "1000")]),
        ("People of organizations", "people", "person", [("org_id", "IS NOT NULL", ""), ("name", "IS NOT NULL", "")]),
        ("Large organizations", "org", "organization", [("employee_count", ">=", "100"), ("annual_revenue", ">", "0")]),
        ("Calls", "activity", "activity", [("type", "=", "call"), ("subject", "IS NOT NULL", "")]),
    ];
    for (name, kind, object, conditions) in filters {
        stored_filter(state, name, kind, object, &conditions);
    }
}

fn stored_filter(state: &mut State, name: &str, kind: &str, object: &str, conditions: &[(&str, &str, &str)]) {
    let conditions: Value = conditions
        .iter()
        .map(|(field, operator, value)| json!({ "object": object, "field_id": field, "operator": operator, "value": value }))
        .collect();
    let groups = json!({
        "glue": "and",
        "conditions": [{ "glue": "and", "conditions": conditions }, { "glue": "or", "conditions": [] }],
    });
    let conditions = filters::normalize(state, &TABLES, &groups).expect("the demo's conditions name known fields");
    state.insert(
        "filters",
        record(json!({
            "name": name, "is_editable": true, "type": kind, "temporary_flag": false, "user_id": FIRST_USER, "add_time": at(0, 0),
            "update_time": at(0, 0), "visible_to": 1, "is_deleted": false, "conditions": conditions,
        })),
    );
}

fn pick_nth<'a>(items: &[&'a str], n: u64) -> &'a str {
    items[usize::try_from(n).unwrap_or(0) % items.len()]
}
