//! Lists that stream: one page is read ahead, a list that breaks off says where, and dropping a stream ends it.

use std::time::Duration;

use connector_core::run::{Invocation, RecordStream, Runtime, Streamed, View};
use connector_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::support::runtime::{NOWHERE, build_runtime, build_sandbox_runtime, read_stream, render_summary, run};
use crate::support::sandbox::sandbox_options;
use crate::support::upstream::{Script, build_json_response, by_cursor, by_start};

fn stream(runtime: &Runtime, key: &str, input: Value, most: Option<u64>) -> RecordStream {
    runtime.stream(Invocation::new(key).input(input).all_pages(most))
}

fn ids(records: &[Value]) -> Vec<u64> {
    records.iter().map(|record| record["id"].as_u64().expect("a record has an ID")).collect()
}

/// Takes the next item of a stream, which is a record, and returns its ID.
async fn take_record(list: &mut RecordStream) -> u64 {
    match list.next().await {
        Some(Streamed::Record(record)) => record.to_value().expect("a record is JSON")["id"].as_u64().expect("it has an ID"),
        other => panic!("expected a record: {other:?}"),
    }
}

#[tokio::test]
async fn stream_gives_the_records_of_the_joined_list_in_both_views() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (key, input) in [
        ("getDeals", json!({"limit": 50})),
        ("getNotes", json!({"limit": 3})),
        ("searchDeals", json!({"term": "a a", "fields": ["title"], "limit": 2})),
        ("getCurrencies", json!({})),
        ("selectDeal", json!({"limit": 40})),
    ] {
        for view in View::ALL {
            let call = || Invocation::new(key).input(input.clone()).view(view).id(7).all_pages(None);
            let joined = run(&runtime, call()).await;
            let (records, summary) = read_stream(runtime.stream(call())).await;
            let data = &joined["data"];
            let list = data.as_array().or_else(|| data["items"].as_array()).or_else(|| data["results"].as_array());
            assert_eq!(Some(&records), list, "{key} {view}");
            assert_eq!(
                (&summary["ok"], &summary["error"], &summary["page"]),
                (&json!(true), &json!(null), &joined["page"]),
                "{key} {view}"
            );
            assert_eq!((&summary["id"], &summary["action"]), (&json!(7), &json!(key)));
            for fact in ["connection", "requests", "tokens", "attempts", "view", "status"] {
                assert_eq!(summary["meta"][fact], joined["meta"][fact], "{key} {view}: {fact}");
            }
        }
    }
}

#[tokio::test]
async fn records_are_passed_byte_for_byte() {
    let body = |text: &str| build_json_response("200 OK", text);
    let first = "{\"success\":true,\"data\":[ {\"id\":1,\n \"n\":1.50} ],\"additional_data\":{\"next_cursor\":\"b\"}}";
    let second = r#"{"success":true,"data":[{"id":1},{"n":12345678901234567890123,"id":2}],"additional_data":{"next_cursor":null}}"#;
    let vendor = Script::start_with([body(first), body(second)]).await;
    let (mut list, mut lines) = (stream(&vendor.runtime, "getDeals", json!({}), None), Vec::new());
    while let Some(Streamed::Record(record)) = list.next().await {
        lines.push(record.as_str().to_owned());
    }
    assert_eq!(lines, [r#"{"id":1,  "n":1.50}"#, r#"{"n":12345678901234567890123,"id":2}"#]);
    assert!(list.next().await.is_none(), "nothing follows the summary");
}

#[tokio::test]
async fn list_that_breaks_off_says_what_was_given_and_goes_on_without_a_record_twice() {
    let body = |value: Value| build_json_response("200 OK", &value.to_string());
    for (broken, kind) in [
        (build_json_response("500 Internal Server Error", r#"{"success":false,"error":"No."}"#), "upstream_error"),
        (build_json_response("200 OK", r#"{"success":true,"data":[{"id"#), "bad_answer"),
        (build_json_response("200 OK", r#"{"success":true}"#), "bad_answer"),
    ] {
        let pages = [body(by_cursor(&[1, 2], Some("b"))), body(by_cursor(&[2, 3], Some("c"))), broken, body(by_cursor(&[4], None))];
        let vendor = Script::start_with(pages).await;
        let (records, summary) = read_stream(stream(&vendor.runtime, "getDeals", json!({"limit": 2}), None)).await;
        assert_eq!(ids(&records), [1, 2, 3]);
        assert_eq!((&summary["ok"], &summary["error"]["kind"]), (&json!(false), &json!(kind)), "{summary}");
        assert_eq!(summary["page"], json!({"count": 3, "complete": false, "next": "c"}), "{summary}");
        let hint = summary["error"]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("Page 3 failed; the 3 records of the pages before it were given."), "{summary}");
        let dropped = "1 record came on two pages, and are here once: the data changed while it was read.";
        assert_eq!(summary["meta"]["warnings"], json!([dropped]), "{summary}");
        let rest = json!({"limit": 2, "cursor": summary["page"]["next"]});
        let (records, summary) = read_stream(stream(&vendor.runtime, "getDeals", rest, None)).await;
        assert_eq!((ids(&records), &summary["page"]["complete"]), (vec![4], &json!(true)));
    }
    // A first page that fails leaves the list where it began.
    let vendor = Script::start_with([build_json_response("500 Internal Server Error", "{}")]).await;
    let (records, summary) = read_stream(stream(&vendor.runtime, "getDeals", json!({"cursor": "a"}), None)).await;
    assert_eq!((records.len(), &summary["page"]), (0, &json!({"count": 0, "complete": false, "next": "a"})), "{summary}");
}

#[tokio::test]
async fn deadline_ends_the_stream_with_what_was_given() {
    let vendor = Script::start([by_cursor(&[1], Some("b")), by_cursor(&[2], Some("c"))]).await;
    let mut call = Invocation::new("getDeals").all_pages(None);
    call.options.timeout = Duration::from_millis(1500);
    let (records, summary) = read_stream(vendor.runtime.stream(call)).await;
    assert_eq!((ids(&records), &summary["error"]["kind"]), (vec![1, 2], &json!("timed_out")), "{summary}");
    assert_eq!(summary["page"], json!({"count": 2, "complete": false, "next": "c"}), "{summary}");
    assert_eq!((&summary["error"]["retry"], &summary["meta"]["requests"]), (&json!("later"), &json!(3)), "{summary}");
}

#[tokio::test]
async fn one_page_is_read_ahead_and_no_more() {
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[3, 4], Some("c")), by_cursor(&[5], None)]).await;
    let mut list = stream(&vendor.runtime, "getDeals", json!({}), None);
    assert_eq!(vendor.asked().len(), 0, "nothing is sent before the stream is polled");
    for (id, asked) in [(1, 2), (2, 2), (3, 3), (4, 3)] {
        assert_eq!(take_record(&mut list).await, id);
        // The page after this one is read, though nobody waits for it; the one after that is not.
        vendor.wait_for_requests(asked).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(vendor.asked().len(), asked, "at record {id}");
    }
    let (records, summary) = read_stream(list).await;
    assert_eq!((ids(&records), &summary["page"]["complete"]), (vec![5], &json!(true)));
}

#[tokio::test]
async fn no_page_is_read_ahead_beyond_max_items() {
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[3], Some("c"))]).await;
    let (records, summary) = read_stream(stream(&vendor.runtime, "getDeals", json!({"limit": 2}), Some(3))).await;
    assert_eq!((ids(&records), &summary["page"]), (vec![1, 2, 3], &json!({"count": 3, "complete": false, "next": "c"})), "{summary}");
    assert_eq!(vendor.asked(), ["/api/v2/deals?limit=2", "/api/v2/deals?limit=1&cursor=b"]);
}

#[tokio::test]
async fn dropped_stream_ends_the_page_that_is_read_ahead() {
    let vendor = Script::start([by_cursor(&[1, 2], Some("b"))]).await;
    let mut list = stream(&vendor.runtime, "getDeals", json!({}), None);
    assert_eq!(take_record(&mut list).await, 1);
    vendor.wait_for_requests(2).await;
    drop(list);
    vendor.wait_for_leaving().await;
}

#[tokio::test]
async fn stopped_stream_gives_the_page_at_hand_and_goes_on_after_it() {
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[3], None)]).await;
    let mut list = stream(&vendor.runtime, "getDeals", json!({}), None);
    assert_eq!(take_record(&mut list).await, 1);
    assert_eq!(list.count_ready(), 1);
    // The next page may have come by now. Its records are not given.
    list.stop(Error::new(ErrorKind::Cancelled, "The work was stopped."));
    assert_eq!(take_record(&mut list).await, 2);
    let summary = render_summary(&list.next().await.expect("a summary comes last"));
    assert_eq!((&summary["error"]["kind"], &summary["action"]), (&json!("cancelled"), &json!("getDeals")), "{summary}");
    assert_eq!(summary["page"], json!({"count": 2, "complete": false, "next": "b"}), "{summary}");

    // A last page that was read ahead is not given either.
    let first: Vec<u64> = (1..=40).collect();
    let vendor = Script::start([by_cursor(&first, Some("b")), by_cursor(&[41], None)]).await;
    let mut list = stream(&vendor.runtime, "getDeals", json!({}), None);
    assert_eq!(take_record(&mut list).await, 1);
    vendor.wait_for_requests(2).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    list.stop(Error::new(ErrorKind::Cancelled, "The work was stopped."));
    let (records, summary) = read_stream(list).await;
    assert_eq!((ids(&records), &summary["error"]["kind"]), (first[1..].to_vec(), &json!("cancelled")), "{summary}");
    assert_eq!(summary["page"], json!({"count": 40, "complete": false, "next": "b"}), "{summary}");
}

#[tokio::test]
async fn list_by_a_start_warns_and_says_what_it_leaves_out() {
    let mut first = by_start(&[1, 2], Some(2));
    first["related_objects"] = json!({"user": {"7": {}}});
    let vendor = Script::start([first, by_start(&[2, 3], None)]).await;
    let (records, summary) = read_stream(stream(&vendor.runtime, "getNotes", json!({}), None)).await;
    assert_eq!(ids(&records), [1, 2, 3]);
    let warnings: Vec<&str> = summary["meta"]["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let [left_out, dropped, by_a_start] = warnings[..] else { panic!("{summary}") };
    assert!(left_out.contains("`related_objects`") && dropped.starts_with("1 record came on two pages"), "{summary}");
    assert!(by_a_start.starts_with("The list pages by a start"), "{summary}");
}

#[tokio::test]
async fn what_is_no_list_read_whole_is_refused_by_name() {
    let runtime = build_runtime(NOWHERE);
    for (text, kind, words) in [
        (r#"{"action": "getDeals"}"#, "invalid_invocation", "a list that is read whole"),
        (r#"{"action": "getDeals", "options": {"pages": "one", "maxItems": 3}}"#, "invalid_invocation", "a list that is read whole"),
        (r#"{"action": "getDeal", "input": {"dealId": 1}, "options": {"pages": "all"}}"#, "invalid_invocation", "getDeal reads no list"),
        (r#"{"action": "addDeal", "input": {"title": "x"}}"#, "invalid_invocation", "addDeal reads no list"),
        (r#"{"action": "getDeals", "input": {"limit": "x"}, "options": {"pages": "all"}}"#, "invalid_input", "does not fit getDeals"),
        (r#"{"action": "getStones", "options": {"pages": "all"}}"#, "unknown_action", ""),
        (r#"{"action": "getDeals", "options": {"pages": "all", "colour": 1}}"#, "invalid_invocation", "colour"),
        ("{", "invalid_invocation", "not JSON"),
    ] {
        let (records, summary) = read_stream(runtime.stream_json(text.as_bytes())).await;
        let error = &summary["error"];
        assert_eq!((records.len(), &summary["ok"], &error["kind"]), (0, &json!(false), &json!(kind)), "{text}: {summary}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{text}: {summary}");
        assert_eq!(summary["page"], json!({"count": 0, "complete": false, "next": null}), "{text}");
    }
}

#[tokio::test]
async fn dry_run_gives_the_request_of_the_first_page() {
    let runtime = build_runtime(NOWHERE);
    for view in View::ALL {
        let (planned, summary) = read_stream(runtime.stream(Invocation::new("getDeals").view(view).all_pages(None).dry_run())).await;
        assert_eq!((planned.len(), &planned[0]["url"]), (1, &json!(format!("{NOWHERE}/api/v2/deals"))), "{view}");
        assert_eq!((&summary["ok"], &summary["meta"]["requests"]), (&json!(true), &json!(0)), "{summary}");
    }
}
