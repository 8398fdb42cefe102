//! The demo's saved filters.

use serde_json::{Value, json};

use crate::demo::rows::{build_record, make_time};
use crate::engine::filters;
use crate::engine::state::{FIRST_USER, State};
use crate::objects::TABLES;

pub(super) fn add(state: &mut State) {
    let filters = [
        ("Open deals over 1000", "deals", "deal", [("status", "=", "open"), ("value", ">", "1000")]),
        ("People of organizations", "people", "person", [("org_id", "IS NOT NULL", ""), ("name", "IS NOT NULL", "")]),
        ("Large organizations", "org", "organization", [("employee_count", ">=", "100"), ("annual_revenue", ">", "0")]),
        ("Calls", "activity", "activity", [("type", "=", "call"), ("subject", "IS NOT NULL", "")]),
    ];
    for (name, kind, object, conditions) in filters {
        add_filter(state, name, kind, object, &conditions);
    }
}

pub(super) fn add_filter(state: &mut State, name: &str, kind: &str, object: &str, conditions: &[(&str, &str, &str)]) {
    let conditions: Value = conditions
        .iter()
        .map(|(field, operator, value)| json!({ "object": object, "field_id": field, "operator": operator, "value": value }))
        .collect();
    let groups = json!({
        "glue": "and",
        "conditions": [{ "glue": "and", "conditions": conditions }, { "glue": "or", "conditions": [] }],
    });
    let conditions = filters::normalize(state, &TABLES, &groups).expect("the demo's conditions name known fields");
    state.insert(
        "filters",
        build_record(json!({
            "name": name, "is_editable": true, "type": kind, "temporary_flag": false, "user_id": FIRST_USER, "add_time": make_time(0, 0),
            "update_time": make_time(0, 0), "visible_to": 1, "is_deleted": false, "conditions": conditions,
        })),
    );
}
