//! The audit has a line for each call, and nothing of what was given or answered.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::evidence;
use crate::support::http::NDJSON;
use crate::support::server::Server;

/// Words that the calls below give or are answered, and that the audit must not have.
const PRIVATE: [&str; 6] = ["Quiet Takeover", "order-of-a-customer", "private-term", "made-up-name", "ada@example.com", DEMO_API_TOKEN];

/// Runs on two threads, since a command waits for the sandbox of this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audit_has_a_line_for_each_call_and_nothing_of_the_customers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let place = path.to_str().expect("the path is text");
    let (server, _) = Server::start_with_sandbox(&["--audit", place]).await;
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let listed: Value = serde_json::from_str(&server.run(&["keys", "list", "--owner", "acme", "--json"], "")).expect("JSON");
    let connection = server.connect(&key, DEMO_API_TOKEN).await;
    let keyed = json!({"action": "addDeal", "input": {"title": "Quiet Takeover"}, "options": {"idempotencyKey": "order-of-a-customer"}});
    let raw = json!({"action": "rawRequest", "input": {"method": "DELETE", "path": "/api/v2/deals/987654"}});
    let plan = |option: &str| json!({"action": "addDeal", "input": {"title": "Quiet Takeover"}, "options": {option: true}});
    for body in [&keyed, &keyed, &raw, &json!({"action": "made-up-name"}), &plan("dryRun"), &plan("estimate")] {
        server.invoke(&key, &body.to_string()).await;
    }
    let unreadable = server.send("POST", "/v1/invoke", &[("authorization", &key), NDJSON], "private-term\n").await;
    assert_eq!(unreadable.status, 200);
    server.get("/gateway/pipedrive/api/v2/persons/search?term=private-term", &key).await;
    server.get("/gateway/pipedrive/api/v1/private-term/of/nothing", &key).await;
    let refused = server.post("/gateway/pipedrive/api/v2/deals", &other, r#"{"title":"Quiet Takeover"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let metrics = server.get("/metrics", "").await.text();
    assert!(metrics.contains("connector_audit_failures_total 0"), "{metrics}");
    server.stop_and_read_log();
    let text = std::fs::read(&path).expect("the audit is there");
    evidence::record_shown("audit", &text);
    let text = String::from_utf8(text).expect("text");
    for private in PRIVATE {
        assert!(!text.contains(private), "{private} is the customer's:\n{text}");
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let short: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!([line["owner"], line["action"], line["request"]["path"], line["effect"], line["result"], line["status"], line["tokens"]])
        })
        .collect();
    assert_eq!(
        short,
        [
            json!(["acme", "addDeal", null, "write", "ok", 200, 5]),
            json!(["acme", "addDeal", null, "write", "ok", null, 0]),
            json!(["acme", "rawRequest", "/api/v2/deals/{id}", "destructive", "not_found", 404, 3]),
            json!(["acme", null, null, null, "unknown_action", null, 0]),
            json!(["acme", "addDeal", null, "write", "ok", null, 0]),
            json!(["acme", "addDeal", null, "write", "ok", null, 0]),
            json!(["acme", null, null, null, "invalid_invocation", null, 0]),
            json!(["acme", null, "/api/v2/persons/search", "read", "ok", 200, 20]),
            json!(["acme", null, null, "read", "ok", 404, 0]),
            json!(["other", null, "/api/v2/deals", "write", "no_connection", null, 0]),
        ],
        "{text}"
    );
    let first = &lines[0];
    assert_eq!((&first["key"], &first["connector"]), (&listed[0]["id"], &json!("pipedrive")), "{first}");
    assert_eq!(first["connection"], json!({"id": connection["connection_id"], "name": connection["name"]}), "{first}");
    assert_eq!((&lines[1]["replayed"], &lines[1]["idempotencyKey"]), (&json!(true), &first["idempotencyKey"]), "{text}");
    assert!(first["idempotencyKey"].as_str().is_some_and(|digest| digest.len() == 32), "{first}");
    assert!(first["time"].as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z')), "{first}");
    assert_eq!(lines[7]["request"]["method"], "GET", "{text}");
    let planned: Vec<usize> = (0..lines.len()).filter(|at| lines[*at]["planned"] == true).collect();
    assert_eq!(planned, [4, 5], "neither a dry run nor an estimate wrote anything: {text}");
}

/// Runs on two threads, since a command waits for the sandbox of this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_line_appends_to_the_audit_that_the_environment_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let place = path.to_str().expect("the path is text");
    let (server, _) = Server::start_with_sandbox(&[]).await;
    server.connect(&server.create_key("local"), DEMO_API_TOKEN).await;
    let invoke = ["invoke", "getStage", "--input", r#"{"stageId":1}"#];
    for _ in 0..2 {
        server.try_run(&[("CONNECTOR_AUDIT", place)], &invoke).expect("the stage is there");
    }
    let text = std::fs::read_to_string(&path).expect("the audit is there");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!((&lines[1]["owner"], &lines[1]["key"], &lines[1]["result"]), (&json!("local"), &Value::Null, &json!("ok")), "{text}");
    let refused = server.try_run(&[("CONNECTOR_AUDIT", "-")], &invoke).expect_err("stdout is for outcomes");
    assert!(refused.contains("CONNECTOR_AUDIT: outcomes alone go to stdout"), "{refused}");
    let missing = [("CONNECTOR_AUDIT", "/no/such/folder/audit")];
    for arguments in [&invoke[..], &["serve", "--port", "0"]] {
        let failed = server.try_run(&missing, arguments).expect_err("it cannot be opened");
        assert!(failed.contains("the audit /no/such/folder/audit: No such file"), "{failed}");
    }
}

#[tokio::test]
async fn host_says_that_its_audit_cannot_be_written() {
    let (server, _) = Server::start_with_sandbox(&["--audit", "/dev/full", "--drain", "0"]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(server.invoke(&key, r#"{"action":"getStage","input":{"stageId":1}}"#).await["ok"], true, "a short failure stops no call");
    let mut metrics = server.get("/metrics", "").await.text();
    while !metrics.contains("connector_audit_waiting_lines 1") || metrics.contains("connector_audit_failures_total 0") {
        metrics = server.get("/metrics", "").await.text();
    }
    server.terminate();
    assert_eq!(server.wait_for_exit_code(), 3);
}
