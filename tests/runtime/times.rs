//! Times without a zone, in the zone that the caller names, against the sandbox.

use connector_core::run::{Invocation, Runtime, TimeZone};
use serde_json::{Value, json};

use crate::support::runtime::{NOWHERE, build_runtime, build_sandbox_runtime, dry_run, invoke, run, run_text};
use crate::support::sandbox::sandbox_options;

/// Invokes an action in a zone, and returns its data.
async fn invoke_in(runtime: &Runtime, zone: &str, key: &str, input: Value) -> Value {
    let zone: TimeZone = zone.parse().unwrap_or_else(|error| panic!("{error}"));
    let outcome = run(runtime, Invocation::new(key).input(input).time_zone(zone)).await;
    assert_eq!(outcome["ok"], true, "{outcome}");
    outcome["data"].clone()
}

#[tokio::test]
async fn time_and_date_of_an_activity_are_one_moment() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let read = async |id: &Value| {
        let data = invoke(&runtime, "getActivity", json!({"activityId": id})).await["data"].clone();
        (data["due_date"].clone(), data["due_time"].clone(), data["duration"].clone())
    };
    let due = json!({"subject": "Call", "dueDate": "2026-07-31", "dueTime": "01:30", "duration": "01:15"});
    let added = invoke_in(&runtime, "Europe/Tallinn", "addActivity", due.clone()).await;
    assert_eq!(read(&added["id"]).await, (json!("2026-07-30"), json!("22:30:00"), json!("01:15:00")));
    // Without a zone both travel as they are given.
    let in_utc = invoke(&runtime, "addActivity", due).await["data"].clone();
    assert_eq!(read(&in_utc["id"]).await, (json!("2026-07-31"), json!("01:30:00"), json!("01:15:00")));

    let change = json!({"activityId": added["id"], "dueDate": "2026-12-31", "dueTime": "20:00"});
    invoke_in(&runtime, "America/New_York", "updateActivity", change).await;
    assert_eq!(read(&added["id"]).await, (json!("2027-01-01"), json!("01:00:00"), json!("01:15:00")));
    // A date alone is a date.
    let change = json!({"activityId": added["id"], "dueDate": "2027-01-02", "duration": "00:45"});
    invoke_in(&runtime, "America/New_York", "updateActivity", change).await;
    assert_eq!(read(&added["id"]).await, (json!("2027-01-02"), json!("01:00:00"), json!("00:45:00")));

    let zone: TimeZone = "America/New_York".parse().expect("a zone");
    let change = json!({"activityId": added["id"], "dueTime": "20:00"});
    let refused = run(&runtime, Invocation::new("updateActivity").input(change.clone()).time_zone(zone)).await;
    assert_eq!((&refused["error"]["kind"], &refused["error"]["faults"][0]["path"]), (&json!("invalid_input"), &json!("/dueTime")));
    assert_eq!((&refused["error"]["hint"], &refused["meta"]["requests"]), (&json!("Give `dueDate` too."), &json!(0)), "{refused}");
    assert_eq!(invoke(&runtime, "updateActivity", change).await["ok"], true);
    assert_eq!(read(&added["id"]).await.1, "20:00:00");
}

#[tokio::test]
async fn moment_that_a_deal_was_won_is_that_of_the_callers_clock() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let input = json!({"title": "Won", "status": "won", "wonTime": "2026-01-31T09:30", "expectedCloseDate": "2026-01-31"});
    let refused = invoke(&runtime, "addDeal", input.clone()).await;
    let faults = json!([{
        "path": "/wonTime",
        "message": "\"2026-01-31T09:30\" has no zone: give one, as in \"2026-01-31T09:30:00Z\", or options.timeZone",
    }]);
    assert_eq!((&refused["error"]["faults"], &refused["meta"]["requests"]), (&faults, &json!(0)), "{refused}");
    let added = invoke_in(&runtime, "Asia/Kolkata", "addDeal", input).await;
    assert_eq!((&added["won_time"], &added["expected_close_date"]), (&json!("2026-01-31T04:00:00Z"), &json!("2026-01-31")));
    let read = invoke_in(&runtime, "Asia/Kolkata", "getDeal", json!({"dealId": added["id"]})).await;
    assert_eq!(read["won_time"], added["won_time"], "an answer stays in UTC");
    let change = json!({"dealId": added["id"], "wonTime": "2026-01-31T09:30:00+02:00"});
    assert_eq!(invoke(&runtime, "updateDeal", change).await["data"]["won_time"], "2026-01-31T07:30:00Z");
}

#[tokio::test]
async fn list_begins_at_the_moment_of_the_callers_clock() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let deals = invoke(&runtime, "getDeals", json!({"limit": 500, "sortBy": "update_time"})).await["data"].clone();
    let deals = deals.as_array().expect("deals");
    // Lord Howe is ten hours and a half ahead of UTC in its winter, eleven in its summer.
    for (local, in_utc) in [("2026-07-01 10:30:00", "2026-07-01T00:00:00Z"), ("2026-10-10T11:00", "2026-10-10T00:00:00Z")] {
        let is_after = |deal: &&Value| deal["update_time"].as_str().is_some_and(|time| time >= in_utc);
        let expected: Vec<&Value> = deals.iter().filter(is_after).map(|deal| &deal["id"]).collect();
        assert!(expected.len() < deals.len(), "some deals are older than {in_utc}");
        let input = json!({"updatedSince": local, "limit": 500, "sortBy": "update_time"});
        let found = invoke_in(&runtime, "Australia/Lord_Howe", "getDeals", input).await;
        let found: Vec<&Value> = found.as_array().into_iter().flatten().map(|deal| &deal["id"]).collect();
        assert_eq!(found, expected, "{local}");
    }
}

#[tokio::test]
async fn times_that_documents_name_as_utc_take_a_zone_too() {
    let runtime = build_runtime(NOWHERE);
    let call =
        |start: &str, end: &str| json!({"outcome": "connected", "toPhoneNumber": "+37255555555", "startTime": start, "endTime": end});
    let sent = |outcome: &Value| [outcome["data"][0]["json"]["start_time"].clone(), outcome["data"][0]["json"]["end_time"].clone()];
    let in_utc = dry_run(&runtime, "addCallLog", call("2026-01-31 09:30:00", "2026-01-31T11:45:00+02:00")).await;
    assert_eq!(sent(&in_utc), ["2026-01-31 09:30:00", "2026-01-31 09:45:00"]);
    let zone: TimeZone = "Europe/Tallinn".parse().expect("a zone");
    let input = call("2026-01-31 09:30:00", "2026-01-31T09:45:00Z");
    let in_zone = run(&runtime, Invocation::new("addCallLog").input(input).time_zone(zone).dry_run()).await;
    assert_eq!(sent(&in_zone), ["2026-01-31 07:30:00", "2026-01-31 09:45:00"]);
}

#[tokio::test]
async fn zone_that_is_none_is_refused_with_the_nearest() {
    let runtime = build_runtime(NOWHERE);
    for (zone, hint) in [
        (json!("Europe/Talinn"), "The nearest is `Europe/Tallinn`."),
        (json!("newyork"), "The nearest is `America/New_York`."),
        (json!("?"), "Give the name of a zone of the IANA database, as Europe/Tallinn."),
        (json!(2), "Name a zone, as Europe/Tallinn."),
    ] {
        let line = json!({"action": "getDeal", "input": {"dealId": 1}, "options": {"timeZone": zone}}).to_string();
        let refused = run_text(&runtime, line).await;
        assert_eq!((&refused["error"]["kind"], &refused["error"]["hint"]), (&json!("invalid_invocation"), &json!(hint)), "{refused}");
    }
    // Null is no zone, and an action without a time takes any.
    for zone in [json!(null), json!("Europe/Tallinn"), json!("utc")] {
        let line = json!({"action": "getDeal", "input": {"dealId": 1}, "options": {"timeZone": zone, "dryRun": true}}).to_string();
        assert_eq!(run_text(&runtime, line).await["ok"], true, "{zone}");
    }
}
