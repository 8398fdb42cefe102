//! Call logs and their recordings.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{assert_refused, get, get_data, open_with_bearers, sandbox, send, send_as, send_as_bearer, send_ok, upload};

const FIRST: &str = "ca110000000000000000000000000001";

#[expect(clippy::needless_pass_by_value, reason = "the tests' bodies are literals")]
fn build_log(more: Value) -> Value {
    let mut log = json!({
        "outcome": "connected", "to_phone_number": "+1 555 0199", "start_time": "2026-11-22 10:00:00", "end_time": "2026-11-22 10:02:05",
    });
    let fields = log.as_object_mut().expect("the log is an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    fields.retain(|_, value| !value.is_null());
    log
}

#[test]
fn logs_records_and_deletes_a_call() {
    let sandbox = sandbox();
    let added = send_ok(&sandbox, "POST", "/v1/callLogs", build_log(json!({ "deal_id": 1, "note": "<p>x</p>" })));
    let id = added["id"].as_str().expect("a log's id is text");
    assert_eq!((&added["duration"], &added["end_time"]), (&json!("125"), &json!("2026-11-22T10:02:05.000Z")));
    assert_eq!((&added["has_recording"], &added["user_id"], &added["deal_id"]), (&json!(false), &json!(1), &json!(1)));
    let path = format!("/v1/callLogs/{id}");
    assert_eq!(get_data(&sandbox, &path), added);

    let recordings = format!("{path}/recordings");
    let file = Some(("file", "call.mp3", "audio/mpeg", &b"\xff\xfb\x90"[..]));
    assert_refused(&upload(&sandbox, "POST", &recordings, &[], None), 400, "file: is required");
    assert_eq!(upload(&sandbox, "POST", &recordings, &[], file), (200, json!({ "success": true })));
    assert_eq!(get_data(&sandbox, &path)["has_recording"], true);
    assert_refused(&upload(&sandbox, "POST", &recordings, &[], file), 409, "already exists");

    assert_eq!(send(&sandbox, "DELETE", &path, json!({})), (200, json!({ "success": true })));
    assert_refused(&send(&sandbox, "DELETE", &path, json!({})), 410, "call log is not found");
    assert_refused(&send(&sandbox, "DELETE", "/v1/callLogs/nothing", json!({})), 404, "Call log not found");
    assert_refused(&get(&sandbox, &path), 404, "Call log not found");
    assert_refused(&upload(&sandbox, "POST", &recordings, &[], file), 404, "Call log not found");
}

#[test]
fn lists_only_the_logs_of_the_user() {
    let sandbox = sandbox();
    let listed = get_data(&sandbox, "/v1/callLogs");
    let ids = listed.as_array().expect("the data is a list").iter().map(|log| log["id"].as_str().unwrap_or_default());
    assert_eq!(
        ids.collect::<Vec<_>>(),
        [FIRST, "ca110000000000000000000000000002", "ca110000000000000000000000000003", "ca110000000000000000000000000004"]
    );
    assert_eq!(listed[0], get_data(&sandbox, &format!("/v1/callLogs/{FIRST}")));
    assert_eq!((&listed[0]["has_recording"], &listed[0]["company_id"]), (&json!(true), &json!(1)));
    for n in 0..50 {
        send_ok(&sandbox, "POST", "/v1/callLogs", build_log(json!({ "subject": n.to_string() })));
    }
    for limit in ["", "?limit=50", "?limit=500"] {
        let (_, page) = get(&sandbox, &format!("/v1/callLogs{limit}"));
        assert_eq!(page["data"].as_array().map(Vec::len), Some(50), "a page should have at most 50 logs, also with '{limit}'");
        assert_eq!(page["additional_data"]["pagination"]["next_start"], 50);
    }
}

#[test]
fn rejects_contradictory_calls() {
    let sandbox = sandbox();
    let activities = get_data(&sandbox, "/api/v2/activities?limit=500");
    let of_type =
        |wanted: bool| activities.as_array().into_iter().flatten().find(|a| (a["type"] == "call") == wanted).expect("the demo has both");
    for (more, status, part) in [
        (json!({ "outcome": null }), 400, "outcome: is required"),
        (json!({ "outcome": "shouted" }), 400, "outcome: must be one of"),
        (json!({ "start_time": "yesterday" }), 400, "start_time: is not in"),
        (json!({ "end_time": "2026-11-22 09:00:00" }), 400, "end_time: must not be before"),
        (json!({ "duration": "long" }), 400, "duration: must be a number"),
        (json!({ "deal_id": 9999 }), 404, "deal_id 9999 not found"),
        (json!({ "user_id": 99 }), 404, "user_id 99 not found"),
        (json!({ "activity_id": of_type(false)["id"] }), 400, "activity_id: must be"),
    ] {
        assert_refused(&send(&sandbox, "POST", "/v1/callLogs", build_log(more)), status, part);
    }
    assert_refused(&send_as(&sandbox, "POST", "/v1/callLogs", "text/plain", Bytes::from("x")), 400, "must be application/json");
    let activity = of_type(true);
    let added =
        send_ok(&sandbox, "POST", "/v1/callLogs", build_log(json!({ "activity_id": activity["id"], "deal_id": 1, "duration": "60" })));
    assert_eq!(
        (&added["deal_id"], &added["duration"]),
        (&activity["deal_id"], &json!("60")),
        "a call should have the links of its activity"
    );
}

#[test]
fn only_admins_log_calls_of_other_users() {
    let sandbox = open_with_bearers(&[("ben", &["phone-integration"], Some(2))]);
    let add_as_ben = |user: u64| send_as_bearer(&sandbox, "ben", "POST", "/v1/callLogs", build_log(json!({ "user_id": user })));
    assert_refused(&add_as_ben(1), 403, "another user");
    assert_eq!(add_as_ben(2).0, 200);
    assert_eq!(send_ok(&sandbox, "POST", "/v1/callLogs", build_log(json!({ "user_id": 2 })))["user_id"], 2);
}
