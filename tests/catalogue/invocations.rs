//! Whole invocations over HTTP against the sandbox.

use serde_json::{Value, json};

use crate::support::repository::read_json;
use crate::support::runtime::{NOWHERE, build_runtime, build_sandbox_runtime, invoke};
use crate::support::sandbox::sandbox_options;

/// Invokes every promised key with the inputs that an old workflow may hold.
#[tokio::test]
async fn removed_actions_name_their_replacement_and_make_no_call() {
    let runtime = build_runtime(NOWHERE);
    let promised = read_json("spec/pipedrive/promised.json");
    let (mut removed, mut expected) = (Vec::new(), Vec::new());
    for row in promised["promised"].as_array().expect("a list") {
        let key = row["key"].as_str().expect("a key");
        let outcome = invoke(&runtime, key, json!({"dealId": 1, "anything": "at all"})).await;
        if row["status"] == "removed" {
            expected.push(key);
        }
        if outcome["error"]["kind"] == "removed_upstream" {
            assert_eq!((&outcome["meta"]["requests"], &outcome["error"]["retry"]), (&json!(0), &json!("never")), "{outcome}");
            assert!(outcome["error"]["hint"].as_str().is_some_and(|hint| hint.len() > 40), "name the replacement in the hint: {outcome}");
            removed.push(key);
        }
    }
    assert_eq!(removed, expected, "only removed keys may answer removed_upstream");
    assert_eq!(removed.len(), 8);
}

#[tokio::test]
async fn pages_continue_until_the_list_is_complete() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let (mut ids, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let outcome = invoke(&runtime, "getDeals", json!({"limit": 70, "cursor": cursor})).await;
        let data = outcome["data"].as_array().expect("a list");
        assert_eq!(outcome["page"]["count"], data.len());
        ids.extend(data.iter().map(|deal| deal["id"].as_i64().expect("an ID")));
        if outcome["page"]["complete"] == true {
            assert_eq!(outcome["page"]["next"], Value::Null);
            break;
        }
        cursor = outcome["page"]["next"].clone();
    }
    let mut sorted = ids.clone();
    sorted.dedup();
    assert!(ids.len() > 100 && sorted.len() == ids.len() && ids.is_sorted(), "list each deal once, in order: {ids:?}");
}

#[tokio::test]
async fn raw_request_reports_its_cost_and_warns_when_out_of_support() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = invoke(&runtime, "rawRequest", json!({"method": "GET", "path": "/v1/deals"})).await;
    assert_eq!(outcome["error"]["kind"], "gone", "{outcome}");
    assert!(outcome["meta"]["warnings"][0].as_str().is_some_and(|warning| warning.contains("GET /api/v2/deals")), "{outcome}");
    let outcome = invoke(&runtime, "rawRequest", json!({"method": "GET", "path": "/api/v2/deals", "query": {"limit": 1}})).await;
    assert_eq!((&outcome["meta"]["tokens"], &outcome["meta"]["warnings"]), (&json!(10), &json!([])), "{outcome}");
    assert_eq!(
        outcome["extra"]["additional_data"]["next_cursor"].as_str().map(str::is_empty),
        Some(false),
        "put the page of a raw request into extra: {outcome}"
    );
}

#[tokio::test]
async fn second_deletion_is_not_found() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (delete, input) in [
        ("deleteDeal", json!({"dealId": 5})),
        ("deletePerson", json!({"personId": 5})),
        ("deleteOrganization", json!({"orgId": 5})),
        ("deleteStage", json!({"stageId": 2})),
        ("deletePipeline", json!({"pipelineId": 2})),
    ] {
        let first = invoke(&runtime, delete, input.clone()).await;
        assert_eq!(first["ok"], true, "{first}");
        let again = invoke(&runtime, delete, input).await;
        assert_eq!(again["error"]["kind"], "not_found", "{delete} twice: {again}");
    }
}
