//! The view of an answer over HTTP: that of the invocation, else of its API key, else of the host.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::assertions::assert_view;
use crate::support::http::NDJSON;
use crate::support::server::Server;

/// Builds an invocation that reads a stage.
fn read_stage(options: &Value) -> String {
    json!({"action": "getStage", "input": {"stageId": 1}, "options": options}).to_string()
}

#[tokio::test]
async fn view_of_a_key_goes_before_that_of_the_host_and_after_the_option() {
    let (server, _) = Server::start_with_sandbox(&["--view", "flat"]).await;
    let [plain, record, flat] = [None, Some("record"), Some("flat")].map(|view| server.create_key_with_view("acme", view));
    server.connect(&plain, DEMO_API_TOKEN).await;
    for (key, option, view) in [
        (&plain, None, Some("flat")),
        (&plain, Some("record"), None),
        (&record, None, None),
        (&record, Some("flat"), Some("flat")),
        (&flat, None, Some("flat")),
        (&flat, Some("record"), None),
    ] {
        let options = option.map_or_else(|| json!({}), |option| json!({"view": option}));
        assert_view(&server.invoke(key, read_stage(&options)).await, view);
    }
    // The view of the key is for each line of a stream that names none.
    let lines = [json!({}), json!({"view": "flat"})].map(|options| read_stage(&options)).join("\n");
    let response = server.send("POST", "/v1/invoke", &[("authorization", &record), NDJSON], lines).await;
    let outcomes: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_view(&outcomes[0], None);
    assert_view(&outcomes[1], Some("flat"));
    // The gateway passes on what the vendor sends.
    let passed = server.get("/gateway/pipedrive/api/v2/stages/1", &flat).await;
    assert!(passed.json()["data"]["order_nr"].is_number(), "{}", passed.text());
}

#[tokio::test]
async fn keys_are_listed_with_their_view() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    for view in [None, Some("flat")] {
        server.create_key_with_view("acme", view);
    }
    let listed: Value = serde_json::from_str(&server.run(&["keys", "list", "--owner", "acme", "--json"], "")).expect("JSON");
    assert_eq!((listed[0].get("view"), &listed[1]["view"]), (None, &json!("flat")), "{listed}");
    let table = server.run(&["keys", "list", "--owner", "acme"], "");
    assert!(table.lines().nth(1).is_some_and(|line| line.ends_with("\tflat")), "{table}");
}

#[tokio::test]
async fn view_of_the_host_is_for_calls_that_name_none() {
    let (server, _) = Server::start_with_sandbox(&["--view", "flat"]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_view(&server.invoke(&key, read_stage(&json!({}))).await, Some("flat"));
    assert_view(&server.invoke(&key, read_stage(&json!({"view": "record"}))).await, None);
}
