//! Nobody reaches what is another's: not by any route, and not among thousands of calls at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pipedrive_sandbox::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::browser::{granted, handed_over};
use crate::support::http::JSON;
use crate::support::server::Served;

/// How another owner's key tries to reach a connection: the route, the path, the header that names the connection, the body,
/// and the status and kind that it is told.
type Try = (&'static str, &'static str, &'static str, &'static str, (u16, &'static str));

/// `NAMED` stands for the connection's id or name, `PENDING` for one that waits for its code, `HANDLE` for a claimed install.
const TRIED: &[Try] = &[
    ("GET /v1/connections/{id}", "/v1/connections/NAMED", "", "", (404, "not_found")),
    ("PATCH /v1/connections/{id}", "/v1/connections/NAMED", "", r#"{"name":"mine"}"#, (404, "not_found")),
    ("DELETE /v1/connections/{id}", "/v1/connections/NAMED", "", "", (404, "not_found")),
    ("POST /v1/connections/{id}/exchange", "/v1/connections/PENDING/exchange", "", r#"{"code":"any"}"#, (404, "not_found")),
    ("POST /v1/installs/{handle}/claim", "/v1/installs/HANDLE/claim", "", "", (404, "not_found")),
    ("POST /v1/installs/{handle}/confirm", "/v1/installs/HANDLE/confirm", "", "", (404, "not_found")),
    ("POST /v1/installs/{handle}/decline", "/v1/installs/HANDLE/decline", "", "", (404, "not_found")),
    ("POST /v1/invoke", "/v1/invoke", "", r#"{"action":"getCurrentUser","connection":"NAMED"}"#, (200, "no_connection")),
    ("GET /gateway/{connector}/{path}", "/gateway/pipedrive/api/v1/users/me", "NAMED", "", (400, "no_connection")),
    ("POST /gateway/{connector}/{path}", "/gateway/pipedrive/api/v2/deals", "NAMED", r#"{"title":"x"}"#, (400, "no_connection")),
    ("PUT /gateway/{connector}/{path}", "/gateway/pipedrive/api/v1/notes/1", "NAMED", r#"{"content":"x"}"#, (400, "no_connection")),
    ("PATCH /gateway/{connector}/{path}", "/gateway/pipedrive/api/v2/deals/1", "NAMED", r#"{"title":"x"}"#, (400, "no_connection")),
    ("DELETE /gateway/{connector}/{path}", "/gateway/pipedrive/api/v2/deals/1", "NAMED", "", (400, "no_connection")),
    ("GET /v1/connections", "/v1/connections", "", "", (200, "")),
];

/// Routes that name no connection: the catalogue, what begins a new one, whoever watches, and the pages of a person's
/// browser, which go by what only that browser holds.
const WITHOUT_ONE: &[&str] = &[
    "GET /v1/actions",
    "GET /v1/actions/{key}",
    "GET /v1/data-sources",
    "GET /v1/manifest",
    "POST /v1/connections",
    "GET /oauth/start",
    "POST /oauth/start",
    "GET /oauth/callback",
    "DELETE /oauth/callback",
    "GET /oauth/install",
    "POST /oauth/confirm",
    "POST /oauth/decline",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /openapi.json",
];

/// Each operation that is described is tried, or is known to name no connection.
fn assert_none_is_forgotten(document: &Value) {
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("there are paths") {
        for (method, operation) in operations.as_object().expect("there are operations") {
            let route = format!("{} {path}", method.to_uppercase());
            let parameters = operation["parameters"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
            let names = parameters.into_iter().any(|name| ["id", "handle"].contains(&name) || name.to_lowercase().contains("connection"));
            assert!(!names || !WITHOUT_ONE.contains(&route.as_str()), "{route} names a connection: add how another owner would try it");
            described.insert(route);
        }
    }
    let known = TRIED.iter().map(|(route, ..)| *route).chain(WITHOUT_ONE.iter().copied());
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(described, known, "a route must be in one of the two tables here, and no other");
}

#[tokio::test]
async fn no_route_reaches_the_connection_of_another_owner() {
    let page = "https://platform.example/setup?install=";
    let (served, _) = Served::before_sandbox(&["--rate", "0", "--install-redirect", "https://platform.example/setup"]).await;
    assert_none_is_forgotten(&served.get("/openapi.json", "").await.json());
    let (key, other) = (served.key("acme"), served.key("other"));
    let headers = [("authorization", key.as_str()), JSON];
    let connection = async |id: &str| served.get(&format!("/v1/connections/{id}"), &key).await.json()["connection"].clone();
    let id = granted(&served, &key, 0).await;
    let name = connection(&id).await["name"].as_str().expect("a name").to_owned();
    let waiting = served
        .ask("POST", "/v1/connections", &headers, r#"{"redirect_uri":"https://platform.example/back","state":"theirs"}"#)
        .await
        .json()["connection"]
        .clone();
    let handle = handed_over(&served, 1, page).await;
    let claimed = served.ask("POST", &format!("/v1/installs/{handle}/claim"), &headers, "").await.json()["connection"].clone();
    for named in [&id, &name] {
        for (route, path, header, body, (status, kind)) in TRIED {
            let pending = waiting["connection_id"].as_str().expect("an id");
            let filled = |text: &str| text.replace("NAMED", named).replace("PENDING", pending).replace("HANDLE", &handle);
            let (path, header, body) = (filled(path), filled(header), filled(body));
            let method = route.split(' ').next().expect("a method");
            let mut headers = vec![("authorization", other.as_str()), JSON];
            if !header.is_empty() {
                headers.push(("connector-connection", &header));
            }
            let reply = served.ask(method, &path, &headers, &body).await;
            let told = reply.json()["error"]["kind"].as_str().unwrap_or_default().to_owned();
            assert_eq!((reply.status, told.as_str()), (*status, *kind), "{route} {named}: {}", reply.text());
            for theirs in ["Sandbox Inc", "ada@example.com", served.upstream()] {
                assert!(!reply.text().contains(theirs), "{route} {named}: {}", reply.text());
            }
            // To say that one is the owner makes nobody the owner.
            headers.push(("connector-owner", "acme"));
            let reply = served.ask(method, &path, &headers, &body).await;
            assert_eq!((reply.status, reply.kind().as_str()), (403, "forbidden"), "{route} {named}: {}", reply.text());
        }
    }
    assert_eq!(served.get("/v1/connections", &other).await.json(), json!({"connections": []}));
    // And nothing was taken from the owner.
    let statuses = [connection(&id).await, connection(waiting["connection_id"].as_str().expect("an id")).await];
    assert_eq!(statuses.map(|one| one["status"].clone()), ["ACTIVE", "PENDING"]);
    let confirmed = served.ask("POST", &format!("/v1/installs/{handle}/confirm"), &headers, "").await.json()["connection"].clone();
    assert_eq!((&confirmed["status"], &confirmed["connection_id"]), (&json!("ACTIVE"), &claimed["connection_id"]), "{confirmed}");
    let deal = served.get("/gateway/pipedrive/api/v2/deals/1", &key).await.json();
    assert!(deal["data"]["is_deleted"] == false && deal["data"]["title"] != "x", "{deal}");
}

/// A connection to the host that is kept for one request after the other, whosever they are.
struct Line {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Line {
    async fn to(served: &Served) -> Self {
        let stream = TcpStream::connect(served.url.trim_start_matches("http://")).await.expect("it listens");
        Self { stream, seen: Vec::new() }
    }

    async fn ask(&mut self, key: &str, call: &str, body: &str) -> Value {
        let length =
            if body.is_empty() { String::new() } else { format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()) };
        let request = format!("{call} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\n{length}\r\n{body}");
        self.stream.write_all(request.as_bytes()).await.expect("it reads");
        loop {
            if let Some((head, rest)) = std::str::from_utf8(&self.seen).ok().and_then(|seen| seen.split_once("\r\n\r\n")) {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
                let length: usize = length.unwrap_or_else(|| panic!("an answer of these calls has a length: {head}"));
                if rest.len() >= length {
                    assert!(head.starts_with("HTTP/1.1 200 "), "{call}: {head}\n{rest}");
                    let answer = serde_json::from_str(&rest[..length]).expect("JSON");
                    self.seen.drain(..head.len() + 4 + length);
                    return answer;
                }
            }
            let count = self.stream.read_buf(&mut self.seen).await.expect("an answer comes");
            assert!(count > 0, "the connection is kept");
        }
    }
}

/// What an owner sees of its own company alone.
struct Own {
    key: String,
    company: Value,
    title: String,
}

impl Own {
    async fn connected(served: &Served, owner: &str, nth: usize) -> Self {
        let key = served.key(owner);
        let id = granted(served, &key, nth).await;
        let made = served.get(&format!("/v1/connections/{id}"), &key).await.json();
        Self { key, company: made["connection"]["metadata"]["company"]["name"].clone(), title: format!("A deal of {owner}") }
    }

    /// One call of many: its kind goes by its number, and what it answers can be of no other company.
    async fn call(&self, line: &mut Line, number: usize) {
        let body = json!({"title": self.title}).to_string();
        let invoke = |action: &str, input: Value| json!({"action": action, "input": input}).to_string();
        let (call, body, place) = match number % 5 {
            0 => ("GET /gateway/pipedrive/api/v1/users/me", String::new(), "/data/company_name"),
            1 => ("GET /gateway/pipedrive/api/v2/deals/1", String::new(), "/data/title"),
            2 => ("PATCH /gateway/pipedrive/api/v2/deals/1", body, "/data/title"),
            3 => ("POST /v1/invoke", invoke("getCurrentUser", json!({})), "/data/company_name"),
            _ => ("POST /v1/invoke", invoke("updateDeal", json!({"dealId": 1, "title": self.title})), "/data/title"),
        };
        let answer = line.ask(&self.key, call, &body).await;
        let own = if place.ends_with("title") { &json!(self.title) } else { &self.company };
        assert_eq!(answer.pointer(place), Some(own), "call {number}, {call}: {answer}");
    }
}

/// Two companies, two owners, a deal of the same id in each; lines are shared, and tokens die on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_reach_their_own_company_while_tokens_expire() {
    const CALLS: usize = 10_000;
    const LINES: usize = 48;
    const EACH_TOKEN: usize = 2_000;
    let clock = Clock::fixed("2026-11-22T12:00:00Z");
    let (served, sandbox) = Served::before_sandbox_at(clock.clone(), &["--rate", "0"]).await;
    let owners = [Own::connected(&served, "acme", 0).await, Own::connected(&served, "other", 4).await];
    assert_ne!(owners[0].company, owners[1].company);
    for owner in &owners {
        owner.call(&mut Line::to(&served).await, 2).await;
    }
    let (before, next, shared) = (sandbox.refresh_count(), Arc::new(AtomicUsize::new(0)), Arc::new(owners));
    let mut lines = tokio::task::JoinSet::new();
    for _ in 0..LINES {
        let (mut line, next, owners, clock) = (Line::to(&served).await, Arc::clone(&next), Arc::clone(&shared), clock.clone());
        lines.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= CALLS {
                    break;
                }
                if number % EACH_TOKEN == EACH_TOKEN / 2 {
                    clock.advance(Duration::from_mins(61));
                }
                owners[number / 5 % 2].call(&mut line, number).await;
            }
        });
    }
    while let Some(ended) = lines.join_next().await {
        ended.expect("a line finds each answer its owner's");
    }
    let expired = CALLS / EACH_TOKEN;
    assert_eq!(sandbox.refresh_count() - before, 2 * expired as u64, "one refresh for each owner each time");
}
