//! The view of an answer over HTTP: named by the invocation, else by the host.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::assertions::assert_view;
use crate::support::server::Server;

/// Builds an invocation that reads a stage.
fn read_stage(options: &Value) -> String {
    json!({"action": "getStage", "input": {"stageId": 1}, "options": options}).to_string()
}

#[tokio::test]
async fn view_of_the_host_is_for_calls_that_name_none() {
    let (server, _) = Server::start_with_sandbox(&["--view", "flat"]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_view(&server.invoke(&key, read_stage(&json!({}))).await, Some("flat"));
    assert_view(&server.invoke(&key, read_stage(&json!({"view": "record"}))).await, None);
}
