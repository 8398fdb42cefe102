//! Idempotency keys over HTTP: their header, clients that hang up, and hosts that stop.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::held::HeldVendor;
use crate::support::http::{JSON, NDJSON};
use crate::support::server::Server;

/// The time after which a state that must come is missing.
const PATIENCE: Duration = Duration::from_secs(30);

fn build_create(title: &str, key: Option<&str>) -> String {
    json!({"action": "addDeal", "input": {"title": title}, "options": {"idempotencyKey": key}}).to_string()
}

/// Sends a create under a key, and waits until the vendor has it.
///
/// Returns the API key, the invocation and the client that waits for its answer.
async fn begin_create(server: &Server, vendor: &mut HeldVendor) -> (String, String, TcpStream) {
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let create = build_create("Once", Some("run-1"));
    let mut client = server.open("POST", "/v1/invoke", &[("authorization", &key), JSON], Some(create.len())).await;
    client.write_all(create.as_bytes()).await.expect("the host reads");
    vendor.arrived.recv().await.expect("the create was sent");
    (key, create, client)
}

#[tokio::test]
async fn estimate_under_the_key_of_the_header_claims_nothing() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let headers = [("authorization", key.as_str()), JSON, ("idempotency-key", "run-1")];
    let send = async |title: &str, estimate: bool| {
        let body = json!({"action": "addDeal", "input": {"title": title}, "options": {"estimate": estimate}}).to_string();
        server.send("POST", "/v1/invoke", &headers, body).await.json()
    };
    for _ in 0..2 {
        let estimated = send("Once", true).await;
        assert_eq!((&estimated["data"]["tokens"], &estimated["meta"]["requests"]), (&json!(5), &json!(0)), "{estimated}");
    }
    let made = send("Once", false).await;
    assert_eq!((&made["ok"], &made["meta"]["tokens"], made["meta"].get("replayed")), (&json!(true), &json!(5), None), "{made}");
    let replay = send("Once", true).await;
    assert_eq!((&replay["data"]["requests"], &replay["data"]["certain"]), (&json!(0), &json!(true)), "{replay}");
    assert_eq!(send("Twice", true).await["error"]["kind"], "idempotency_mismatch");
}

#[tokio::test]
async fn header_is_the_key_of_one_invocation() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let send = async |own: Option<&str>, media: (&'static str, &'static str), header: &str| {
        let headers = [("authorization", key.as_str()), media, ("idempotency-key", header)];
        server.send("POST", "/v1/invoke", &headers, build_create("Once", own)).await
    };
    let first = send(None, JSON, "run-1").await.json();
    for own in [None, Some("run-1")] {
        let again = send(own, JSON, "run-1").await.json();
        assert_eq!((&again["data"]["id"], &again["meta"]["replayed"]), (&first["data"]["id"], &json!(true)), "{again}");
    }
    let of_option = server.invoke(&key, build_create("Once", Some("run-1"))).await;
    assert_eq!(of_option["meta"]["replayed"], true, "{of_option}");
    for (own, media, words) in [(Some("run-2"), JSON, "differ"), (None, NDJSON, "stream")] {
        let refused = send(own, media, "run-1").await;
        assert_eq!((refused.status, refused.kind().as_str()), (400, "invalid_invocation"), "{}", refused.text());
        assert!(refused.text().contains(words), "{}", refused.text());
    }
    let long = send(None, JSON, &"k".repeat(256)).await.json();
    assert_eq!(long["error"]["kind"], "invalid_invocation", "{long}");
    // The gateway would have to ignore it, so that it refuses it.
    let headers = [("authorization", key.as_str()), JSON, ("idempotency-key", "run-1")];
    let refused = server.send("POST", "/gateway/pipedrive/api/v2/deals", &headers, r#"{"title": "x"}"#).await;
    assert_eq!((refused.status, refused.kind().as_str()), (400, "invalid_invocation"), "{}", refused.text());
    assert!(refused.text().contains("Idempotency-Key"), "{}", refused.text());
}

#[tokio::test]
async fn write_of_a_client_that_hung_up_holds_its_place_and_keeps_its_outcome() {
    let mut vendor = HeldVendor::start().await;
    let server = Server::start(&vendor.url, &["--concurrency", "1"]);
    let (key, create, client) = begin_create(&server, &mut vendor).await;
    drop(client);
    let refused = server.post("/v1/invoke", &key, &create).await;
    assert_eq!((refused.status, refused.kind().as_str()), (503, "rate_limited"), "the place is taken: {}", refused.text());
    vendor.answers.add_permits(1);
    let start = Instant::now();
    let again = loop {
        let response = server.post("/v1/invoke", &key, &create).await;
        if response.status == 200 {
            break response.json();
        }
        assert!(start.elapsed() < PATIENCE, "the place must be free again");
    };
    assert_eq!((&again["data"]["id"], &again["meta"]["replayed"], vendor.count()), (&json!(1), &json!(true), 1), "{again}");
}

/// The vendor goes on to answer while the test waits for the end of a process.
#[tokio::test(flavor = "multi_thread")]
async fn host_that_stops_waits_for_a_write_that_was_sent() {
    let mut vendor = HeldVendor::start().await;
    let server = Server::start(&vendor.url, &["--drain", "0"]);
    let (key, create, mut client) = begin_create(&server, &mut vendor).await;
    server.terminate();
    let mut answer = Vec::new();
    // Its client is cut off at once, since nothing is drained.
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    vendor.answers.add_permits(1);
    let next = Server::start_beside(&server);
    assert_eq!(server.wait_for_exit_code(), 0);
    let again = next.invoke(&key, &create).await;
    assert_eq!((&again["data"]["id"], &again["meta"]["replayed"], vendor.count()), (&json!(1), &json!(true), 1), "{again}");
}

/// The number of clients that hang up.
const CLIENTS: usize = 1000;

#[tokio::test]
async fn clients_that_hang_up_find_each_outcome_on_retry() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let headers = [("authorization", key.as_str()), JSON];
    let create = |number: usize| build_create(&format!("Hung up {number}"), Some(&format!("run-{number}")));
    // A client hangs up after a part of its request, at the first byte of its answer, or so many turns between the two.
    stream::iter(0..CLIENTS)
        .for_each_concurrent(32, async |number| {
            let text = create(number);
            let mut client = server.open("POST", "/v1/invoke", &headers, Some(text.len())).await;
            let sent = if number % 8 == 0 { number % text.len() } else { text.len() };
            let _ = client.write_all(&text.as_bytes()[..sent]).await;
            match number % 8 {
                1 => drop(client.read(&mut [0; 1]).await),
                turns => {
                    for _ in 0..turns * number % 997 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        })
        .await;
    let outcomes: Vec<Value> = stream::iter(0..CLIENTS).map(|number| server.invoke(&key, create(number))).buffered(32).collect().await;
    let list = json!({"action": "getDeals", "input": {"limit": 500}, "options": {"pages": "all", "timeoutMs": 60_000}}).to_string();
    let list = server.invoke(&key, list).await;
    assert_eq!(list["page"]["complete"], true, "{}", list["error"]);
    let mut made: HashMap<&str, Vec<&Value>> = HashMap::new();
    for deal in list["data"].as_array().expect("deals") {
        made.entry(deal["title"].as_str().expect("a title")).or_default().push(&deal["id"]);
    }
    let mut replayed = 0;
    for (number, outcome) in outcomes.iter().enumerate() {
        let made = made.get(&*format!("Hung up {number}")).map(Vec::as_slice);
        assert_eq!(made, Some(&[&outcome["data"]["id"]][..]), "one deal for one key: {outcome}");
        replayed += usize::from(outcome["meta"]["replayed"] == true);
    }
    assert!((1..CLIENTS).contains(&replayed), "no client hung up before, or none after, its create: {replayed} were replayed");
}
