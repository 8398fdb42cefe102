//! Answers that are nested too deep: an outcome stays readable, and no stack overflows.

use connector_core::run::{Invocation, Runtime, View};
use serde_json::{Value, json};

use crate::support::runtime::{invoke, render, run};
use crate::support::upstream::{Script, build_json_response, build_limited_runtime, build_response, start_upstream};

/// More lists than the stack of a thread could hold, were each read by a call of its own.
const HOSTILE: usize = 200_000;

/// Writes lists that are nested so deep, with a number in the innermost.
fn nest(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

async fn start(status: &str, body: &str) -> Runtime {
    build_limited_runtime(&start_upstream(build_json_response(status, body)).await)
}

/// Counts the lists and objects around the innermost value.
fn measure(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(measure).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(measure).max().unwrap_or(0),
        _ => 0,
    }
}

fn kind(outcome: &Value) -> &str {
    outcome["error"]["kind"].as_str().unwrap_or("ok")
}

#[tokio::test]
async fn value_at_level_128_is_there_and_deeper_answers_are_bad() {
    let note = |name: &str, depth: usize| format!(r#"{{"success":true,"data":{{"{name}":{}}}}}"#, nest(depth - 2));
    let list = |depth: usize| format!(r#"{{"success":true,"data":[{{"id":1,"custom_fields":{}}}]}}"#, nest(depth - 3));
    let found = |depth: usize| format!(r#"{{"success":true,"data":{{"items":[{{"item":{{"id":1,"x":{}}}}}]}}}}"#, nest(depth - 5));
    let beside = |depth: usize| format!(r#"{{"success":true,"data":{{}},"related_objects":{}}}"#, nest(depth - 1));
    for (what, key, input, at_most, deeper) in [
        ("a declared member", "getNote", json!({"noteId": 1}), note("content", 127), note("content", 128)),
        ("an unknown member", "getNote", json!({"noteId": 1}), note("other_thing", 127), note("other_thing", 128)),
        // A list keeps a level for the flat view, which frames it, and one for an object in its place.
        ("a record", "getDeals", json!({}), list(126), list(127)),
        ("a search", "searchDeals", json!({"term": "ab"}), found(125), found(126)),
        ("a choice", "selectDeal", json!({}), list(126), list(127)),
        ("beside the data", "getNote", json!({"noteId": 1}), beside(126), beside(127)),
        ("no envelope", "rawRequest", json!({"method": "GET", "path": "/api/v2/x"}), nest(126), nest(127)),
        ("no data", "rawRequest", json!({"method": "GET", "path": "/api/v2/x"}), note("x", 126).replace("data", "date"), nest(128)),
    ] {
        let (at_most, deeper) = (start("200 OK", &at_most).await, start("200 OK", &deeper).await);
        for view in [View::Record, View::Flat] {
            let call = || Invocation::new(key).input(input.clone()).view(view);
            // The outcome is read with the limit of the parser.
            let outcome = run(&at_most, call()).await;
            assert_eq!(kind(&outcome), "ok", "{what}, {view:?}: {outcome}");
            assert!(measure(&outcome) <= 127, "{what}, {view:?}");
            let outcome = run(&deeper, call()).await;
            assert_eq!(kind(&outcome), "bad_answer", "{what}, {view:?}: {outcome}");
            assert!(outcome["error"]["message"].as_str().is_some_and(|message| message.contains("nested deeper")), "{outcome}");
        }
    }
    let note = start("200 OK", &note("x", 127)).await;
    assert_eq!(measure(&invoke(&note, "getNote", json!({"noteId": 1})).await), 127, "the innermost number is at level 128");
}

#[tokio::test]
async fn hostile_answers_overflow_nothing() {
    let deep = nest(HOSTILE);
    let within = |text: &str| text.replace('@', &deep);
    for (what, status, body, key, input, read) in [
        ("data", "200 OK", within(r#"{"success":true,"data":@}"#), "getNote", json!({"noteId": 1}), "bad_answer"),
        ("a list", "200 OK", within(r#"{"success":true,"data":@}"#), "getDeals", json!({}), "bad_answer"),
        ("a record", "200 OK", within(r#"{"success":true,"data":[{"id":1},@]}"#), "getDeals", json!({}), "bad_answer"),
        ("a choice", "200 OK", within(r#"{"success":true,"data":[{"id":@}]}"#), "selectDeal", json!({}), "bad_answer"),
        ("page facts", "200 OK", within(r#"{"data":[],"additional_data":{"next_cursor":@}}"#), "getDeals", json!({}), "bad_answer"),
        ("a flag", "200 OK", within(r#"{"success":@,"data":{}}"#), "getNote", json!({"noteId": 1}), "ok"),
        ("half a text", "200 OK", "[".repeat(HOSTILE), "getNote", json!({"noteId": 1}), "bad_answer"),
        (
            "a refusal",
            "400 Bad Request",
            within(r#"{"success":false,"error":"No.","data":@}"#),
            "getNote",
            json!({"noteId": 1}),
            "upstream_rejected",
        ),
        (
            "a refusal",
            "200 OK",
            within(r#"{"success":false,"error":"No.","data":@}"#),
            "getNote",
            json!({"noteId": 1}),
            "upstream_rejected",
        ),
        ("words", "403 Forbidden", within(r#"{"success":false,"error":@}"#), "getNote", json!({"noteId": 1}), "forbidden"),
        ("a failure", "500 Oops", deep.clone(), "getNote", json!({"noteId": 1}), "upstream_error"),
        ("a refused file", "404 Not Found", within(r#"{"success":false,"error":@}"#), "downloadFile", json!({"fileId": 1}), "not_found"),
    ] {
        let runtime = start(status, &body).await;
        for view in [View::Record, View::Flat] {
            let outcome = render(&runtime.invoke(Invocation::new(key).input(input.clone()).view(view)).await);
            assert_eq!(kind(&outcome), read, "{what}, {view:?}: {:.300}", outcome.to_string());
        }
    }
    let runtime = start("200 OK", &within(r#"{"success":true,"data":@}"#)).await;
    let created = invoke(&runtime, "addNote", json!({"dealId": 1, "content": "x"})).await;
    assert_eq!((kind(&created), &created["error"]["retry"]), ("bad_answer", &json!("unsafe")), "{created}");
    // A file is bytes, whatever they are.
    let json_file = build_response("200 OK", "content-type: application/json\r\n", &deep);
    let fetched = invoke(&build_limited_runtime(&start_upstream(json_file).await), "downloadFile", json!({"fileId": 1})).await;
    assert_eq!(fetched["data"]["size"], deep.len(), "{:.300}", fetched.to_string());
}

#[tokio::test]
async fn page_that_is_too_deep_ends_a_list_read_whole() {
    let first = json!({"success": true, "data": [{"id": 1}], "additional_data": {"next_cursor": "c2"}}).to_string();
    let second = format!(r#"{{"success":true,"data":[{{"id":2,"x":{}}}]}}"#, nest(1000));
    for view in [View::Record, View::Flat] {
        let vendor = Script::start_with([&first, &second].map(|body| build_json_response("200 OK", body))).await;
        let outcome = run(&vendor.runtime, Invocation::new("getDeals").all_pages(None).view(view)).await;
        assert_eq!(kind(&outcome), "bad_answer", "{outcome}");
        assert!(outcome["error"]["hint"].as_str().is_some_and(|hint| hint.contains(r#"the input `cursor` "c2""#)), "{outcome}");
    }
}
