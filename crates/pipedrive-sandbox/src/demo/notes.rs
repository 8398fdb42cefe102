//! The demo's notes and the comments on them.

use serde_json::{Value, json};

use crate::demo::rows::{DAYS, build_record, make_time};
use crate::demo::{deals, organizations, persons};
use crate::engine::state::{FIRST_USER, State};
use crate::objects::comments::make_uuid;
use crate::value::random::Random;
use crate::value::record::{Record, UUID};

/// The note, the author, and the text of each comment.
const COMMENTS: &[(u64, u64, &str)] = &[
    (2, 2, "<p>Who calls back?</p>"),
    (2, 1, "<p>I do, on Monday.</p>"),
    (2, 3, "<p>Done, see the next note.</p>"),
    (5, 4, "<p>Sent two references.</p>"),
];

pub(super) fn add(state: &mut State, random: &mut Random) {
    for n in 0..80 {
        let row = draw(random, n);
        state.insert("notes", row);
    }
}

/// Adds a note about each lead, of which the first is pinned.
pub(super) fn add_about_leads(state: &mut State) {
    let random = &mut Random::from_name("notes about leads");
    let leads: Vec<Value> = state.live("leads").filter_map(|lead| lead.get(UUID).cloned()).collect();
    for (n, lead) in (0..).zip(leads) {
        let day = random.draw_below(DAYS);
        let row = build_note(random, n, day, json!({ "lead_id": lead, "pinned_to_lead_flag": n == 0 }));
        state.insert("notes", row);
    }
}

pub(super) fn add_comments(state: &mut State) {
    for (n, (note, author, text)) in (1..).zip(COMMENTS) {
        let time = make_time(DAYS, 60 * n as u64);
        let row = json!({
            "commentId": make_uuid(n), "content": text, "object_id": note, "object_type": "note", "user_id": author, "updater_id": author,
            "add_time": time, "update_time": time, "is_deleted": false,
        });
        state.insert("noteComments", build_record(row));
    }
}

fn draw(random: &mut Random, n: u64) -> Record {
    let day = random.draw_below(DAYS);
    let about = match n % 3 {
        0 => json!({ "deal_id": 1 + random.draw_below(deals::COUNT) }),
        1 => json!({ "person_id": 1 + random.draw_below(persons::COUNT) }),
        _ => json!({ "org_id": 1 + random.draw_below(organizations::COUNT) }),
    };
    build_note(random, n, day, about)
}

fn build_note(random: &mut Random, n: u64, day: u64, about: Value) -> Record {
    let mut row = build_record(json!({
        "content": random.pick(&["<p>Asked for references.</p>", "<p>Wants to start next quarter.</p>", "<p>Prefers e-mail.</p>"]),
        "user_id": 1 + random.draw_below(4), "last_update_user_id": FIRST_USER, "add_time": make_time(day, n), "update_time": make_time(day, n), "is_deleted": false,
        "pinned_to_lead_flag": false, "pinned_to_deal_flag": false, "pinned_to_organization_flag": false,
        "pinned_to_person_flag": false, "pinned_to_project_flag": false, "pinned_to_task_flag": false,
    }));
    row.extend(build_record(about));
    row
}
