//! The requests of every fixture as snapshots, by dry runs, which open no socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::fixtures;
use crate::support::repository::build_catalogue;
use crate::support::runtime::{NOWHERE, build_runtime, dry_run};
use crate::support::snapshots::assert_snapshot;

#[tokio::test]
async fn requests_match_their_snapshots() {
    let runtime = build_runtime(NOWHERE);
    let mut rooms: BTreeMap<&str, String> = BTreeMap::new();
    for fixture in fixtures::read_fixtures() {
        for input in std::iter::once(&fixture.input).chain(&fixture.more) {
            let outcome = dry_run(&runtime, fixture.key, input.clone()).await;
            assert_eq!(outcome["ok"], true, "{}: correct the input of the fixture: {outcome}", fixture.key);
            assert_eq!(outcome["meta"]["requests"], 0, "a dry run must send nothing");
            let catalogue = build_catalogue();
            let room = catalogue
                .find(None, fixture.key)
                .expect("the key is in the catalogue")
                .declaration()
                .map_or("data_sources", connector_core::declare::Declaration::resource);
            let text = rooms.entry(room).or_default();
            for request in outcome["data"].as_array().expect("a dry run returns requests") {
                writeln!(text, "{}", describe(request)).expect("writing to a String cannot fail");
            }
        }
    }
    for (room, text) in rooms {
        assert_snapshot(format!("requests_{room}"), &text);
    }
}

/// Describes a request in one line, and its body in a second.
fn describe(request: &Value) -> String {
    assert_eq!(request["headers"]["x-api-token"], "[redacted]", "a dry run must not show a credential");
    let url = request["url"].as_str().expect("a URL").trim_start_matches(NOWHERE);
    let mut text = format!("{}: {} {url}", request["action"].as_str().expect("a key"), request["method"].as_str().expect("a method"));
    for body in ["json", "form", "multipart"] {
        if let Some(body) = request.get(body) {
            write!(text, "\n    {body}").expect("writing to a String cannot fail");
        }
    }
    text
}

#[tokio::test]
async fn query_values_are_encoded_in_declared_order() {
    let runtime = build_runtime(NOWHERE);
    let input = json!({"term": "50 % & more=ü,/?#", "exactMatch": true});
    let outcome = dry_run(&runtime, "searchDeals", input).await;
    let url = outcome["data"][0]["url"].as_str().expect("a URL").to_owned();
    assert_eq!(url, "http://127.0.0.1:9/api/v2/deals/search?term=50%20%25%20%26%20more%3D%C3%BC,%2F%3F%23&exact_match=true");
}

#[tokio::test]
async fn flags_are_digits_in_queries_and_numbers_in_bodies() {
    let runtime = build_runtime(NOWHERE);
    let input = json!({"content": "x", "dealId": 1, "pinnedToDealFlag": true, "pinnedToPersonFlag": false});
    let outcome = dry_run(&runtime, "addNote", input).await;
    let body = json!({"content": "x", "deal_id": 1, "pinned_to_deal_flag": 1, "pinned_to_person_flag": 0});
    assert_eq!(outcome["data"][0]["json"], body, "Pipedrive documents 0 and 1 for these members");
    let outcome = dry_run(&runtime, "getNotes", json!({"pinnedToDealFlag": true, "pinnedToPersonFlag": false})).await;
    assert_eq!(outcome["data"][0]["url"], "http://127.0.0.1:9/api/v1/notes?pinned_to_deal_flag=1&pinned_to_person_flag=0");
}
