//! The demo's deals, and the stages that they have left.

use serde_json::{Value, json};

use crate::demo::fields::draw_custom_values;
use crate::demo::rows::{DAYS, build_record, draw_labels, make_date, make_time};
use crate::demo::{organizations, persons};
use crate::engine::collection::FieldTables;
use crate::engine::state::{FIRST_USER, State};
use crate::objects::deals::statistics::PAST_STAGES;
use crate::value::clock::{parse_time, stamp};
use crate::value::random::Random;
use crate::value::record::{Record, read_text};

pub(super) const COUNT: u64 = 200;

const SUBJECTS: &[&str] = &["website", "licence", "support plan", "pilot", "rollout", "training", "audit"];

pub(super) fn add(state: &mut State, random: &mut Random) {
    for n in 1..=COUNT {
        let row = draw(state, random, n);
        state.insert("deals", row);
    }
}

fn draw(state: &State, random: &mut Random, n: u64) -> Record {
    let stages: Vec<&Record> = state.rows("stages").collect();
    let place = *random.pick(&stages);
    let person = state.get("persons", 1 + random.draw_below(persons::COUNT)).filter(|_| !random.draw_one_in(8));
    let company = person
        .and_then(|p| p.get("org_id"))
        .and_then(Value::as_u64)
        .or_else(|| random.draw_one_in(2).then(|| 1 + random.draw_below(organizations::COUNT)));
    let about = company.and_then(|id| state.get("organizations", id)).or(person).and_then(|row| row.get("name")?.as_str());
    let title = format!("{} {}", about.unwrap_or("Walk-in"), random.pick(SUBJECTS));
    let (made, seconds) = (random.draw_below(DAYS - 40), random.draw_below(30_000));
    let moved = make_time(made + random.draw_below(20), seconds);
    let closed = make_time(made + 20 + random.draw_below(20), seconds);
    let status = *random.pick(&["open", "open", "open", "open", "open", "won", "won", "won", "lost", "lost"]);
    let is = |wanted: &str| status == wanted;
    let cents = if random.draw_one_in(10) { 0.5 } else { 0.0 };
    let euros = u32::try_from(100 * (1 + random.draw_below(250))).unwrap_or(100);
    let is_archived = n.is_multiple_of(25);
    build_record(json!({
        "title": title, "owner_id": 1 + random.draw_below(4), "creator_user_id": FIRST_USER,
        "person_id": person.and_then(|p| p.get("id")), "org_id": company,
        "pipeline_id": place.get("pipeline_id"), "stage_id": place.get("id"),
        "value": if cents > 0.0 { json!(f64::from(euros) + cents) } else { json!(euros) },
        "currency": random.pick(&["EUR", "EUR", "USD", "GBP"]), "add_time": make_time(made, seconds),
        "update_time": if is("open") { moved.clone() } else { closed.clone() }, "stage_change_time": moved,
        "is_deleted": n % 60 == 59, "is_archived": is_archived, "archive_time": is_archived.then(|| closed.clone()),
        "status": status, "probability": random.draw_one_in(3).then(|| 5 * random.draw_below(21)), "visible_to": 3,
        "lost_reason": is("lost").then(|| random.pick(&["Price", "No answer", "Chose another"])),
        "close_time": (!is("open")).then(|| closed.clone()), "won_time": is("won").then(|| closed.clone()),
        "first_won_time": is("won").then(|| closed.clone()), "lost_time": is("lost").then(|| closed.clone()),
        "expected_close_date": (!random.draw_one_in(3)).then(|| make_date(made + 30 + random.draw_below(60))),
        "label_ids": draw_labels(random), "origin": "ManuallyCreated", "custom_fields": draw_custom_values(state, &FieldTables::new("dealFields"), random),
    }))
}

/// Adds the stages that each deal has left: those before its own, or the second if it is in the first.
pub(super) fn add_past_stages(state: &mut State) {
    let mut stages: Vec<Record> = state.rows("stages").cloned().collect();
    stages.sort_by_key(|stage| stage.get("order_nr").and_then(Value::as_u64));
    let find_past = |deal: &Record| -> Option<Vec<Value>> {
        let (made, moved) = (parse_time(read_text(deal, "add_time"))?, parse_time(read_text(deal, "stage_change_time"))?);
        let pipeline = stages.iter().filter(|stage| stage.get("pipeline_id") == deal.get("pipeline_id"));
        let pipeline: Vec<&Value> = pipeline.filter_map(|stage| stage.get("id")).collect();
        let place = pipeline.iter().position(|id| Some(*id) == deal.get("stage_id"))?;
        let passed = if place == 0 { pipeline.get(1..2)? } else { &pipeline[..place] };
        let step = (moved - made) / i32::try_from(passed.len()).ok()?;
        let stays = (0_i32..).zip(passed).map(|(n, id)| json!({ "stage_id": id, "since": stamp(made.saturating_add(step * n)) }));
        (made < moved).then(|| stays.collect())
    };
    state.change(
        "deals",
        |deal| find_past(deal).is_some(),
        |deal| {
            if let Some(past) = find_past(deal) {
                deal.insert(PAST_STAGES.to_owned(), past.into());
            }
        },
    );
}
