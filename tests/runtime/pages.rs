//! Lists read whole from a vendor that changes, repeats itself, fails or falls silent.

use std::time::Duration;

use connector_core::run::Invocation;
use serde_json::{Value, json};

use crate::support::runtime::{NOWHERE, build_runtime, run, run_text};
use crate::support::upstream::{SECRET, Script, build_json_response, by_cursor, by_start};

fn ids(outcome: &Value) -> Vec<u64> {
    let records = outcome["data"].as_array().unwrap_or_else(|| panic!("no list: {outcome}"));
    records.iter().map(|record| record["id"].as_u64().expect("a record has an ID")).collect()
}

fn page(count: u64, complete: bool, next: Option<&str>) -> Value {
    json!({"count": count, "complete": complete, "next": next})
}

fn warnings(outcome: &Value) -> Vec<&str> {
    outcome["meta"]["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

const BY_A_START: &str = "The list pages by a start: if its data changed while it was read, records may be missing or doubled.";

#[tokio::test]
async fn records_that_came_before_are_left_out_with_one_warning() {
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[2, 3], Some("c")), by_cursor(&[3, 4], None)]).await;
    let outcome = vendor.read("getDeals", json!({"limit": 2}), None).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1, 2, 3, 4], &page(4, true, None)), "{outcome}");
    assert_eq!(warnings(&outcome), ["2 records came on two pages, and are here once: the data changed while it was read."]);
    assert_eq!(vendor.asked(), ["/api/v2/deals?limit=2", "/api/v2/deals?limit=2&cursor=b", "/api/v2/deals?limit=2&cursor=c"]);
    assert_eq!((&outcome["meta"]["requests"], &outcome["meta"]["attempts"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn list_by_a_start_warns_once_of_gaps_if_it_has_several_pages() {
    let vendor = Script::start([by_start(&[1, 2], Some(2)), by_start(&[3], None), by_start(&[1], None)]).await;
    let several = vendor.read("getNotes", json!({"start": 0, "limit": 2}), None).await;
    assert_eq!((ids(&several), &several["page"], warnings(&several)), (vec![1, 2, 3], &page(3, true, None), vec![BY_A_START]), "{several}");
    let single = vendor.read("getNotes", json!({}), None).await;
    assert_eq!((ids(&single), warnings(&single)), (vec![1], vec![]), "{single}");
    assert_eq!(
        vendor.asked(),
        ["/v1/notes?start=0&limit=2", "/v1/notes?limit=2&start=2", "/v1/notes"].map(|target| format!("/api{target}"))
    );
}

#[tokio::test]
async fn page_that_brings_nothing_new_ends_the_list() {
    for (pages, next, words) in [
        // A page that comes again, under another cursor.
        ([by_cursor(&[1, 2], Some("b")), by_cursor(&[1, 2], Some("c"))], "c", "no new record"),
        // A page that is empty, though more are to follow.
        ([by_cursor(&[1, 2], Some("b")), by_cursor(&[], Some("c"))], "c", "no new record"),
        // A cursor that leads to itself.
        ([by_cursor(&[1, 2], Some("b")), by_cursor(&[3], Some("b"))], "b", "named itself"),
    ] {
        let vendor = Script::start(pages).await;
        let outcome = vendor.read("getDeals", json!({}), None).await;
        let count = ids(&outcome).len() as u64;
        assert_eq!((&outcome["ok"], &outcome["page"]), (&json!(true), &page(count, false, Some(next))), "{outcome}");
        assert!(warnings(&outcome)[0].contains(words) && vendor.asked().len() == 2, "{outcome}");
    }
}

#[tokio::test]
async fn list_that_cannot_go_on_is_not_called_complete() {
    let vendor = Script::start([by_cursor(&[1], Some("b"))]).await;
    let outcome = vendor.read("getCurrencies", json!({}), None).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1], &page(1, false, None)), "{outcome}");
    assert!(!warnings(&outcome).is_empty(), "say that more follows: {outcome}");
}

#[tokio::test]
async fn broken_page_says_what_was_read_and_how_to_go_on() {
    let body = |value: Value| build_json_response("200 OK", &value.to_string());
    for (broken, kind) in [
        (build_json_response("500 Internal Server Error", r#"{"success":false,"error":"No."}"#), "upstream_error"),
        (build_json_response("200 OK", r#"{"success":true,"data":[{"id"#), "bad_answer"),
        (build_json_response("200 OK", r#"{"success":true}"#), "bad_answer"),
    ] {
        let vendor = Script::start_with([body(by_cursor(&[1, 2], Some("b"))), body(by_cursor(&[3, 4], Some("c\"d"))), broken]).await;
        let outcome = vendor.read("getDeals", json!({"limit": 2}), None).await;
        let error = &outcome["error"];
        assert_eq!((&outcome["ok"], &error["kind"], &error["retry"]), (&json!(false), &json!(kind), &json!("later")), "{outcome}");
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("Page 3 failed; the 4 records of the pages before"), "{outcome}");
        assert!(hint.ends_with(r#"give the input `cursor` "c\"d"."#) && !hint.contains(SECRET), "{outcome}");
        assert_eq!((&outcome["meta"]["requests"], &outcome["meta"]["attempts"]), (&json!(3), &json!(3)), "{outcome}");
    }
    let first = Script::start_with([build_json_response("500 Internal Server Error", "{}")]).await;
    let outcome = first.read("getDeals", json!({}), None).await;
    assert!(!outcome["error"]["hint"].as_str().unwrap_or_default().contains("Page"), "nothing was read before the first page: {outcome}");
}

#[tokio::test]
async fn deadline_covers_all_pages_and_tells_how_far_they_came() {
    let vendor = Script::start([by_cursor(&[1], Some("b")), by_cursor(&[2], Some("c"))]).await;
    let mut call = Invocation::new("getDeals").all_pages(None);
    call.options.timeout = Duration::from_millis(1500);
    let outcome = run(&vendor.runtime, call).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("timed_out"), &json!("later")), "{outcome}");
    let hint = outcome["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("Page 3 failed; the 2 records") && hint.contains("`cursor` \"c\""), "{outcome}");
}

#[tokio::test]
async fn list_ends_at_max_items_and_goes_on_from_there() {
    // The last page asks for what is left.
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[3], Some("c"))]).await;
    let outcome = vendor.read("getDeals", json!({"limit": 2}), Some(3)).await;
    assert_eq!((ids(&outcome), &outcome["page"], warnings(&outcome)), (vec![1, 2, 3], &page(3, false, Some("c")), vec![]), "{outcome}");
    assert_eq!(vendor.asked()[1], "/api/v2/deals?limit=1&cursor=b");

    // A list that ends just there is complete.
    let vendor = Script::start([by_cursor(&[1, 2], None)]).await;
    assert_eq!(vendor.read("getDeals", json!({}), Some(2)).await["page"], page(2, true, None));

    // A vendor that gives more than it was asked for: nothing is passed over.
    let vendor = Script::start([by_start(&[1, 2], Some(2)), by_start(&[3, 4, 5], Some(5))]).await;
    let outcome = vendor.read("getNotes", json!({"limit": 2}), Some(3)).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1, 2, 3], &page(3, false, Some("start:3"))), "{outcome}");
    let vendor = Script::start([by_cursor(&[1, 2], Some("b")), by_cursor(&[3, 4, 5], None)]).await;
    let outcome = vendor.read("getDeals", json!({"limit": 2}), Some(3)).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1, 2, 3], &page(3, false, Some("b"))), "{outcome}");
    assert!(
        warnings(&outcome)[0].contains("2 records more than options.maxItems allows: `page.next` reads that page again, with 1"),
        "{outcome}"
    );

    // A list without pages.
    let vendor = Script::start([by_cursor(&[1, 2, 3], None)]).await;
    let outcome = vendor.read("getCurrencies", json!({}), Some(2)).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1, 2], &page(2, false, None)), "{outcome}");
    assert!(warnings(&outcome)[0].ends_with("to read them, raise options.maxItems."), "{outcome}");
}

#[tokio::test]
async fn list_longer_than_the_longest_answer_ends_with_a_warning() {
    let wide = |id: u64, next| json!({"success": true, "data": [{"id": id, "text": "x".repeat(600_000)}], "additional_data": {"next_cursor": next}});
    let vendor = Script::start([wide(1, "b"), wide(2, "c")]).await;
    let outcome = vendor.read("getDeals", json!({}), None).await;
    assert_eq!((ids(&outcome), &outcome["page"]), (vec![1], &page(1, false, Some("b"))));
    assert!(warnings(&outcome)[0].contains("longer than 1048576 bytes"), "{}", outcome["meta"]);
}

#[tokio::test]
async fn numbers_and_unknown_members_of_all_pages_stay_as_they_are() {
    let body = |text: &str| build_json_response("200 OK", text);
    let first =
        r#"{"success":true,"data":[ {"id":1,"n":1.50} ],"related_objects":{"user":{"7":{"n":1.0}}},"additional_data":{"next_cursor":"b"}}"#;
    let second = r#"{"success":true,"data":[{"n":12345678901234567890123,"id":2}],"related_objects":{"user":{"8":{}},"deal":{"1":{}}},"additional_data":{"next_cursor":null}}"#;
    let vendor = Script::start_with([body(first), body(second)]).await;
    let outcome = vendor.runtime.invoke(Invocation::new("getDeals").all_pages(None)).await;
    let data = outcome.data().map(|data| data.as_str().to_owned());
    assert_eq!(data.as_deref(), Some(r#"[ {"id":1,"n":1.50},{"n":12345678901234567890123,"id":2} ]"#));
    let extra: Vec<_> = outcome.extra().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extra, [("related_objects", r#"{"user":{"7":{"n":1.0},"8":{}},"deal":{"1":{}}}"#)]);
}

#[tokio::test]
async fn options_that_do_not_fit_are_refused_by_name() {
    let runtime = build_runtime(NOWHERE);
    for (action, options, words) in [
        ("getDeal", json!({"pages": "all"}), "getDeal reads no list"),
        ("addDeal", json!({"pages": "all"}), "addDeal reads no list"),
        ("getDeals", json!({"maxItems": 3}), "maxItems is for lists that are read whole"),
        ("getDeals", json!({"pages": "one", "maxItems": 3}), "maxItems is for lists that are read whole"),
        ("getDeals", json!({"pages": "all", "maxItems": 1.5}), "maxItems is not a whole number"),
        ("getDeals", json!({"pages": null}), "pages is neither"),
    ] {
        let outcome =
            run_text(&runtime, json!({"action": action, "input": {"dealId": 1, "title": "x"}, "options": options}).to_string()).await;
        let error = &outcome["error"];
        assert_eq!((&error["kind"], &outcome["meta"]["requests"]), (&json!("invalid_invocation"), &json!(0)), "{options}: {outcome}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{options}: {outcome}");
    }
    let planned = run_text(
        &runtime,
        r#"{"action": "getDeals", "input": {"limit": 7}, "options": {"pages": "all", "maxItems": null, "dryRun": true}}"#,
    );
    let planned = planned.await;
    assert_eq!(planned["data"][0]["url"], format!("{NOWHERE}/api/v2/deals?limit=7"), "{planned}");
    assert_eq!(planned["data"].as_array().map(Vec::len), Some(1), "a dry run shows the first request: {planned}");
}
