//! The demo's persons.

use serde_json::json;

use crate::demo::companies::Demo;
use crate::demo::fields::draw_custom_values;
use crate::demo::organizations;
use crate::demo::rows::{DAYS, build_record, draw_labels, make_time, pick_nth};
use crate::engine::collection::FieldTables;
use crate::engine::state::State;
use crate::value::random::Random;
use crate::value::record::Record;

pub(super) const COUNT: u64 = 60;

const FIRST_NAMES: &[&str] =
    &["Alma", "Bruno", "Celia", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Liam", "Mira", "Noel", "Olga"];

pub(super) fn add(state: &mut State, demo: &Demo, random: &mut Random) {
    for n in 0..COUNT {
        let row = draw(state, demo, random, n);
        state.insert("persons", row);
    }
}

fn draw(state: &State, demo: &Demo, random: &mut Random, n: u64) -> Record {
    let (first, last) = (pick_nth(FIRST_NAMES, n), pick_nth(demo.last_names, n));
    let mailbox = format!("{}.{}{n}@example.com", first.to_lowercase(), last.to_lowercase());
    let made = random.draw_below(DAYS);
    let mut emails = vec![json!({ "value": mailbox, "primary": true, "label": "work" })];
    if random.draw_one_in(4) {
        emails.push(json!({ "value": format!("{}{n}@home.example.com", first.to_lowercase()), "primary": false, "label": "home" }));
    }
    build_record(json!({
        "name": format!("{first} {last}"), "first_name": first, "last_name": last, "owner_id": 1 + random.draw_below(4),
        "org_id": (!random.draw_one_in(6)).then(|| 1 + random.draw_below(organizations::COUNT)),
        "add_time": make_time(made, n), "update_time": make_time(made + random.draw_below(10), n), "emails": emails,
        "phones": [{ "value": format!("+1 555 01{n:02}"), "primary": true, "label": "work" }],
        "is_deleted": false, "visible_to": 3, "label_ids": draw_labels(random),
        "job_title": random.draw_one_in(2).then_some("Buyer"),
        "custom_fields": draw_custom_values(state, &FieldTables::new("personFields"), random),
    }))
}
