//! Requests that fail at each point of their way: which are sent again, how often, and what the error says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Access, Connection, Connections, Credential};
use connector_core::run::{Invocation, Retries, Runtime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use crate::support::repository::read;
use crate::support::runtime::{build, invoke, render, run, run_text};
use crate::support::upstream::{build_json_response, build_response, read_request, serve_connections, start_upstream};

/// A row of the table: the point of failure, ways to fail there, and what is done in each column.
type Row = (&'static str, Vec<Failure>, [(Times, &'static str); 3]);

/// The number of times that a request is sent if it fails each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Again,
    /// As long as the caller's time lets it.
    UntilDeadline,
    Once,
}

impl Times {
    fn as_str(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::UntilDeadline => "until the deadline",
            Self::Once => "once",
        }
    }
}

/// The point at which a vendor lets a request fail.
#[derive(Clone)]
enum Failure {
    /// Nothing listens.
    Connect,
    /// The connection is reset after a part of the request.
    Sending,
    /// The connection is closed, or an answer is sent.
    Answer(Vec<u8>),
}

const COLUMNS: [(&str, &str); 3] = [("read", "getNote"), ("idempotent write", "updateNote"), ("other write", "addNote")];

/// The number of attempts of one request.
const MOST: u32 = 4;

fn table() -> Vec<Row> {
    use Times::{Again, Once, UntilDeadline};
    let answer = |text: &str| Failure::Answer(text.as_bytes().to_vec());
    let refusal = |status: &str, headers: &str, body: &str| Failure::Answer(build_response(status, headers, body));
    let json_answer = |status: &str, body: &str| Failure::Answer(build_json_response(status, body));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let limited = "content-type: application/json\r\nretry-after: 0\r\n";
    let limited_to_the_past =
        "date: Mon, 30 Nov 2026 15:00:00 GMT\r\nretry-after: Mon, 30 Nov 2026 14:00:00 GMT\r\ncontent-type: application/json\r\n";
    let spent = "content-type: application/json\r\nretry-after: 0\r\nx-daily-ratelimit-token-remaining: 0\r\n";
    let html = "content-type: text/html\r\n";
    let no = r#"{"success":false,"error":"No."}"#;
    let later = [(Again, "later"); 3];
    let may_have_arrived = [(Again, "later"), (Again, "unsafe"), (Once, "unsafe")];
    vec![
        ("before there is a connection", vec![Failure::Connect], later),
        ("while it is sent", vec![Failure::Sending], may_have_arrived),
        (
            "before the answer",
            vec![answer(""), answer("HTTP/1.1 200 OK\r\ncontent-ty"), answer("that is no HTTP\r\n\r\n")],
            may_have_arrived,
        ),
        (
            "in the answer, which breaks off",
            vec![
                answer(&format!("{head}content-length: 1000\r\n\r\n{{\"success\":true,\"da")),
                answer(&format!("{head}content-length: 1000\r\n\r\n")),
                answer(&format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n{{\"suc\r\n")),
                answer(&format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n{{\"suc\r\nno length\r\n")),
            ],
            may_have_arrived,
        ),
        (
            "after the answer, which is whole and unreadable",
            vec![
                refusal("200 OK", html, "<html>"),
                json_answer("200 OK", r#"{"success":true,"data":{"id":1"#),
                json_answer("200 OK", ""),
                json_answer("201 Created", " \r\n"),
                json_answer("200 OK", &format!(r#"{{"success":true,"data":{}1{}}}"#, "[".repeat(500), "]".repeat(500))),
                refusal("302 Found", "location: https://evil.example/\r\n", ""),
                answer(&format!("{head}content-length: 3221225472\r\n\r\n")),
            ],
            [(Once, "later"), (Once, "unsafe"), (Once, "unsafe")],
        ),
        (
            "by 429 of a burst",
            vec![refusal("429 Too Many Requests", limited, "{}"), refusal("429 Too Many Requests", limited_to_the_past, "{}")],
            [(UntilDeadline, "later"); 3],
        ),
        ("by 429 of a spent daily budget", vec![refusal("429 Too Many Requests", spent, "{}")], [(Once, "later"); 3]),
        ("by 403 as a page, after abuse", vec![refusal("403 Forbidden", html, "<html>")], [(Once, "later"); 3]),
        ("by 503, which says that nothing was done", vec![json_answer("503 Maintenance", no), refusal("503 No", limited, "")], later),
        (
            "by another 5xx",
            vec![json_answer("500 Oops", no), refusal("502 Bad Gateway", html, "<html>"), refusal("504 Timeout", limited, "")],
            may_have_arrived,
        ),
        ("by 400", vec![json_answer("400 Bad Request", no), refusal("400 Bad Request", html, "<html>")], [(Once, "never"); 3]),
    ]
}

/// Lists each way to fail in each cell: the point, the failure, the column, and what is done.
fn list_cases() -> impl Iterator<Item = (&'static str, Failure, (&'static str, &'static str), (Times, &'static str))> {
    let columns =
        |failure: Failure, cells: [_; 3]| COLUMNS.into_iter().zip(cells).map(move |(column, cell)| (failure.clone(), column, cell));
    table().into_iter().flat_map(move |(point, failures, cells)| {
        let cases = failures.into_iter().flat_map(move |failure| columns(failure, cells));
        cases.map(move |(failure, column, cell)| (point, failure, column, cell))
    })
}

/// Writes an input. Where sending fails, it is so large that no buffer of the network takes it whole.
fn input_of(action: &str, failure: &Failure) -> Value {
    let content = || "x".repeat(if matches!(failure, Failure::Sending) { 8 << 20 } else { 1 });
    match action {
        "getNote" => json!({"noteId": 1}),
        "updateNote" => json!({"noteId": 1, "content": content()}),
        _ => json!({"dealId": 1, "content": content()}),
    }
}

/// An account whose first requests go to one host, and all others to another.
struct MovingVault {
    hosts: [String; 2],
    /// The number of requests that still go to the first host.
    to_first: AtomicU32,
}

impl MovingVault {
    fn new(first: &str, to_first: u32, then: &str) -> Self {
        Self { hosts: [first.to_owned(), then.to_owned()], to_first: to_first.into() }
    }
}

#[async_trait]
impl Connections for MovingVault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("moving", &self.hosts[0]))
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        let left = self.to_first.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Access::new(&self.hosts[usize::from(left.is_err())], Credential::bearer("a token"))
    }

    async fn renew(&self, _connection: &Connection, _refused: &Access) -> Result<Option<Access>, Error> {
        Ok(None)
    }
}

/// Builds a runtime that waits no time between attempts.
fn build_hasty_runtime(connections: impl Connections + 'static) -> Runtime {
    build(Runtime::builder().connections(connections).retries(Retries::default().with_backoff(Duration::ZERO, Duration::ZERO)))
}

/// A vendor that lets requests fail, and counts them. It holds the socket that nothing listens at.
struct FailingVendor {
    url: String,
    requests: Arc<AtomicU32>,
    _socket: Option<TcpSocket>,
}

async fn start_failing(failure: Failure) -> FailingVendor {
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    if let Failure::Connect = failure {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
        let url = format!("http://{}", socket.local_addr().expect("a bound socket has an address"));
        return FailingVendor { url, requests, _socket: Some(socket) };
    }
    let url = serve_connections(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        let failure = failure.clone();
        async move { fail(&mut stream, failure).await }
    })
    .await;
    FailingVendor { url, requests, _socket: None }
}

async fn fail(stream: &mut TcpStream, failure: Failure) {
    match failure {
        Failure::Answer(answer) => {
            read_request(stream).await;
            let _ = stream.write_all(&answer).await;
        }
        // Received bytes that nobody reads make the close a reset.
        Failure::Connect | Failure::Sending => drop(stream.read(&mut [0; 16]).await),
    }
}

/// Lets requests fail each time: they are sent as often as the table says, and the error is as it says.
#[tokio::test]
async fn each_cell_of_the_table_is_as_the_page_says() {
    for (point, failure, (column, action), (times, retry)) in list_cases() {
        let vendor = start_failing(failure.clone()).await;
        let runtime = build_hasty_runtime(MovingVault::new(&vendor.url, u32::MAX, &vendor.url));
        let mut call = Invocation::new(action).input(input_of(action, &failure));
        if times == Times::UntilDeadline {
            call.options.timeout = Duration::from_millis(300);
        }
        let outcome = render(&runtime.invoke(call).await);
        // A request that is under way when the time is over says what it may have done.
        if times != Times::UntilDeadline || outcome["error"]["kind"] != "timed_out" {
            assert_eq!(outcome["error"]["retry"], retry, "{column} that fails {point}: {outcome}");
        }
        let meta = &outcome["meta"];
        let sent = match times {
            Times::Again => MOST,
            Times::Once => 1,
            Times::UntilDeadline => {
                assert!(meta["requests"].as_u64() > Some(MOST.into()), "{column} that fails {point}: {outcome}");
                continue;
            }
        };
        assert_eq!((&meta["requests"], &meta["attempts"]), (&json!(sent), &json!(sent)), "{column} that fails {point}: {outcome}");
        let seen = vendor.requests.load(Ordering::Relaxed);
        assert_eq!(seen, if matches!(failure, Failure::Connect) { 0 } else { sent }, "{column} that fails {point}");
    }
}

/// Lets requests fail once: they succeed where the table says that they are sent again, and there alone.
#[tokio::test]
async fn request_that_fails_once_succeeds_where_the_table_says() {
    let well = start_upstream(build_json_response("200 OK", r#"{"success":true,"data":{"id":7}}"#)).await;
    for (point, failure, (column, action), (times, _)) in list_cases() {
        let vendor = start_failing(failure.clone()).await;
        let runtime = build_hasty_runtime(MovingVault::new(&vendor.url, 1, &well));
        let outcome = invoke(&runtime, action, input_of(action, &failure)).await;
        let is_sent_again = times != Times::Once;
        assert_eq!(outcome["ok"], is_sent_again, "{column} that fails once {point}: {outcome}");
        assert_eq!(outcome["meta"]["attempts"], if is_sent_again { 2 } else { 1 }, "{column}, {point}: {outcome}");
    }
}

#[test]
fn page_shows_the_table_of_the_tests() {
    let mut text = String::from("| The request fails |");
    text += &COLUMNS.map(|(column, _)| format!(" {column} |")).concat();
    text += "\n|---|---|---|---|\n";
    for (point, _, cells) in table() {
        let cells = cells.map(|(times, retry)| format!(" {}, `{retry}` |", times.as_str()));
        text += &format!("| {point} |{}\n", cells.concat());
    }
    let page = read("docs/internals/retries.md");
    assert!(page.contains(&(text.clone() + "\n")), "write this table into docs/internals/retries.md:\n{text}");
}

#[tokio::test]
async fn switched_off_policy_sends_once_and_says_the_same() {
    let url = start_upstream(build_json_response("503 Maintenance", "{}")).await;
    let runtime = build(Runtime::builder().connections(MovingVault::new(&url, 0, &url)).retries(Retries::none()));
    let outcome = invoke(&runtime, "getNote", json!({"noteId": 1})).await;
    assert_eq!((&outcome["error"]["retry"], &outcome["meta"]["attempts"]), (&json!("later"), &json!(1)), "{outcome}");
}

/// Names a wait that is longer than the caller's time: there is no use in beginning it.
#[tokio::test]
async fn wait_beyond_the_deadline_is_not_begun() {
    let limited = build_response("429 Too Many Requests", "content-type: application/json\r\nretry-after: 31\r\n", "{}");
    let url = start_upstream(limited).await;
    let outcome = invoke(&build_hasty_runtime(MovingVault::new(&url, 0, &url)), "getNote", json!({"noteId": 1})).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retryAfterMs"]), (&json!("rate_limited"), &json!(31_000)), "{outcome}");
    assert_eq!(outcome["meta"]["attempts"], 1, "{outcome}");
}

/// Deletes a record by a request whose answer is lost. The next one finds nothing.
#[tokio::test]
async fn repeated_deletion_that_finds_nothing_has_succeeded() {
    for status in ["404 Not Found", "410 Gone"] {
        let gone = start_upstream(build_json_response(status, r#"{"success":false,"error":"No."}"#)).await;
        for (failure, succeeds) in [
            (Failure::Answer(Vec::new()), true),
            (Failure::Answer(build_json_response("500 Oops", "{}")), true),
            // A request that was not carried out deleted nothing.
            (Failure::Answer(build_json_response("503 Maintenance", "{}")), false),
            (Failure::Connect, false),
        ] {
            let vendor = start_failing(failure).await;
            let outcome = invoke(&build_hasty_runtime(MovingVault::new(&vendor.url, 1, &gone)), "deleteNote", json!({"noteId": 1})).await;
            assert_eq!(outcome["ok"], succeeds, "{outcome}");
            assert_eq!(outcome["meta"]["attempts"], 2, "{outcome}");
            if succeeds {
                let warnings = outcome["meta"]["warnings"].to_string();
                assert_eq!((&outcome["data"], warnings.contains("sent again")), (&Value::Null, true), "{outcome}");
            }
        }
        let raw = json!({"method": "DELETE", "path": "/api/v1/notes/1"});
        let vendor = start_failing(Failure::Answer(Vec::new())).await;
        let outcome = invoke(&build_hasty_runtime(MovingVault::new(&vendor.url, 1, &gone)), "rawRequest", raw).await;
        assert_eq!((&outcome["error"]["retry"], &outcome["meta"]["attempts"]), (&json!("unsafe"), &json!(1)), "{outcome}");
    }
}

/// Lets the answer to a write be lost, and all that follows be refused: the write may have been carried out.
#[tokio::test]
async fn lost_attempt_is_not_forgotten_when_the_next_is_refused() {
    let spent = "content-type: application/json\r\nx-daily-ratelimit-token-remaining: 0\r\n";
    let limited = start_upstream(build_response("429 Too Many Requests", spent, "{}")).await;
    for (action, input, retry) in
        [("updateNote", json!({"noteId": 1, "content": "x"}), "unsafe"), ("getNote", json!({"noteId": 1}), "later")]
    {
        let vendor = start_failing(Failure::Answer(Vec::new())).await;
        let outcome = invoke(&build_hasty_runtime(MovingVault::new(&vendor.url, 1, &limited)), action, input).await;
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("budget_exhausted"), &json!(retry)), "{outcome}");
        assert_eq!(outcome["meta"]["attempts"], 2, "{outcome}");
    }
}

/// Loses the answer to a write, and lets the time end while the next attempt waits for a place.
#[tokio::test]
async fn lost_attempt_is_not_forgotten_when_the_time_is_over() {
    let (sender, mut occupied) = mpsc::unbounded_channel();
    let silent = serve_connections(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_request(&mut stream).await;
            let _ = sender.send(());
            std::future::pending::<()>().await;
        }
    })
    .await;
    let hasty = Retries::default().with_backoff(Duration::ZERO, Duration::ZERO);
    let occupying = build(Runtime::builder().connections(MovingVault::new(&silent, 0, &silent)).retries(hasty).connections_per_host(1));
    let occupier = tokio::spawn(occupying.invoke(Invocation::new("getNote").input(json!({"noteId": 1}))));
    occupied.recv().await.expect("the only place is taken");
    for (action, input, retry) in [("updateNote", r#"{"noteId": 1, "content": "x"}"#, "unsafe"), ("getNote", r#"{"noteId": 1}"#, "later")] {
        let vendor = start_failing(Failure::Answer(Vec::new())).await;
        let runtime = occupying.with_connections(MovingVault::new(&vendor.url, 1, &silent), None, None);
        let text = format!(r#"{{"action": "{action}", "input": {input}, "options": {{"timeoutMs": 300}}}}"#);
        let outcome = run_text(&runtime, text).await;
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("timed_out"), &json!(retry)), "{outcome}");
        let meta = &outcome["meta"];
        assert_eq!((&meta["requests"], &meta["attempts"]), (&json!(1), &json!(1)), "count what was sent alone: {outcome}");
    }
    occupier.abort();
}

/// Counts what a call cost that was sent again.
#[tokio::test]
async fn tokens_include_the_requests_that_failed() {
    let well = start_upstream(build_json_response("200 OK", r#"{"success":true,"data":[]}"#)).await;
    let vendor = start_failing(Failure::Answer(build_json_response("503 Maintenance", "{}"))).await;
    let once = invoke(&build_hasty_runtime(MovingVault::new(&well, 0, &well)), "getDeals", json!({})).await;
    let twice = invoke(&build_hasty_runtime(MovingVault::new(&vendor.url, 1, &well)), "getDeals", json!({})).await;
    assert_eq!(once["meta"]["tokens"].as_u64().map(|tokens| 2 * tokens), twice["meta"]["tokens"].as_u64(), "{once} {twice}");
}

/// Fetches a file whose answer breaks off: into the answer again, into a sink once.
#[tokio::test]
async fn file_that_breaks_off_is_fetched_again_until_a_sink_has_a_part() {
    let whole = start_upstream(build_response("200 OK", "content-type: text/plain\r\n", "hello")).await;
    let cut = Failure::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nhel".to_vec());
    for failure in [cut.clone(), Failure::Connect, Failure::Answer(build_json_response("503 Maintenance", "{}"))] {
        let breaks_off = matches!(&failure, Failure::Answer(answer) if answer.starts_with(b"HTTP/1.1 200"));
        let vendor = start_failing(failure).await;
        let runtime = || build_hasty_runtime(MovingVault::new(&vendor.url, 1, &whole));
        let outcome = invoke(&runtime(), "downloadFile", json!({"fileId": 1})).await;
        assert_eq!((&outcome["data"]["base64"], &outcome["meta"]["attempts"]), (&json!("aGVsbG8="), &json!(2)), "{outcome}");
        let call = Invocation::new("downloadFile").input(json!({"fileId": 1})).fetch_into(tokio::io::sink());
        let outcome = run(&runtime(), call).await;
        assert_eq!(
            (&outcome["ok"], &outcome["meta"]["attempts"]),
            (&json!(!breaks_off), &json!(if breaks_off { 1 } else { 2 })),
            "{outcome}"
        );
    }
}

/// Drops a call that waits for an hour. The next one gets the only place, so nothing was left behind.
#[tokio::test]
async fn dropped_call_ends_its_wait_at_once() {
    let (sender, mut answered) = mpsc::unbounded_channel();
    let url = serve_connections(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_request(&mut stream).await;
            let limited = build_response("429 Too Many Requests", "content-type: application/json\r\nretry-after: 3000\r\n", "{}");
            let _ = stream.write_all(&limited).await;
            let _ = sender.send(());
        }
    })
    .await;
    let runtime = build(Runtime::builder().connections(MovingVault::new(&url, 0, &url)).connections_per_host(1));
    let text = br#"{"action": "getNote", "input": {"noteId": 1}, "options": {"timeoutMs": 3600000}}"#;
    tokio::select! {
        outcome = runtime.invoke_json(text) => panic!("the call ended: {outcome:?}"),
        _ = answered.recv() => {}
    }
    let outcome = invoke(&runtime, "getNote", json!({"noteId": 1})).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["attempts"]), (&json!("rate_limited"), &json!(1)), "{outcome}");
    answered.recv().await.expect("the second call was answered");
    assert!(answered.try_recv().is_err(), "the dropped call sent nothing more");
}
