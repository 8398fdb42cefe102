//! The row of call logs.

use crate::calls;

use super::{Collection, PLAIN, Preset, V1, Verb};

pub(super) static ROWS: &[Collection] = &[Collection {
    name: "callLogs",
    label: "Call log",
    route: "/api/v1/callLogs",
    verbs: &[Verb::Get, Verb::Create],
    key: "uuid",
    links: &[
        ("user_id", "users"),
        ("activity_id", "activities"),
        ("deal_id", "deals"),
        ("person_id", "persons"),
        ("org_id", "organizations"),
        ("lead_id", "leads"),
    ],
    defaults: &[("user_id", Preset::User), ("has_recording", Preset::Flag(false))],
    v1: &[
        ("id", V1::From("uuid")),
        ("start_time", V1::Moment("start_time")),
        ("end_time", V1::Moment("end_time")),
        ("company_id", V1::Company),
    ],
    rule: calls::rule,
    ..PLAIN
}];
