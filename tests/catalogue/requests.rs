//! Requests whose form Pipedrive documents, by dry runs, which open no socket.

use serde_json::json;

use crate::support::runtime::{NOWHERE, build_runtime, dry_run};

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

#[tokio::test]
async fn absent_inputs_are_not_sent() {
    let runtime = build_runtime(NOWHERE);
    let outcome = dry_run(&runtime, "updateDeal", json!({"dealId": 1, "value": 0})).await;
    assert_eq!(outcome["data"][0]["json"], json!({"value": 0}), "send only the inputs that were given");
}
