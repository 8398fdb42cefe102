//! The demo's organizations.

use serde_json::{Value, json};

use crate::demo::companies::Demo;
use crate::demo::fields::draw_custom_values;
use crate::demo::rows::{DAYS, build_record, draw_labels, make_time, pick_nth};
use crate::engine::collection::FieldTables;
use crate::engine::state::State;
use crate::value::random::Random;
use crate::value::record::Record;

pub(super) const COUNT: u64 = 25;

const COMPANY_KINDS: &[&str] = &["Works", "Logistics", "Foods", "Software", "Energy"];
const CITIES: &[(&str, &str)] =
    &[("Tallinn", "Estonia"), ("Lisbon", "Portugal"), ("Berlin", "Germany"), ("Dublin", "Ireland"), ("Prague", "Czechia")];

pub(super) fn add(state: &mut State, demo: &Demo, random: &mut Random) {
    for n in 0..COUNT {
        let row = draw(state, demo, random, n);
        state.insert("organizations", row);
    }
}

fn draw(state: &State, demo: &Demo, random: &mut Random, n: u64) -> Record {
    let (first, kind) = (pick_nth(demo.customers, n), pick_nth(COMPANY_KINDS, n / 3));
    let name = format!("{first} {kind}{}", if n < 13 { "" } else { " Group" });
    let made = random.draw_below(DAYS);
    build_record(json!({
        "name": name, "owner_id": 1 + random.draw_below(4), "add_time": make_time(made, n), "update_time": make_time(made + random.draw_below(10), n),
        "is_deleted": false, "visible_to": 3, "address": draw_address(random), "label_ids": draw_labels(random),
        "website": format!("https://{}.example.com", first.to_lowercase()),
        "industry": 1 + random.draw_below(3), "annual_revenue": 100_000 * (1 + random.draw_below(80)), "employee_count": 5 + random.draw_below(900),
        "custom_fields": draw_custom_values(state, &FieldTables::new("organizationFields"), random),
    }))
}

fn draw_address(random: &mut Random) -> Value {
    let (city, country) = *random.pick(CITIES);
    let number = 1 + random.draw_below(90);
    json!({
        "value": format!("Harbour Street {number}, {city}, {country}"), "country": country, "locality": city,
        "route": "Harbour Street", "street_number": number.to_string(), "postal_code": format!("{:05}", 10_000 + random.draw_below(9_000)),
    })
}
