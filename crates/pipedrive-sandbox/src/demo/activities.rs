//! The demo's activities and their types.

use serde_json::{Value, json};

use crate::demo::deals;
use crate::demo::fields::ACTIVITY_TYPES;
use crate::demo::rows::{DAYS, build_record, make_date, make_time};
use crate::engine::state::{FIRST_USER, State};
use crate::value::random::Random;
use crate::value::record::{Record, UUID};

const ACTIVITIES: &[(&str, &str)] =
    &[("Call", "call"), ("Meeting", "meeting"), ("Send offer", "task"), ("Lunch", "lunch"), ("E-mail", "email")];

pub(super) fn add(state: &mut State, random: &mut Random) {
    for n in 0..120 {
        let row = draw(state, random, n);
        state.insert("activities", row);
    }
}

/// Adds a call about each of the first leads, with a note of what was said.
pub(super) fn add_about_leads(state: &mut State) {
    const NOTES: &[&str] = &["<p>Wants a second offer.</p>", "<p>Call again in spring.</p>", "<p>The budget is approved.</p>"];
    let random = &mut Random::from_name("activities about leads");
    let read = |lead: &Record| Some((lead.get(UUID)?.clone(), lead.get("person_id").cloned()));
    let leads: Vec<(Value, Option<Value>)> = state.live("leads").filter_map(read).take(4).collect();
    for (n, (lead, person)) in (0..).zip(leads) {
        let day = random.draw_below(DAYS);
        let row = json!({
            "subject": "Call", "type": "call", "owner_id": 1 + random.draw_below(4), "creator_user_id": FIRST_USER, "is_deleted": false,
            "add_time": make_time(day, n), "update_time": make_time(day + 3, n), "lead_id": lead, "person_id": person, "due_date": make_date(day + 3),
            "due_time": "14:30:00", "duration": "00:45:00", "busy": true, "done": true, "marked_as_done_time": make_time(day + 3, n),
            "participants": list_participants(person.as_ref()), "note": random.pick(NOTES),
        });
        state.insert("activities", build_record(row));
    }
}

fn list_participants(person: Option<&Value>) -> Value {
    person.map_or_else(|| json!([]), |person| json!([{ "person_id": person, "primary": true }]))
}

fn draw(state: &State, random: &mut Random, n: u64) -> Record {
    let (subject, kind) = *random.pick(ACTIVITIES);
    let deal = state.get("deals", 1 + random.draw_below(deals::COUNT));
    let linked = |name: &str| deal.and_then(|deal| deal.get(name)).cloned();
    let (day, done) = (random.draw_below(DAYS + 60), random.draw_one_in(2));
    let person = linked("person_id");
    build_record(json!({
        "subject": subject, "type": kind, "owner_id": 1 + random.draw_below(4), "creator_user_id": FIRST_USER, "is_deleted": false,
        "add_time": make_time(day.min(DAYS), n), "update_time": make_time(day.min(DAYS), n), "deal_id": linked("id"),
        "person_id": person, "org_id": linked("org_id"), "due_date": make_date(day + 3), "due_time": "10:00:00", "duration": "00:30:00",
        "busy": false, "done": done, "marked_as_done_time": done.then(|| make_time(day + 3, n)),
        "participants": list_participants(person.as_ref()),
    }))
}

pub(super) fn add_types(state: &mut State) {
    for (order, key) in (1..).zip(ACTIVITY_TYPES) {
        let name = format!("{}{}", key[..1].to_uppercase(), &key[1..]);
        let row = json!({
            "name": name, "key_string": key, "icon_key": key, "color": "FFFFFF", "order_nr": order, "is_custom_flag": false,
            "add_time": make_time(0, order), "update_time": make_time(0, order), "is_deleted": false,
        });
        state.insert("activityTypes", build_record(row));
    }
}
