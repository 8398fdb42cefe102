//! The records of a list over HTTP, as a stream of lines.

use std::sync::Arc;

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Mutex, mpsc};

use crate::support::assertions::assert_valid;
use crate::support::http::{JSON, NDJSON, Response, read_until, read_until_word};
use crate::support::repository::read_summary_schema;
use crate::support::server::Server;
use crate::support::upstream::{build_json_response, by_cursor, by_start};
use crate::support::vendor::{start_connected_server, start_vendor, within_a_minute};

const ACCEPT: (&str, &str) = ("accept", "application/x-ndjson");
const GET_DEALS: &str = r#"{"id": 7, "action": "getDeals", "options": {"pages": "all"}}"#;

/// Splits the body of a stream into its records and its summary, which is checked against its published schema.
fn split(response: &Response) -> (Vec<Value>, Value) {
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/x-ndjson")), "{}", response.text());
    let mut lines: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let summary = lines.pop().expect("a summary comes last");
    assert_valid(&read_summary_schema(), &summary, "a summary");
    (lines, summary["summary"].clone())
}

async fn read_metrics(server: &Server, sample: &str) -> Option<String> {
    let metrics = server.get("/metrics", "").await.text();
    metrics.lines().find_map(|line| line.strip_prefix(sample)).map(|value| value.trim().to_owned())
}

#[tokio::test]
async fn one_invocation_streams_the_records_that_its_outcome_joins() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key_with_view("acme", Some("flat"));
    server.connect(&key, DEMO_API_TOKEN).await;
    let stream = async |body: &str| split(&server.send("POST", "/v1/invoke", &[("authorization", &key), JSON, ACCEPT], body).await);
    let joined = server.invoke(&key, GET_DEALS).await;
    let (records, summary) = stream(GET_DEALS).await;
    assert_eq!((Some(&records), &summary["page"]), (joined["data"]["results"].as_array(), &joined["page"]));
    assert_eq!((&summary["id"], &summary["ok"], &summary["meta"]["view"]), (&json!(7), &json!(true), &json!("flat")), "{summary}");
    assert_eq!(
        read_metrics(&server, r#"connector_invocations_total{connector="pipedrive",action="getDeals",result="ok"}"#).await.as_deref(),
        Some("2")
    );
    for (body, kind) in [
        (r#"{"action": "getDeals"}"#, "invalid_invocation"),
        (r#"{"action": "getDeal", "input": {"dealId": 1}, "options": {"pages": "all"}}"#, "invalid_invocation"),
        (r#"{"action": "getDeals", "input": {"limit": 0}, "options": {"pages": "all"}}"#, "invalid_input"),
        (r#"{"action": "getDeals", "connection": "nobody", "options": {"pages": "all"}}"#, "no_connection"),
        (r#"{"action": "getDeals", "options": {"pages": "all", "estimate": true}}"#, "invalid_invocation"),
        ("nonsense", "invalid_invocation"),
    ] {
        let (records, summary) = stream(body).await;
        assert_eq!((records.len(), &summary["ok"], &summary["error"]["kind"]), (0, &json!(false), &json!(kind)), "{body}: {summary}");
    }
    // Lines of invocations are answered by outcomes, whatever the client accepts.
    let lines = server.send("POST", "/v1/invoke", &[("authorization", &key), NDJSON, ACCEPT], GET_DEALS).await;
    assert_eq!(lines.json()["page"], joined["page"]);
    let openapi = server.get("/openapi.json", "").await.json();
    let invoke = &openapi["paths"]["/v1/invoke"]["post"];
    assert!(!invoke["responses"]["200"]["content"]["application/x-ndjson"].is_null(), "{invoke}");
    assert!(!openapi["components"]["schemas"]["Summary"].is_null());
}

/// Starts a vendor that tells of each request for a page, and answers it when the test says so.
async fn start_led_vendor() -> (String, mpsc::UnboundedReceiver<String>, mpsc::UnboundedSender<Vec<u8>>) {
    let (events, told) = mpsc::unbounded_channel();
    let (answers, answered) = mpsc::unbounded_channel::<Vec<u8>>();
    let answered = Arc::new(Mutex::new(answered));
    let url = start_vendor(move |mut stream, request| {
        let (events, answered) = (events.clone(), Arc::clone(&answered));
        async move {
            let _ = events.send(request.lines().next().unwrap_or_default().to_owned());
            let mut byte = [0];
            let mut answered = answered.lock().await;
            tokio::select! {
                answer = answered.recv() => if let Some(answer) = answer { let _ = stream.write_all(&answer).await; },
                _ = stream.read(&mut byte) => drop(events.send("left".to_owned())),
            }
        }
    })
    .await;
    (url, told, answers)
}

fn page(value: &Value) -> Vec<u8> {
    build_json_response("200 OK", &value.to_string())
}

#[tokio::test]
async fn records_arrive_before_the_next_page_and_a_client_that_leaves_ends_the_list() {
    let (url, mut told, answers) = start_led_vendor().await;
    let (server, key) = start_connected_server(&url, &[]).await;
    let headers = [("authorization", key.as_str()), JSON, ACCEPT];
    let mut stream = server.open("POST", "/v1/invoke", &headers, Some(GET_DEALS.len())).await;
    stream.write_all(GET_DEALS.as_bytes()).await.expect("the host reads");
    let mut seen = Vec::new();
    for (id, next) in [(1, "b"), (2, "c")] {
        assert!(within_a_minute(told.recv()).await.is_some_and(|asked| asked.contains("/api/v2/deals")));
        answers.send(page(&by_cursor(&[id], Some(next)))).expect("the vendor listens");
        read_until(&mut stream, &mut seen, |seen| seen.contains(&format!("{{\"id\":{id}}}\n"))).await;
    }
    // The third page is being read when the client goes.
    assert!(within_a_minute(told.recv()).await.is_some_and(|asked| asked.contains("cursor=c")));
    drop(stream);
    assert_eq!(within_a_minute(told.recv()).await.as_deref(), Some("left"));
    let counted = r#"connector_invocations_total{connector="pipedrive",action="getDeals",result="cancelled"}"#;
    within_a_minute(async {
        while read_metrics(&server, counted).await.as_deref() != Some("1") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The host asked the vendor who the user is, and then for three pages.
    let requests = r#"connector_upstream_requests_total{connector="pipedrive",action="getDeals"}"#;
    assert_eq!(read_metrics(&server, requests).await.as_deref(), Some("3"));
}

#[tokio::test]
async fn list_of_a_revoked_key_ends_with_what_was_given() {
    let (url, mut told, answers) = start_led_vendor().await;
    let (server, key) = start_connected_server(&url, &[]).await;
    let headers = [("authorization", key.as_str()), JSON, ACCEPT];
    let mut stream = server.open("POST", "/v1/invoke", &headers, Some(GET_DEALS.len())).await;
    stream.write_all(GET_DEALS.as_bytes()).await.expect("the host reads");
    assert!(within_a_minute(told.recv()).await.is_some());
    server.revoke_key("acme");
    answers.send(page(&by_cursor(&[1, 2], Some("b")))).expect("the vendor listens");
    let text = within_a_minute(read_until_word(&mut stream, "\r\n0\r\n")).await;
    let summary: Value = text
        .lines()
        .find(|line| line.starts_with("{\"summary\""))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .expect("a summary");
    let summary = &summary["summary"];
    assert_eq!((&summary["error"]["kind"], &summary["action"]), (&json!("unauthorized"), &json!("getDeals")), "{text}");
    assert_eq!(summary["page"], json!({"count": 2, "complete": false, "next": "b"}), "{text}");
    assert!(text.contains("{\"id\":2}\n"), "{text}");
}

#[tokio::test]
async fn list_that_breaks_off_says_how_to_go_on() {
    let (url, _told, answers) = start_led_vendor().await;
    let (server, key) = start_connected_server(&url, &[]).await;
    let refused = build_json_response("400 Bad Request", r#"{"success":false,"error":"No."}"#);
    for answer in [page(&by_start(&[1, 2], Some(2))), refused] {
        answers.send(answer).expect("the vendor listens");
    }
    let body = r#"{"action": "getNotes", "options": {"pages": "all"}}"#;
    let (records, summary) = split(&server.send("POST", "/v1/invoke", &[("authorization", &key), JSON, ACCEPT], body).await);
    assert_eq!((records, &summary["error"]["kind"]), (vec![json!({"id": 1}), json!({"id": 2})], &json!("upstream_rejected")), "{summary}");
    assert_eq!(summary["page"], json!({"count": 2, "complete": false, "next": "start:2"}), "{summary}");
}
