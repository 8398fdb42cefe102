//! One trace from the caller over the host to the vendor, and nothing in it that is the customer's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::trace::v1::Span;
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::collector::{Collector, attribute};
use crate::support::evidence;
use crate::support::http::JSON;
use crate::support::server::Server;
use crate::support::upstream::build_json_response;
use crate::support::vendor::start_vendor;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Words that are given to the host below.
const GIVEN: [&str; 6] =
    ["Quiet Takeover", "Zaphod Beeblebrox", "zaphod@heart-of-gold.example", "order-of-a-customer", "secret-term", "run-of-a-customer"];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans
        .iter()
        .find(|span| span.name == name)
        .unwrap_or_else(|| panic!("{name} is missing: {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>()))
}

/// Runs on two threads, since the host sends its last spans while the test waits for its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_invocation_is_one_trace_under_names_of_the_conventions() {
    let (collector, url) = Collector::start().await;
    let (server, _) = Server::start_exporting(&url, &[]).await;
    let key = server.create_key("acme");
    let connection = server.connect(&key, DEMO_API_TOKEN).await;
    let headers = [("authorization", key.as_str()), JSON, ("traceparent", PARENT)];
    let body = r#"{"action": "getDeal", "input": {"dealId": 987654}}"#;
    let response = server.send("POST", "/v1/invoke", &headers, body).await;
    assert_eq!(response.json()["error"]["kind"], "not_found", "{}", response.text());
    let own = response.header("traceresponse").expect("the response names its trace").to_owned();
    assert!(own.starts_with(&format!("00-{TRACE}-")) && own != PARENT, "{own}");
    let other = server.get("/v1/actions", &key).await;
    assert!(other.header("traceresponse").is_some_and(|other| !other.contains(TRACE)), "a call without a trace begins one");
    let log = server.stop_and_read_log();
    assert!(!log.contains("spans"), "{log}");

    let (spans, service) = collector.decode();
    assert!(service.contains(&("service.name".to_owned(), "connector".to_owned())), "{service:?}");
    let spans: Vec<Span> = spans.into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let names = ["POST /v1/invoke", "invoke getDeal", "GET /api/v2/deals/{deal_id}"];
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), names);
    let parents: Vec<String> = spans.iter().map(|span| hex(&span.parent_span_id)).collect();
    assert_eq!(parents, ["b7ad6b7169203331".to_owned(), hex(&spans[0].span_id), hex(&spans[1].span_id)]);
    assert!(own.contains(&hex(&spans[0].span_id)), "{own}");
    // Server, internal and client.
    assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), [2, 1, 3]);
    for (at, name, value) in [
        (0, "http.request.method", "POST"),
        (0, "http.route", "/v1/invoke"),
        (0, "http.response.status_code", "200"),
        (0, "error.type", ""),
        (1, "connector.name", "pipedrive"),
        (1, "connector.action", "getDeal"),
        (1, "connector.effect", "read"),
        (1, "connector.connection.id", connection["connection_id"].as_str().expect("an id")),
        (1, "connector.outcome", "not_found"),
        (1, "connector.tokens", "1"),
        (1, "connector.requests", "1"),
        (1, "connector.retries", "0"),
        (1, "connector.refreshes", "0"),
        (1, "connector.queued_ms", "0"),
        (1, "error.type", "not_found"),
        (2, "http.request.method", "GET"),
        (2, "url.template", "/api/v2/deals/{deal_id}"),
        (2, "server.address", "127.0.0.1"),
        (2, "server.port", server_port(&spans[2])),
        (2, "http.response.status_code", "404"),
        (2, "error.type", "404"),
        (2, "http.request.resend_count", ""),
    ] {
        assert_eq!(attribute(&spans[at], name), value, "{name}: {:?}", spans[at]);
    }
    let codes: Vec<i32> = spans.iter().map(|span| span.status.as_ref().map_or(0, |status| status.code)).collect();
    assert_eq!(codes, [0, 2, 2], "the request of the caller was served, and the vendor refused");
    assert!(spans.iter().all(|span| span.status.as_ref().is_none_or(|status| status.message.is_empty())), "{spans:?}");
}

/// Reads the port of a vendor on loopback, which is any.
fn server_port(span: &Span) -> &'static str {
    let port = attribute(span, "server.port");
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{span:?}");
    Box::leak(port.into_boxed_str())
}

/// Collects the texts in data by which a customer could be told: names, titles and addresses.
fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::Object(members) => members.values().for_each(|member| collect_words(member, words)),
        Value::String(text) if text.len() >= 6 && text.contains([' ', '@']) => drop(words.insert(text.clone())),
        _ => {}
    }
}

/// Runs on two threads, since the host sends its last spans while the test waits for its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_told_is_a_secret_or_the_customers() {
    let (collector, url) = Collector::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let (server, _) = Server::start_exporting(&url, &["--audit", path.to_str().expect("the path is text")]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let mut words = BTreeSet::new();
    for action in
        ["getPersons", "getOrganizations", "getDeals", "getUsers", "getLeads", "getActivities", "getNotes", "getMailThreads", "getFiles"]
    {
        let outcome = server.invoke(&key, &json!({"action": action, "input": {}}).to_string()).await;
        collect_words(&outcome["data"], &mut words);
    }
    assert!(words.len() > 100 && words.iter().any(|word| word.contains('@')), "the demo account has customers: {words:?}");
    let raw = json!({"method": "GET", "path": "/api/v2/persons/search", "query": {"term": "secret-term"}});
    for (action, input) in [
        ("addDeal", json!({"title": "Quiet Takeover", "stageId": {"name": "secret-term"}})),
        ("addPerson", json!({"name": "Zaphod Beeblebrox", "email": "zaphod@heart-of-gold.example"})),
        ("searchPersons", json!({"term": "Zaphod Beeblebrox"})),
        ("rawRequest", raw),
        ("secret-term", json!({"a": "Quiet Takeover"})),
    ] {
        let options = json!({"idempotencyKey": format!("order-of-a-customer-{action}")});
        let body = json!({"id": "run-of-a-customer", "action": action, "input": input, "options": options}).to_string();
        server.invoke(&key, &body).await;
    }
    for path in ["api/v2/persons/search?term=secret-term", "api/v2/secret-term/1", "api/v1/persons/secret-term"] {
        server.get(&format!("/gateway/pipedrive/{path}"), &key).await;
    }
    let metrics = server.get("/metrics", "").await.text();
    server.stop_and_read_log();
    let (spans, audit) = (collector.bytes(), std::fs::read(&path).expect("the audit is there"));
    assert!(find(&collector.decode().0, "GET /api/v2/persons/search").kind == 3 && !audit.is_empty());
    evidence::record_shown("spans", &spans);
    let secrets = [key.trim_start_matches("Bearer "), DEMO_API_TOKEN];
    let private = GIVEN.into_iter().chain(secrets).chain(words.iter().map(String::as_str));
    for word in private {
        for (what, told) in [("spans", spans.as_slice()), ("metrics", metrics.as_bytes()), ("audit", audit.as_slice())] {
            let is_in = told.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!is_in, "{word:?} is in the {what}");
        }
    }
}

/// Runs on two threads, since the command waits for this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_continues_the_trace_of_its_caller_and_vendors_get_it_only_if_that_is_set() {
    let (collector, url) = Collector::start().await;
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let noted = Arc::clone(&asked);
    let vendor = start_vendor(move |mut stream, request| {
        let noted = Arc::clone(&noted);
        async move {
            noted.lock().expect("no other request fails").push(request.to_lowercase());
            let _ = stream.write_all(&build_json_response("200 OK", r#"{"success":true,"data":{"id":1}}"#)).await;
        }
    })
    .await;
    let server = Server::start(&vendor, &[]);
    server.connect(&server.create_key("local"), "token-1").await;
    let invoke = ["invoke", "getStage", "--input", r#"{"stageId":1}"#];
    let export = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("TRACEPARENT", PARENT)];
    for further in [&[][..], &[("CONNECTOR_PROPAGATE_TRACES", "1")]] {
        server.try_run(&[&export[..], further].concat(), &invoke).expect("the stage is there");
    }
    let (spans, _) = collector.decode();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let command = ["connector invoke", "invoke getStage", "GET /api/v2/stages/{stage_id}"];
    assert_eq!(names, [command, command].concat());
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE) && hex(&spans[0].parent_span_id) == "b7ad6b7169203331", "{spans:?}");
    let asked = asked.lock().expect("no request fails");
    let told: Vec<bool> =
        asked.iter().filter(|request| request.contains("/stages/1")).map(|request| request.contains("traceparent")).collect();
    assert_eq!(told, [false, true], "{asked:?}");
    let expected = format!("traceparent: 00-{TRACE}-{}-01", hex(&spans[5].span_id));
    assert!(asked.last().is_some_and(|request| request.contains(&expected)), "{expected}: {asked:?}");
}

#[tokio::test]
async fn collector_that_is_gone_stops_no_call_and_delays_the_end_within_bounds() {
    let (server, _) = Server::start_exporting("http://127.0.0.1:1", &[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(server.invoke(&key, r#"{"action": "getStage", "input": {"stageId": 1}}"#).await["ok"], true);
    let before = std::time::Instant::now();
    let log = server.stop_and_read_log();
    assert!(before.elapsed().as_secs() < 15, "the end must not wait for a collector");
    assert!(log.contains("the collector takes no spans"), "{log}");
}
