//! The updates of the demo's records: moves of deals, and changes of owners.

use serde_json::{Value, json};

use crate::demo::rows::{DAYS, build_record, make_date, make_time};
use crate::engine::changes::FieldChange;
use crate::engine::state::{FIRST_USER, State};
use crate::objects::deals::statistics::PAST_STAGES;
use crate::value::record::{Record, read_id, read_text};

pub(super) fn add(state: &mut State) {
    add_to_first_records(state);
    for table in ["organizations", "persons"] {
        let rows: Vec<Record> = state.rows(table).cloned().collect();
        for row in &rows {
            add_owner_change(state, table, row);
        }
    }
    let deals: Vec<Record> = state.rows("deals").cloned().collect();
    for deal in &deals {
        add_moves(state, deal);
    }
}

/// Gives a note to the first deal, person and organization, and an open activity to the deal.
fn add_to_first_records(state: &mut State) {
    for (note, field) in [(1, "deal_id"), (2, "person_id"), (3, "org_id")] {
        let about_first = |row: &mut Record| drop(row.insert(field.to_owned(), 1.into()));
        state.change("notes", |row| read_id(row) == Some(note), about_first);
    }
    let deal = state.get("deals", 1);
    let linked = |name: &str| deal.and_then(|deal| deal.get(name)).cloned();
    let activity = build_record(json!({
        "subject": "Call back", "type": "call", "owner_id": FIRST_USER, "creator_user_id": FIRST_USER, "is_deleted": false, "add_time": make_time(DAYS, 0),
        "update_time": make_time(DAYS, 0), "deal_id": 1, "person_id": linked("person_id"), "org_id": linked("org_id"),
        "due_date": make_date(DAYS + 60), "due_time": "10:00:00", "duration": "00:30:00", "busy": false, "done": false,
        "participants": linked("person_id").map_or_else(|| json!([]), |person| json!([{ "person_id": person, "primary": true }])),
    }));
    state.insert("activities", activity);
}

fn add_owner_change(state: &mut State, table: &str, row: &Record) {
    let (Some(item), Some(owner)) = (read_id(row), row.get("owner_id")) else {
        return;
    };
    let before = json!(1 + owner.as_u64().unwrap_or(0) % u64::try_from(state.rows("users").count()).unwrap_or(1));
    let time = read_text(row, "update_time");
    FieldChange { table, item, user: FIRST_USER, time, key: "owner_id", old: &before, new: owner, is_custom: false }.keep(state);
}

/// Adds a change for each move between a deal's past stages.
fn add_moves(state: &mut State, deal: &Record) {
    let (Some(item), Some(past)) = (read_id(deal), deal.get(PAST_STAGES).and_then(Value::as_array)) else {
        return;
    };
    let last = json!({ "stage_id": deal.get("stage_id"), "since": deal.get("stage_change_time") });
    let stays: Vec<&Value> = past.iter().chain([&last]).collect();
    for pair in stays.windows(2) {
        let time = pair[1]["since"].as_str().unwrap_or_default();
        let (old, new) = (&pair[0]["stage_id"], &pair[1]["stage_id"]);
        FieldChange { table: "deals", item, user: FIRST_USER, time, key: "stage_id", old, new, is_custom: false }.keep(state);
    }
}
