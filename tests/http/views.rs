//! The view of an answer: that of the invocation, else of its API key, else of its connection, else of the host.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::assertions::assert_view;
use crate::support::browser::Browser;
use crate::support::http::NDJSON;
use crate::support::process::{parse_outcomes, run_with_stdin};
use crate::support::server::Server;

/// Builds an invocation that reads a stage.
fn read_stage(options: &Value) -> String {
    json!({"action": "getStage", "input": {"stageId": 1}, "options": options}).to_string()
}

#[tokio::test]
async fn option_goes_before_key_before_connection_before_host() {
    let (server, _) = Server::start_with_sandbox(&["--view", "flat"]).await;
    let views = [None, Some("record"), Some("flat")];
    let keys = views.map(|view| server.create_key_with_view("acme", view));
    let connected = server.connect(&keys[0], DEMO_API_TOKEN).await;
    let path = format!("/v1/connections/{}", connected["connection_id"].as_str().expect("an id"));
    for of_connection in views {
        let changed = server.patch(&path, &keys[0], json!({"view": of_connection}).to_string()).await;
        assert_eq!(changed.json()["connection"]["view"].as_str(), of_connection, "{}", changed.text());
        for (key, of_key) in keys.iter().zip(views) {
            for option in views {
                let options = option.map_or_else(|| json!({}), |option| json!({"view": option}));
                let expected = option.or(of_key).or(of_connection).unwrap_or("flat");
                assert_view(&server.invoke(key, read_stage(&options)).await, Some(expected).filter(|view| *view != "record"));
            }
        }
    }
    // The same holds for each line of a stream.
    let lines = [json!({}), json!({"view": "flat"})].map(|options| read_stage(&options)).join("\n");
    let response = server.send("POST", "/v1/invoke", &[("authorization", &keys[1]), NDJSON], lines).await;
    let outcomes: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_view(&outcomes[0], None);
    assert_view(&outcomes[1], Some("flat"));
    // The gateway passes on what the vendor sends.
    let passed = server.get("/gateway/pipedrive/api/v2/stages/1", &keys[2]).await;
    assert!(passed.json()["data"]["order_nr"].is_number(), "{}", passed.text());
}

#[tokio::test]
async fn view_of_a_connection_is_set_shown_and_taken_away() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let body = |view: Value| json!({"api_token": DEMO_API_TOKEN, "api_domain": server.upstream(), "view": view}).to_string();
    let begun = server.post("/v1/connections", &key, body(json!("flat"))).await.json()["connection"].clone();
    assert_eq!((&begun["status"], &begun["view"]), (&json!("ACTIVE"), &json!("flat")), "{begun}");
    let id = begun["connection_id"].as_str().expect("an id");
    assert_view(&server.invoke(&key, read_stage(&json!({}))).await, Some("flat"));
    assert_eq!(server.read_connection(&key, id).await["view"], "flat");
    assert_eq!(server.get("/v1/connections", &key).await.json()["connections"][0]["view"], "flat");
    // Connecting the account again keeps the view.
    assert_eq!(server.post("/v1/connections", &key, body(Value::Null)).await.json()["connection"]["view"], "flat");

    let path = format!("/v1/connections/{id}");
    let foreign = server.patch(&path, &other, r#"{"view":"record"}"#).await;
    assert_eq!((foreign.status, foreign.kind().as_str()), (404, "not_found"), "{}", foreign.text());
    for bad in [json!("raw"), json!(true)] {
        for refused in [
            server.patch(&path, &key, json!({"view": bad, "name": "other"}).to_string()).await,
            server.post("/v1/connections", &key, body(bad.clone())).await,
        ] {
            assert_eq!((refused.status, refused.kind().as_str()), (400, "invalid_invocation"), "{bad}: {}", refused.text());
        }
    }
    // Other changes keep the view.
    let renamed = server.patch(&path, &key, r#"{"name":"Acme"}"#).await.json()["connection"].clone();
    assert_eq!((&renamed["view"], &renamed["name"]), (&json!("flat"), &json!("Acme")), "{renamed}");
    let cleared = server.patch(&path, &key, r#"{"view":null}"#).await.json()["connection"].clone();
    assert!(cleared.get("view").is_none() && cleared["name"] == "Acme", "{cleared}");
    assert_view(&server.invoke(&key, read_stage(&json!({}))).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_line_sets_the_view_of_a_connection() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let arguments = ["connect", "--public-url", &server.url];
    let connect = async |more: &[&str]| -> Value {
        let (link, wait_for_stdout) = server.start_command(&[&arguments, more].concat(), "Open this link in a browser, once: ");
        Browser::default().connect(&server, &link, 0).await;
        serde_json::from_str(&wait_for_stdout()).expect("connect prints the connection")
    };
    assert_eq!(connect(&["--name", "acme", "--view", "flat"]).await["view"], "flat");
    let invoke = || {
        let output = run_with_stdin(server.command(&["invoke", "getStage", "--input", r#"{"stageId":1}"#]), b"");
        parse_outcomes(&output).remove(0)
    };
    assert_view(&invoke(), Some("flat"));
    assert!(server.run(&["connections", "list"], "").ends_with("\tflat"), "the table has no view");
    assert_eq!(connect(&[]).await["view"], "flat", "connecting again keeps the view");
    for (word, shown) in [("record", json!("record")), ("none", Value::Null), ("flat", json!("flat"))] {
        let changed: Value = serde_json::from_str(&server.run(&["connections", "view", "acme", word], "")).expect("JSON");
        assert_eq!(changed["view"], shown, "{changed}");
        let kept: Value = serde_json::from_str(&server.run(&["connections", "show", "acme"], "")).expect("JSON");
        assert_eq!(kept.get("view"), changed.get("view"), "{kept}");
    }
    let foreign = server.try_run(&[], &["connections", "view", "acme", "flat", "--owner", "other"]);
    assert!(foreign.is_err_and(|stderr| stderr.contains("has no connection")));
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
