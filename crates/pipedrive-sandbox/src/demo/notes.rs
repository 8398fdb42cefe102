//! The demo's notes.

use serde_json::json;

use crate::demo::rows::{DAYS, build_record, make_time};
use crate::demo::{deals, organizations, persons};
use crate::engine::state::{FIRST_USER, State};
use crate::value::random::Random;
use crate::value::record::Record;

pub(super) fn add(state: &mut State, random: &mut Random) {
    for n in 0..80 {
        let row = draw(random, n);
        state.insert("notes", row);
    }
}

fn draw(random: &mut Random, n: u64) -> Record {
    let day = random.draw_below(DAYS);
    let about = match n % 3 {
        0 => json!({ "deal_id": 1 + random.draw_below(deals::COUNT) }),
        1 => json!({ "person_id": 1 + random.draw_below(persons::COUNT) }),
        _ => json!({ "org_id": 1 + random.draw_below(organizations::COUNT) }),
    };
    let mut row = build_record(json!({
        "content": random.pick(&["<p>Asked for references.</p>", "<p>Wants to start next quarter.</p>", "<p>Prefers e-mail.</p>"]),
        "user_id": 1 + random.draw_below(4), "last_update_user_id": FIRST_USER, "add_time": make_time(day, n), "update_time": make_time(day, n), "is_deleted": false,
        "pinned_to_lead_flag": false, "pinned_to_deal_flag": false, "pinned_to_organization_flag": false,
        "pinned_to_person_flag": false, "pinned_to_project_flag": false, "pinned_to_task_flag": false,
    }));
    row.extend(build_record(about));
    row
}
