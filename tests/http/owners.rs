//! Owners reach only their own connections, by every route and among thousands of calls.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pipedrive_sandbox::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::browser::{grant_connection, hand_over_install};
use crate::support::http::JSON;
use crate::support::server::Server;

/// An attempt to reach another owner's connection.
///
/// It has a route, a path, a value of the header that names the connection, a body, and the expected status and kind.
type Attempt = (&'static str, &'static str, &'static str, &'static str, (u16, &'static str));

/// Attempts on every route that names a connection.
///
/// `NAMED` stands for its id or name, `PENDING` for the id of a pending one, `HANDLE` for a claimed install.
const ATTEMPTS: &[Attempt] = &[
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
    ("GET /v1/actions/{key}", "/v1/actions/addDeal?connection=NAMED", "", "", (400, "no_connection")),
    ("GET /v1/connections", "/v1/connections", "", "", (200, "")),
];

/// Routes that name no connection. Pages go by what their browser holds.
const OTHER_ROUTES: &[&str] = &[
    "GET /v1/actions",
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

/// Checks that each described route is either attempted or known to name no connection.
fn assert_all_routes_are_known(document: &Value) {
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("the description has paths") {
        for (method, operation) in operations.as_object().expect("a path has operations") {
            let route = format!("{} {path}", method.to_uppercase());
            let parameters = operation["parameters"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
            let names_connection =
                parameters.into_iter().any(|name| ["id", "handle"].contains(&name) || name.to_lowercase().contains("connection"));
            assert!(
                !names_connection || !OTHER_ROUTES.contains(&route.as_str()),
                "{route} names a connection: add an attempt by another owner"
            );
            described.insert(route);
        }
    }
    let known = ATTEMPTS.iter().map(|(route, ..)| *route).chain(OTHER_ROUTES.iter().copied());
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(described, known, "list each route, and no other, in one of the two tables");
}

#[tokio::test]
async fn no_route_reaches_the_connection_of_another_owner() {
    let page = "https://platform.example/setup?install=";
    let (server, _) = Server::start_with_sandbox(&["--rate", "0", "--install-redirect", "https://platform.example/setup"]).await;
    assert_all_routes_are_known(&server.get("/openapi.json", "").await.json());
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let headers = [("authorization", key.as_str()), JSON];
    let id = grant_connection(&server, &key, 0).await;
    let name = server.read_connection(&key, &id).await["name"].as_str().expect("a name").to_owned();
    let begun = server.post("/v1/connections", &key, r#"{"redirect_uri":"https://platform.example/back","state":"theirs"}"#).await.json();
    let pending = begun["connection"]["connection_id"].as_str().expect("an id");
    let handle = hand_over_install(&server, 1, page).await;
    let claimed = server.send("POST", &format!("/v1/installs/{handle}/claim"), &headers, "").await.json()["connection"].clone();
    for named in [&id, &name] {
        for (route, path, header, body, (status, kind)) in ATTEMPTS {
            let fill = |text: &str| text.replace("NAMED", named).replace("PENDING", pending).replace("HANDLE", &handle);
            let (path, header, body) = (fill(path), fill(header), fill(body));
            let method = route.split(' ').next().expect("a method");
            let mut headers = vec![("authorization", other.as_str()), JSON];
            if !header.is_empty() {
                headers.push(("connector-connection", &header));
            }
            let response = server.send(method, &path, &headers, &body).await;
            let actual_kind = response.json()["error"]["kind"].as_str().unwrap_or_default().to_owned();
            assert_eq!((response.status, actual_kind.as_str()), (*status, *kind), "{route} {named}: {}", response.text());
            for fact in ["Sandbox Inc", "ada@example.com", server.upstream()] {
                assert!(!response.text().contains(fact), "{route} {named}: {}", response.text());
            }
            // A key cannot claim another owner.
            headers.push(("connector-owner", "acme"));
            let response = server.send(method, &path, &headers, &body).await;
            assert_eq!((response.status, response.kind().as_str()), (403, "forbidden"), "{route} {named}: {}", response.text());
        }
    }
    assert_eq!(server.get("/v1/connections", &other).await.json(), json!({"connections": []}));
    // The owner still has everything.
    let statuses = [server.read_connection(&key, &id).await, server.read_connection(&key, pending).await];
    assert_eq!(statuses.map(|one| one["status"].clone()), ["ACTIVE", "PENDING"]);
    let confirmed = server.send("POST", &format!("/v1/installs/{handle}/confirm"), &headers, "").await.json()["connection"].clone();
    assert_eq!((&confirmed["status"], &confirmed["connection_id"]), (&json!("ACTIVE"), &claimed["connection_id"]), "{confirmed}");
    let deal = server.get("/gateway/pipedrive/api/v2/deals/1", &key).await.json();
    assert!(deal["data"]["is_deleted"] == false && deal["data"]["title"] != "x", "{deal}");
}

/// A connection to the host that is kept open for requests of several owners.
struct KeptConnection {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl KeptConnection {
    async fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("the host listens");
        Self { stream, seen: Vec::new() }
    }

    async fn send(&mut self, key: &str, call: &str, body: &str) -> Value {
        let length =
            if body.is_empty() { String::new() } else { format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()) };
        let request = format!("{call} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\n{length}\r\n{body}");
        self.stream.write_all(request.as_bytes()).await.expect("the host reads");
        loop {
            if let Some((head, rest)) = std::str::from_utf8(&self.seen).ok().and_then(|seen| seen.split_once("\r\n\r\n")) {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
                let length: usize = length.unwrap_or_else(|| panic!("expected a content-length: {head}"));
                if rest.len() >= length {
                    assert!(head.starts_with("HTTP/1.1 200 "), "{call}: {head}\n{rest}");
                    let answer = serde_json::from_str(&rest[..length]).expect("JSON");
                    self.seen.drain(..head.len() + 4 + length);
                    return answer;
                }
            }
            let count = self.stream.read_buf(&mut self.seen).await.expect("the connection is open");
            assert!(count > 0, "the host must keep the connection open");
        }
    }
}

/// An owner, and the facts that only its company shows.
struct Owner {
    key: String,
    company: Value,
    title: String,
}

impl Owner {
    async fn connect(server: &Server, owner: &str, nth: usize) -> Self {
        let key = server.create_key(owner);
        let id = grant_connection(server, &key, nth).await;
        let connection = server.read_connection(&key, &id).await;
        Self { key, company: connection["metadata"]["company"]["name"].clone(), title: format!("A deal of {owner}") }
    }

    /// Makes a call that its number selects, and checks that the answer is of this owner's company.
    async fn call(&self, connection: &mut KeptConnection, number: usize) {
        let body = json!({"title": self.title}).to_string();
        let invoke = |action: &str, input: Value| json!({"action": action, "input": input}).to_string();
        let (call, body, pointer) = match number % 5 {
            0 => ("GET /gateway/pipedrive/api/v1/users/me", String::new(), "/data/company_name"),
            1 => ("GET /gateway/pipedrive/api/v2/deals/1", String::new(), "/data/title"),
            2 => ("PATCH /gateway/pipedrive/api/v2/deals/1", body, "/data/title"),
            3 => ("POST /v1/invoke", invoke("getCurrentUser", json!({})), "/data/company_name"),
            _ => ("POST /v1/invoke", invoke("updateDeal", json!({"dealId": 1, "title": self.title})), "/data/title"),
        };
        let answer = connection.send(&self.key, call, &body).await;
        let expected = if pointer.ends_with("title") { &json!(self.title) } else { &self.company };
        assert_eq!(answer.pointer(pointer), Some(expected), "call {number}, {call}: {answer}");
    }
}

/// Two owners with a deal of the same id share connections, while their tokens expire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_reach_their_own_company_while_tokens_expire() {
    const CALLS: usize = 10_000;
    const CONNECTIONS: usize = 48;
    const CALLS_PER_TOKEN: usize = 2_000;
    let clock = Clock::fixed("2026-11-22T12:00:00Z");
    let (server, sandbox) = Server::start_with_sandbox_at(clock.clone(), &["--rate", "0"]).await;
    let owners = [Owner::connect(&server, "acme", 0).await, Owner::connect(&server, "other", 4).await];
    assert_ne!(owners[0].company, owners[1].company);
    for owner in &owners {
        owner.call(&mut KeptConnection::open(&server).await, 2).await;
    }
    let (before, next, owners) = (sandbox.refresh_count(), Arc::new(AtomicUsize::new(0)), Arc::new(owners));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, next, owners, clock) =
            (KeptConnection::open(&server).await, Arc::clone(&next), Arc::clone(&owners), clock.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= CALLS {
                    break;
                }
                if number % CALLS_PER_TOKEN == CALLS_PER_TOKEN / 2 {
                    clock.advance(Duration::from_mins(61));
                }
                owners[number / 5 % 2].call(&mut connection, number).await;
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("no task found an answer of another owner");
    }
    let expiries = CALLS / CALLS_PER_TOKEN;
    assert_eq!(sandbox.refresh_count() - before, 2 * expiries as u64, "refresh once for each owner and each expiry");
}
