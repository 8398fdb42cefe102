//! The routes of `connector serve`: their input, output, refusals and owners.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::assertions::assert_valid;
use crate::support::http::{JSON, NDJSON, read_until};
use crate::support::repository::read_protocol_schema;
use crate::support::server::Server;

const GET_STAGE: &str = r#"{"id":"s","action":"getStage","input":{"stageId":1}}"#;

#[tokio::test]
async fn invokes_one_action_or_a_stream_line_by_line() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let key = ("authorization", key.as_str());
    server.connect(key.1, DEMO_API_TOKEN).await;
    let response = server.send("POST", "/v1/invoke", &[key, JSON], GET_STAGE).await;
    assert_eq!((response.status, &response.json()["data"]["id"]), (200, &json!(1)), "{}", response.text());
    for bad in ["nonsense", r#"{"action":"nope"}"#, r#"{"action":"getStage","connection":"other","input":{"stageId":1}}"#, ""] {
        let response = server.send("POST", "/v1/invoke", &[key, JSON], bad).await;
        assert_eq!((response.status, &response.json()["ok"]), (200, &json!(false)), "{bad}: {}", response.text());
        assert_valid(&read_protocol_schema("outcome"), &response.json(), bad);
    }
    let create = r#"{"id":"c","action":"addDeal","input":{"title":"Rocket"},"options":{"idempotencyKey":"run-1"}}"#;
    let lines = format!("{create}\nbad\n\n{create}\n{GET_STAGE}");
    let response = server.send("POST", "/v1/invoke", &[key, NDJSON], lines).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/x-ndjson")));
    let outcomes: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let ok: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["ok"]).collect();
    assert_eq!(ok, [true, false, true, true], "{outcomes:?}");
    assert_eq!((&outcomes[2]["meta"]["replayed"], &outcomes[2]["data"]["id"]), (&json!(true), &outcomes[0]["data"]["id"]));
}

#[tokio::test]
async fn ids_that_are_whole_numbers_come_back_in_every_outcome() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let calls = [
        (r#""action":"getStage","input":{"stageId":1}"#, "ok"),
        (r#""action":"getStage","input":{}"#, "invalid_input"),
        (r#""action":"getStage","connection":"other","input":{"stageId":1}"#, "no_connection"),
        (r#""action":"nope""#, "unknown_action"),
        (r#""action":"getStage","bogus":1"#, "invalid_invocation"),
    ];
    let kind = |outcome: &Value| outcome["error"]["kind"].as_str().unwrap_or("ok").to_owned();
    for id in [json!(17), json!(i64::MIN), json!(u64::MAX)] {
        let lines: Vec<String> = calls.iter().map(|(call, _)| format!("{{\"id\":{id},{call}}}")).collect();
        let response = server.send("POST", "/v1/invoke", &[("authorization", &key), NDJSON], lines.join("\n")).await;
        let text = response.text();
        let mut streamed = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        for ((_, expected), line) in calls.iter().zip(lines) {
            for outcome in [server.invoke(&key, line).await, streamed.next().expect("a line for each line")] {
                assert_eq!((&outcome["id"], kind(&outcome).as_str()), (&id, *expected), "{outcome}");
            }
        }
    }
}

#[tokio::test]
async fn streams_outcomes_while_the_body_is_open_and_stops_after_it() {
    let (server, _) = Server::start_with_sandbox(&["--concurrency", "1"]).await;
    let key = server.create_key("acme");
    let headers = [("authorization", key.as_str()), NDJSON];
    server.connect(&key, DEMO_API_TOKEN).await;
    let mut stream = server.open("POST", "/v1/invoke", &headers, None).await;
    let mut seen = Vec::new();
    for turn in 1..=2 {
        let line = format!("{GET_STAGE}\n");
        stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await.expect("the host reads");
        read_until(&mut stream, &mut seen, |seen| seen.matches("\"ok\":true").count() == turn).await;
        if turn == 1 {
            // The only place is taken: other calls are refused, and probes are still answered.
            let refused = server.send("POST", "/v1/invoke", &[headers[0], JSON], GET_STAGE).await;
            assert_eq!((refused.status, refused.kind().as_str()), (503, "rate_limited"));
            assert_eq!(server.get("/healthz", "").await.status, 200);
            server.terminate();
        }
    }
    stream.write_all(b"0\r\n\r\n").await.expect("the host reads");
    let _ = stream.read_to_end(&mut seen).await;
    assert!(String::from_utf8_lossy(&seen).ends_with("0\r\n\r\n"), "finish the response before the host stops");
    assert_eq!(server.wait_for_exit_code(), 0);
}

#[tokio::test]
async fn refusals_have_a_status_and_a_kind() {
    let (server, _) = Server::start_with_sandbox(&["--max-body", "1"]).await;
    let key = server.create_key("acme");
    let key = ("authorization", key.as_str());
    let large = "x".repeat((1 << 20) + 1);
    for (method, path, headers, body, status, kind) in [
        ("GET", "/nope", &[key][..], "", 404, "not_found"),
        ("PATCH", "/v1/invoke", &[key], "", 405, "invalid_invocation"),
        ("POST", "/v1/invoke", &[key], GET_STAGE, 415, "invalid_invocation"),
        ("POST", "/v1/invoke", &[key, ("content-type", "text/plain")], GET_STAGE, 415, "invalid_invocation"),
        ("POST", "/v1/invoke", &[key, JSON], &large, 413, "invalid_invocation"),
        ("POST", "/v1/invoke?x=1", &[key, JSON], GET_STAGE, 400, "invalid_invocation"),
        ("POST", "/v1/invoke", &[JSON], GET_STAGE, 401, "unauthorized"),
        ("POST", "/v1/invoke", &[("authorization", "Bearer ck_wrong"), JSON], GET_STAGE, 401, "unauthorized"),
        ("POST", "/v1/invoke", &[("authorization", "Basic eDp5"), JSON], GET_STAGE, 401, "unauthorized"),
        ("GET", "/v1/actions/getDael", &[key], "", 404, "unknown_action"),
        ("GET", "/v1/actions/getDeal?connection=x", &[key], "", 400, "no_connection"),
        ("GET", "/v1/actions/getDael?connection=x", &[key], "", 404, "unknown_action"),
        ("GET", "/v1/manifest?connector=hubspot", &[key], "", 400, "invalid_invocation"),
        ("GET", "/v1/connections?status=BROKEN", &[key], "", 400, "invalid_invocation"),
        ("GET", "/v1/connections?app=a&app=b", &[key], "", 400, "invalid_invocation"),
        ("GET", "/v1/connections/nope", &[key], "", 404, "not_found"),
        ("DELETE", "/v1/connections/nope", &[key], "", 404, "not_found"),
        ("POST", "/v1/connections", &[key, JSON], r#"{"app":"pipedrive","bogus":1}"#, 400, "invalid_invocation"),
        ("POST", "/v1/connections", &[key, JSON], r#"{"app":"hubspot"}"#, 400, "no_connection"),
        ("POST", "/v1/connections", &[key, JSON], r#"{"method":"BASIC"}"#, 400, "invalid_invocation"),
        ("POST", "/v1/connections", &[key, JSON], r#"{"method":"API_KEY"}"#, 400, "invalid_invocation"),
        ("POST", "/v1/connections", &[key], "{}", 415, "invalid_invocation"),
        ("POST", "/v1/connections/nope/exchange", &[key, JSON], r#"{"code":"x"}"#, 404, "not_found"),
        ("POST", "/v1/installs/nope/claim", &[key], "", 404, "not_found"),
        ("POST", "/v1/installs/nope/confirm", &[key], "", 404, "not_found"),
        ("POST", "/v1/installs/nope/decline", &[key], "", 404, "not_found"),
    ] {
        let response = server.send(method, path, headers, body).await;
        assert_eq!((response.status, response.kind().as_str()), (status, kind), "{method} {path}: {}", response.text());
    }
    let misdirected = server.get("/api/v1/deals", key.1).await;
    assert!(
        misdirected.json()["error"]["hint"].as_str().is_some_and(|hint| hint.contains("/gateway/pipedrive/api/v1/deals")),
        "{}",
        misdirected.text()
    );
    assert_eq!(server.send("PATCH", "/v1/invoke", &[key], "").await.header("allow"), Some("POST"));
}

/// Calls every method of every path, and compares the response with the description.
#[tokio::test]
async fn openapi_describes_every_route() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let document = server.get("/openapi.json", "").await.json();
    let references = document.to_string();
    for (path, operations) in document["paths"].as_object().expect("the description has paths") {
        let filled_path = path.replace("{connector}", "pipedrive").replace("{path}", "api/v1/users/me").replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let operation = &operations[method.to_lowercase()];
            let response = server.send(method, &filled_path, &[], "").await;
            assert_eq!(response.status == 405, operation.is_null(), "{method} {path} answers {}", response.status);
            assert_ne!(response.status, 500, "{method} {path}: {}", response.text());
            let needs_key = !operation["security"].is_null();
            assert_eq!(
                response.status == 401 && response.header("connector-error").is_some(),
                needs_key,
                "{method} {path}: {}",
                response.text()
            );
            let declared: Vec<&str> =
                operation["parameters"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
            let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            if response.header("connector-error").is_some() && !operation.is_null() {
                let described = &operation["responses"]["default"]["content"];
                let media_type = response.header("content-type").expect("a refusal has a body");
                assert!(!described[media_type].is_null(), "{method} {path} is refused as {media_type}: {described}");
            }
            assert!(operation.is_null() || variables.into_iter().all(|name| declared.contains(&name)), "{method} {path}: {declared:?}");
        }
    }
    for reference in references.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} must lead to a schema");
    }
}

#[tokio::test]
async fn keys_act_for_their_owner_and_operators_for_a_named_one() {
    let (server, sandbox) = Server::start_with_sandbox(&[]).await;
    let (acme, other, operator) = (server.create_key("acme"), server.create_key("other"), server.create_operator_key());
    let connection = server.connect(&acme, DEMO_API_TOKEN).await;
    let id = connection["connection_id"].as_str().expect("an id");
    // Owners do not share idempotency keys.
    let keyed = json!({"action": "addDeal", "input": {"title": "Mine"}, "options": {"idempotencyKey": "k"}}).to_string();
    server.connect(&other, &sandbox.companies()[1].api_token).await;
    for key in [&acme, &other] {
        let outcome = server.invoke(key, &keyed).await;
        assert_eq!((&outcome["ok"], &outcome["meta"]["replayed"]), (&json!(true), &Value::Null), "{outcome}");
    }
    // An operator names the owner; an owner cannot name another.
    let list = async |key: &str, owner: Option<&str>| {
        let headers: Vec<_> = [("authorization", key)].into_iter().chain(owner.map(|owner| ("connector-owner", owner))).collect();
        server.send("GET", "/v1/connections", &headers, "").await
    };
    assert_eq!(list(&operator, Some("acme")).await.json()["connections"][0]["connection_id"], id);
    assert_eq!(list(&operator, None).await.status, 400);
    assert_eq!(list(&other, Some("acme")).await.status, 403);
    assert_eq!(list(&acme, Some("acme")).await.status, 200);
}

/// Runs on two threads, since a command waits for the sandbox of this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_is_shared_by_http_and_command_line() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("local");
    let headers = [("authorization", key.as_str()), JSON];
    let begun = server.post("/v1/connections", &key, r#"{"app":"pipedrive"}"#).await;
    let connection = begun.json()["connection"].clone();
    assert_eq!((begun.status, &connection["status"], &connection["app"]), (201, &json!("PENDING"), &json!("pipedrive")), "{connection}");
    assert!(connection["url"].as_str().is_some_and(|url| url.starts_with(&format!("{}/oauth/start?link=", server.url))), "{connection}");
    server.connect(&key, DEMO_API_TOKEN).await;
    let active = server.get("/v1/connections?app=pipedrive&status=ACTIVE", &key).await.json();
    let active = active["connections"].as_array().expect("a list");
    assert_eq!((active.len(), &active[0]["method"], &active[0]["url"]), (1, &json!("API_KEY"), &Value::Null), "{active:?}");
    // Rename it and make it the default.
    let path = format!("/v1/connections/{}", active[0]["connection_id"].as_str().expect("an id"));
    let change = async |body: &str| server.send("PATCH", &path, &headers, body).await;
    let changed = change(r#"{"name":"sales","is_default":true}"#).await.json()["connection"].clone();
    assert_eq!((&changed["name"], &changed["is_default"]), (&json!("sales"), &json!(true)), "{changed}");
    for (body, status) in [(r#"{"is_default":false}"#, 400), (r#"{"name":" "}"#, 400), (r#"{"status":"FAILED"}"#, 400), ("{}", 200)] {
        let response = change(body).await;
        assert_eq!(response.status, status, "{body}: {}", response.text());
        assert_eq!(server.get(&path, &key).await.json()["connection"]["name"], "sales", "{body}");
    }
    let active = server.get("/v1/connections?status=ACTIVE", &key).await.json();
    let active = active["connections"].as_array().expect("a list");
    // The command line uses the same store.
    let name = active[0]["name"].as_str().expect("a name");
    assert_eq!(server.run(&["connections", "list"], "").lines().count(), 2);
    let tested: Value = serde_json::from_str(&server.run(&["connections", "test", name], "")).expect("JSON");
    assert_eq!(tested["metadata"]["company"], active[0]["metadata"]["company"]);
    let outcome: Value = serde_json::from_str(&server.run(&["invoke", "getStage", "--input", r#"{"stageId":1}"#], "")).expect("an outcome");
    assert_eq!(outcome["meta"]["connection"], name, "prefer the store to the environment: {outcome}");
    let removed = server.delete(&path, &key).await;
    assert_eq!((removed.status, &removed.json()["deleted"]), (200, &json!(true)), "{}", removed.text());
    // A platform's own callback gets the vendor's page at once.
    let body = json!({"redirectUri": format!("{}/oauth/callback", server.url), "state": "theirs"}).to_string();
    let begun = server.post("/v1/connections", &key, &body).await.json();
    assert!(
        begun["connection"]["url"].as_str().is_some_and(|url| url.contains("/oauth/authorize?") && url.contains("state=theirs")),
        "{begun}"
    );
    // A token on stdin.
    let connected = server.run(&["connect", "--api-token", "-", "--api-domain", server.upstream(), "--name", "by-hand"], DEMO_API_TOKEN);
    assert!(connected.contains("\"by-hand\"") && !connected.contains(DEMO_API_TOKEN), "{connected}");
}

#[tokio::test]
async fn revoked_key_is_refused_at_once() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    assert_eq!(server.get("/v1/actions", &key).await.status, 200);
    let listed = server.run(&["keys", "list", "--owner", "acme"], "");
    assert!(!listed.contains(key.trim_start_matches("Bearer ")), "do not show the key again: {listed}");
    server.revoke_key("acme");
    assert_eq!(server.get("/v1/actions", &key).await.status, 401);
}

#[tokio::test]
async fn metrics_and_logs_hold_no_secret_and_no_owner() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let (key, operator) = (server.create_key("some-owner"), server.create_operator_key());
    server.connect(&key, DEMO_API_TOKEN).await;
    server.post("/v1/invoke", &key, GET_STAGE).await;
    server.post("/v1/invoke", &key, r#"{"action":"made-up-name"}"#).await;
    server.get("/gateway/pipedrive/api/v1/users/me?term=private-word", &key).await;
    server.get("/oauth/callback?code=secret-code&state=secret-state", "").await;
    assert_eq!(server.get("/readyz", "").await.json()["ok"], true);
    let metrics = server.get("/metrics", "").await.text();
    assert!(metrics.contains("connector_invocations_total{connector=\"pipedrive\",action=\"getStage\",result=\"ok\"} 1"), "{metrics}");
    assert!(metrics.contains("action=\"unknown\"") && !metrics.contains("made-up-name") && !metrics.contains("some-owner"), "{metrics}");
    let from_outside = |key: &'static str| [("x-forwarded-for", "203.0.113.9"), ("authorization", key)];
    assert_eq!(server.send("GET", "/metrics", &from_outside("none"), "").await.status, 401);
    assert_eq!(server.send("GET", "/metrics", &[("x-forwarded-for", "203.0.113.9"), ("authorization", &key)], "").await.status, 403);
    assert_eq!(server.send("GET", "/metrics", &[("x-forwarded-for", "203.0.113.9"), ("authorization", &operator)], "").await.status, 200);
    let id = |id: &'static str| [("x-request-id", id)];
    assert_eq!(server.send("GET", "/healthz", &id("mine-1"), "").await.header("x-request-id"), Some("mine-1"));
    assert_ne!(server.send("GET", "/healthz", &id("a b\"c"), "").await.header("x-request-id"), Some("a b\"c"));
    let log = server.stop_and_read_log();
    assert!(log.contains("route=\"/v1/invoke\"") && log.contains("mine-1"), "{log}");
    assert!(!log.contains(" ERROR ") && !log.contains(" WARN "), "do not alarm about a new store or mistakes of callers:\n{log}");
    let key = key.trim_start_matches("Bearer ");
    for secret in [key, operator.trim_start_matches("Bearer "), DEMO_API_TOKEN, "secret-code", "secret-state", "private-word"] {
        assert!(!log.contains(secret), "keep {secret} out of the log:\n{log}");
    }
}

/// Seals the store under another key: the former one opens nothing afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rekey_seals_the_store_under_the_new_key() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("local");
    let name = server.connect(&key, DEMO_API_TOKEN).await["name"].as_str().expect("a name").to_owned();
    let test = ["connections", "test", name.as_str()];
    let (former, current) = (server.data_file("connections.key"), "ab".repeat(32));
    let run = |variables: &[(&str, &str)], arguments: &[&str]| server.try_run(variables, arguments);
    assert!(run(&[("CONNECTOR_KEY", &current)], &test).is_err(), "a wrong key must fail");
    let both = [("CONNECTOR_KEY", current.as_str()), ("CONNECTOR_FORMER_KEY_FILE", former.as_str())];
    assert!(run(&both, &test).is_ok() && run(&both, &["connections", "rekey"]).is_ok());
    assert!(run(&[("CONNECTOR_KEY", &current)], &test).is_ok());
    assert!(run(&[], &test).is_err(), "the former key must fail");
}
