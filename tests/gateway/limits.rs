//! The gateway before a sandbox with limits: requests wait for their window, or are refused before they are sent.

use std::time::Duration;

use futures_util::future::join_all;
use pipedrive_sandbox::{Clock, DEMO_API_TOKEN, LimitCount, Options, Sandbox};
use serde_json::json;

use crate::support::http::Response;
use crate::support::sandbox::{bind, sandbox_options, serve_sandbox};
use crate::support::server::Server;

const STAGE: &str = "/gateway/pipedrive/api/v2/stages/1";

/// Starts a host before a sandbox, with a connection and the key of its owner.
async fn start(options: Options) -> (Server, Sandbox, String) {
    let (listener, upstream) = bind().await;
    let sandbox = serve_sandbox(listener, options);
    let server = Server::start(&upstream, &["--rate", "0"]);
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    (server, sandbox, key)
}

/// Counts what a sandbox let through and refused in a lane.
fn count(sandbox: &Sandbox, lane: &str) -> (u64, u64) {
    let counts = sandbox.limit_counts();
    counts.iter().find(|count| count.lane == lane).map_or((0, 0), |&LimitCount { taken, refused, .. }| (taken, refused))
}

/// Checks that a host itself refused a request, and returns the seconds after which it can be repeated.
#[track_caller]
fn assert_refused(response: &Response, kind: &str) -> u64 {
    let shown = (response.status, response.header("connector-error"), response.kind());
    assert_eq!(shown, (429, Some(kind), kind.to_owned()), "{}", response.text());
    let seconds = response.header("retry-after").and_then(|seconds| seconds.parse().ok());
    seconds.unwrap_or_else(|| panic!("no time to wait in {:?}", response.headers))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_their_window_and_all_are_answered() {
    let burst_window = Duration::from_millis(100);
    let (server, sandbox, key) = start(Options { burst_limit: Some(24), burst_window, clock: Clock::system(), ..sandbox_options() }).await;
    let raw = json!({"action": "rawRequest", "input": {"method": "GET", "path": "/api/v2/stages/1"}}).to_string();
    let passed = (0..120).map(|_| async { server.get(STAGE, &key).await.status });
    let invoked = (0..120).map(|_| async { u16::from(server.invoke(&key, &raw).await["ok"] == true) });
    let (passed, invoked) = tokio::join!(join_all(passed), join_all(invoked));
    assert!(passed.iter().all(|status| *status == 200), "{passed:?}");
    assert!(invoked.iter().all(|ok| *ok == 1), "{invoked:?}");
    // The account was looked at once when it was connected.
    assert_eq!(count(&sandbox, "general"), (241, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_that_cannot_be_sent_in_time_is_refused_by_the_host() {
    let burst_window = Duration::from_hours(1);
    let options = sandbox_options();
    let clock = options.clock.clone();
    let (server, sandbox, key) = start(Options { burst_limit: Some(2), search_limit: Some(2), burst_window, ..options }).await;
    // The account was looked at once when it was connected, which is out of the window now.
    clock.advance(burst_window);
    for _ in 0..2 {
        let response = server.get(STAGE, &key).await;
        assert_eq!((response.status, response.header("x-ratelimit-limit")), (200, Some("2")), "{}", response.text());
    }
    let seconds = assert_refused(&server.get(STAGE, &key).await, "rate_limited");
    assert!((3500..=3700).contains(&seconds), "a place is free after {seconds} seconds");
    let raw = json!({"action": "rawRequest", "input": {"method": "GET", "path": "/api/v2/stages/1"}}).to_string();
    let refused = server.invoke(&key, &raw).await;
    assert_eq!((&refused["error"]["kind"], &refused["meta"]["requests"]), (&json!("rate_limited"), &json!(0)), "{refused}");
    assert!(refused["error"]["retryAfterMs"].as_u64().is_some_and(|wait| wait > 3_500_000), "{refused}");
    // Searches have a window of their own.
    assert_eq!(server.get("/gateway/pipedrive/api/v2/deals/search?term=deal", &key).await.status, 200);
    assert_eq!((count(&sandbox, "general"), count(&sandbox, "search")), ((3, 0), (1, 0)), "nothing was sent in vain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_beyond_the_daily_budget_is_refused_by_the_host() {
    let (server, _sandbox, key) = start(Options { daily_budget: Some(16), clock: Clock::system(), ..sandbox_options() }).await;
    let list = "/gateway/pipedrive/api/v2/deals";
    let statuses = [server.get(list, &key).await.status, server.get(list, &key).await.status];
    assert_eq!(statuses[0], 200);
    let seconds = assert_refused(&server.get(list, &key).await, "budget_exhausted");
    assert!(seconds <= 86_400, "the budget is renewed within a day, not in {seconds} seconds");
}
