//! The demo's leads, with their labels, sources and fields.

use serde_json::{Value, json};

use crate::demo::fields::{Standard, draw_custom_values};
use crate::demo::filters::add_filter;
use crate::demo::rows::{build_record, make_date, make_time};
use crate::engine::fields;
use crate::engine::state::State;
use crate::objects::leads;
use crate::objects::leads::make_uuid;
use crate::value::random::Random;
use crate::value::record::read_text;

const FIELDS: &[Standard] = &[
    ("Title", "varchar", "title"),
    ("Value", "monetary", "value"),
    ("Owner", "user", "owner_id"),
    ("Creator", "user", "creator_id"),
    ("Labels", "set", "label_ids"),
    ("Person", "people", "person_id"),
    ("Organization", "org", "organization_id"),
    ("Source", "varchar", "source_name"),
    ("Seen", "boolean", "was_seen"),
    ("Archived", "boolean", "is_archived"),
    ("Expected close date", "date", "expected_close_date"),
    ("Visible to", "visible_to", "visible_to"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

const LABELS: &[(&str, &str)] = &[("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue")];

const SOURCES: &[&str] = &[
    "Manually created",
    "Deal",
    "Web forms",
    "Prospector",
    "Leadbooster",
    "Live chat",
    "Import",
    "Website visitors",
    "Workflow automation",
    "API",
];

/// Subject, source, and the value with its currency.
type Lead = (&'static str, usize, Option<(u64, &'static str)>);

const LEADS: &[Lead] = &[
    ("relaunch", 0, Some((4200, "EUR"))),
    ("licences for a new team", 2, Some((1500, "USD"))),
    ("audit", 9, None),
    ("training days", 3, Some((900, "EUR"))),
    ("pilot in one plant", 5, Some((7600, "GBP"))),
    ("support plan", 6, Some((1080, "EUR"))),
    ("second website", 0, None),
    ("sensors", 7, Some((2800, "EUR"))),
    ("rollout", 2, Some((12_500, "USD"))),
    ("old request", 0, Some((300, "EUR"))),
];

pub(super) fn add(state: &mut State) {
    for (name, kind, code) in FIELDS {
        state.insert(leads::FIELDS.own, fields::define(name, kind, code, &Value::Null, false));
    }
    for (n, (name, color)) in (1..).zip(LABELS) {
        let row = json!({
            "uuid": make_uuid("leadLabels", n), "name": name, "color": color, "add_time": make_time(0, 0), "update_time": make_time(0, 0), "is_deleted": false,
        });
        state.insert("leadLabels", build_record(row));
    }
    for name in SOURCES {
        state.insert("leadSources", build_record(json!({ "name": name })));
    }
    let mut random = Random::from_name("leads");
    for (n, lead) in (1..).zip(LEADS) {
        add_lead(state, &mut random, n, lead);
    }
    let conditions = [("is_archived", "=", "0"), ("value", ">", "2000")];
    add_filter(state, "Leads over 2000", "leads", "lead", &conditions);
}

fn add_lead(state: &mut State, random: &mut Random, n: usize, (subject, source, worth): &Lead) {
    let nth = n as u64;
    let person = state.get("persons", nth).filter(|_| !n.is_multiple_of(4));
    let organization = person.map_or(Some(nth), |person| person.get("org_id")?.as_u64());
    let about = organization.and_then(|id| state.get("organizations", id)).or(person).map_or("", |row| read_text(row, "name"));
    let day = random.draw_below(250);
    let row = build_record(json!({
        "uuid": make_uuid("leads", n), "title": format!("{about} {subject}"), "owner_id": 1 + nth % 4, "creator_id": 1,
        "label_ids": if n.is_multiple_of(3) { json!([]) } else { json!([make_uuid("leadLabels", 1 + n % 3)]) },
        "person_id": person.and_then(|person| person.get("id")), "organization_id": organization, "source_name": SOURCES[*source],
        "origin": "ManuallyCreated", "is_archived": n == LEADS.len(), "was_seen": n.is_multiple_of(2),
        "value": worth.map(|(amount, currency)| json!({ "amount": amount, "currency": currency })),
        "expected_close_date": (!n.is_multiple_of(2)).then(|| make_date(day + 45)),
        "add_time": make_time(day, nth), "update_time": make_time(day + random.draw_below(9), nth),
        "visible_to": 3, "is_deleted": false, "custom_fields": draw_custom_values(state, &leads::FIELDS, random),
    }));
    state.insert("leads", row);
}
