//! Lists read whole, over each way to page.

use crate::support::Desk;
use connector_core::run::{Invocation, Streamed};
use serde_json::{Value, json};

/// Reads a list whole, and returns its outcome.
async fn read_whole(desk: &Desk, key: &str, input: Value, most: Option<u64>) -> Value {
    let outcome = desk.runtime.invoke(Invocation::new(key).input(input).all_pages(most)).await;
    serde_json::from_slice(&outcome.to_json()).expect("an outcome is JSON")
}

/// Streams a list, and returns its records and its summary.
async fn stream(desk: &Desk, key: &str, input: Value) -> (Vec<Value>, Value) {
    let (mut list, mut records) = (desk.runtime.stream(Invocation::new(key).input(input).all_pages(None)), Vec::new());
    while let Some(streamed) = list.next().await {
        let mut line = Vec::new();
        streamed.write_line(&mut line);
        let value: Value = serde_json::from_slice(&line).expect("a line is JSON");
        match streamed {
            Streamed::Record(_) => records.push(value),
            _ => return (records, value["summary"].clone()),
        }
    }
    panic!("a stream ends with its summary");
}

#[tokio::test]
async fn lists_read_whole_have_each_record_once() {
    let desk = Desk::start().await;
    for (key, input, pages_by) in [
        ("listTickets", json!({}), None),
        ("listPeople", json!({}), Some("page numbers")),
        ("listTags", json!({}), Some("a start")),
        ("searchTickets", json!({"text": "in"}), None),
        ("selectTicket", json!({}), None),
        ("selectTicket", json!({"search": "in"}), None),
        ("selectPerson", json!({}), Some("page numbers")),
    ] {
        let one = desk.invoke(key, input.clone()).await;
        let records = one["data"].as_array().expect("a list");
        assert!(records.len() > 2 && one["page"]["complete"] == true, "{one}");
        for limit in [1, 2, records.len(), 100] {
            let mut input = input.clone();
            input["limit"] = limit.into();
            let outcome = read_whole(&desk, key, input.clone(), None).await;
            assert_eq!(outcome["data"], one["data"], "{key} in pages of {limit}");
            let (streamed, summary) = stream(&desk, key, input).await;
            assert_eq!(Some(&streamed), one["data"].as_array(), "{key} in pages of {limit}");
            for facts in ["/ok", "/page", "/meta/requests", "/meta/tokens", "/meta/warnings"] {
                assert_eq!(summary.pointer(facts), outcome.pointer(facts), "{key} in pages of {limit}: {facts}");
            }
            assert_eq!(outcome["page"], json!({"count": records.len(), "complete": true, "next": null}), "{key} in pages of {limit}");
            let warnings = outcome["meta"]["warnings"].as_array().expect("a list");
            let has_pages = outcome["meta"]["requests"].as_u64() > Some(1);
            match pages_by.filter(|_| has_pages) {
                Some(way) => assert!(warnings.len() == 1 && warnings[0].as_str().is_some_and(|text| text.contains(way)), "{outcome}"),
                None => assert_eq!(warnings.len(), 0, "{outcome}"),
            }
        }
    }
}

#[tokio::test]
async fn page_size_stays_where_it_decides_what_a_page_holds() {
    let desk = Desk::start().await;
    for (key, limit, most, requests, next) in [
        ("listTags", 2, 3, ["GET /v1/tags?limit=2", "GET /v1/tags?limit=1&offset=2"], "start:3"),
        ("listPeople", 1, 2, ["GET /v1/people?perPage=1", "GET /v1/people?perPage=1&page=2"], "page:3"),
        ("listTickets", 1, 2, ["GET /v1/tickets?limit=1", "GET /v1/tickets?limit=1&afterId=1"], "link:limit=1&afterId=2"),
    ] {
        let before = desk.server.requests().len();
        let outcome = read_whole(&desk, key, json!({"limit": limit}), Some(most)).await;
        assert_eq!(outcome["page"], json!({"count": most, "complete": false, "next": next}), "{outcome}");
        assert_eq!(desk.server.requests()[before..], requests);
    }
    // The second page is cut, so that it is read again.
    let cut = read_whole(&desk, "listPeople", json!({"limit": 2}), Some(1)).await;
    assert_eq!(cut["page"], json!({"count": 1, "complete": false, "next": "page:1"}), "{cut}");
    assert!(cut["meta"]["warnings"][0].as_str().is_some_and(|text| text.contains("reads that page again")), "{cut}");
    // The link keeps the size that the first page was given.
    let first = read_whole(&desk, "listTickets", json!({}), Some(1)).await;
    assert_eq!(first["page"], json!({"count": 1, "complete": false, "next": "link:limit=1&afterId=1"}), "{first}");
}
