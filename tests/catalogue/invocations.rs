//! Whole invocations over HTTP against the sandbox.

use connector_core::run::Runtime;
use serde_json::{Value, json};

use crate::support::assertions::{assert_none, assert_valid};
use crate::support::fixtures;
use crate::support::fixtures::Fixture;
use crate::support::repository::{build_catalogue, path};
use crate::support::runtime::{NOWHERE, build_sandbox_runtime, invoke};
use crate::support::sandbox::sandbox_options;

/// Runs every fixture, and records the traffic for a check against Pipedrive's documents.
#[tokio::test]
async fn fixtures_return_the_recorded_data() {
    let record = path("target/traffic.jsonl");
    std::fs::create_dir_all(path("target")).expect("the build folder can be created");
    let _ = std::fs::remove_file(&record);
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut found = Vec::new();
    for fixture in fixtures::read_fixtures() {
        let runtime = build_sandbox_runtime(build_recording_options(&record)).await;
        let outcome = invoke(&runtime, fixture.key, fixture.input.clone()).await;
        if outcome["ok"] != true {
            found.push(format!("{}: {outcome}", fixture.key));
            continue;
        }
        assert_output_is_valid(&fixture, &outcome["data"]);
        if outcome["data"] != fixture.data && update {
            update_fixture(&fixture, &outcome["data"]);
        } else if outcome["data"] != fixture.data {
            found.push(format!("{}: data is\n{}\nthe fixture says\n{}", fixture.key, outcome["data"], fixture.data));
        }
        for input in &fixture.more {
            let runtime = build_sandbox_runtime(build_recording_options(&record)).await;
            let input = fill_cursor(&runtime, fixture.key, input.clone()).await;
            let outcome = invoke(&runtime, fixture.key, input.clone()).await;
            if outcome["ok"] == true {
                assert_output_is_valid(&fixture, &outcome["data"]);
            } else {
                found.push(format!("{} {input}: {outcome}", fixture.key));
            }
        }
    }
    assert_none(&found, "correct an input that was refused; if a difference is right, run `just fixtures` and read the change");
}

fn build_recording_options(record: &std::path::Path) -> pipedrive_sandbox::Options {
    pipedrive_sandbox::Options { record_file: Some(record.to_owned()), ..sandbox_options() }
}

/// Replaces `"<next of {…}>"` with the cursor that a first call with that input returns.
async fn fill_cursor(runtime: &Runtime, key: &str, mut input: Value) -> Value {
    let first = input["cursor"].as_str().and_then(|cursor| cursor.strip_prefix("<next of ")).and_then(|rest| rest.strip_suffix('>'));
    if let Some(first) = first {
        let first = serde_json::from_str(first).expect("a fixture's first input is JSON");
        let outcome = invoke(runtime, key, first).await;
        assert_eq!(outcome["page"]["complete"], false, "{key}: choose a first input whose page is not the last: {outcome}");
        input["cursor"] = outcome["page"]["next"].clone();
    }
    input
}

fn assert_output_is_valid(fixture: &Fixture, data: &Value) {
    let catalogue = build_catalogue();
    let described = catalogue.find(None, fixture.key).expect("the key is in the catalogue").describe(|_| None);
    if let Some(output) = described.get("output") {
        let schema = jsonschema::options().build(output).expect("the schema compiles");
        assert_valid(&schema, data, &format!("the data of {}", fixture.key));
    }
}

fn update_fixture(fixture: &Fixture, data: &Value) {
    let mut file = json!({"input": fixture.input, "data": data});
    if !fixture.more.is_empty() {
        file["more"] = fixture.more.clone().into();
    }
    if !fixture.then.is_null() {
        file["then"] = fixture.then.clone();
    }
    if !fixture.untried.is_empty() {
        file["untried"] = fixture.untried.clone().into();
    }
    let text = serde_json::to_string_pretty(&file).expect("a fixture is JSON") + "\n";
    std::fs::write(path(&format!("{}/{}.json", fixtures::FOLDER, fixture.key)), text).expect("the fixture can be written");
}

/// Invokes every promised key with the inputs that an old workflow may hold.
#[tokio::test]
async fn removed_actions_name_their_replacement_and_make_no_call() {
    let runtime = crate::support::runtime::build_runtime(NOWHERE);
    let promised = crate::support::repository::read_json("spec/pipedrive/promised.json");
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
