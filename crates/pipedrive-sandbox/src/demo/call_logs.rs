//! The demo's call logs.

use serde_json::{Value, json};

use crate::demo::rows::{build_record, make_time};
use crate::engine::state::{FIRST_USER, State};
use crate::objects::call_logs;

/// User, outcome, seconds, a recording or none, and the linked records.
type CallLog = (u64, &'static str, u64, bool, fn() -> Value);

const LOGS: &[CallLog] = &[
    (FIRST_USER, "connected", 312, true, || json!({ "deal_id": 1, "person_id": 1, "note": "<p>Wants an offer.</p>" })),
    (FIRST_USER, "no_answer", 0, false, || json!({ "person_id": 2 })),
    (FIRST_USER, "left_voicemail", 24, false, || json!({ "org_id": 1 })),
    (FIRST_USER, "busy", 0, false, || json!({ "deal_id": 2 })),
    (2, "connected", 95, false, || json!({ "deal_id": 3 })),
];

pub(super) fn add(state: &mut State) {
    for (n, (user, outcome, seconds, recorded, about)) in (0..).zip(LOGS) {
        let (start, end) = (make_time(210 + n, 0), make_time(210 + n, *seconds));
        let mut row = build_record(json!({
            "uuid": call_logs::make_uuid(state.rows("callLogs").count()), "user_id": user, "outcome": outcome, "subject": "Call", "has_recording": recorded,
            "duration": seconds.to_string(), "from_phone_number": "+1 555 0300", "to_phone_number": format!("+1 555 03{:02}", n + 1),
            "start_time": start, "end_time": end, "add_time": end, "update_time": end, "is_deleted": false,
        }));
        row.extend(build_record(about()));
        state.insert("callLogs", row);
    }
}
