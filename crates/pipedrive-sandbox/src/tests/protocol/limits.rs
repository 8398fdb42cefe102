//! The limits of requests, of searches and of a day, and what responses and counts tell of them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::edge::options::{Bearer, Options};
use crate::edge::plan::Plan;
use crate::edge::sandbox::Sandbox;
use crate::tests::{assert_refused, get, open_sandbox, options, read_response, request, sandbox};
use crate::{DEMO_API_TOKEN, LimitCount};

const NAMES: [&str; 6] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-daily-ratelimit-token-limit",
    "x-daily-ratelimit-token-remaining",
    "retry-after",
];

const DEAL: &str = "/api/v2/deals/1";
const SEARCH: &str = "/api/v2/deals/search?term=deal";

/// Lists what a response tells of limits, in the order of their names; `-` where it tells nothing.
fn list_told(response: &Response<Bytes>) -> String {
    let told = NAMES.map(|name| response.headers().get(name).map_or("-", |value| value.to_str().expect("a header is text")));
    format!("{} {}", response.status().as_u16(), told.join(" "))
}

fn ask(sandbox: &Sandbox, path: &str) -> String {
    list_told(&sandbox.respond(request("GET", path, None)))
}

fn ask_with_bearer(sandbox: &Sandbox, token: &str, path: &str) -> String {
    let request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
    list_told(&sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid")))
}

#[test]
fn sandbox_without_limits_refuses_nothing_and_tells_nothing() {
    let unlimited = sandbox();
    for path in [DEAL, SEARCH, "/api/v2/deals/9999", "/nothing"] {
        assert!(ask(&unlimited, path).ends_with(" - - - - - -"), "{path} should tell of no limit");
    }
    assert!((0..200).all(|_| get(&unlimited, DEAL).0 == 200), "without a limit no request should be refused");
    assert_eq!(unlimited.limit_counts(), []);
}

#[test]
fn window_of_requests_moves_on() {
    let sandbox = open_sandbox(Options { burst_limit: Some(2), ..options() });
    let clock = sandbox.clock();
    assert_eq!(ask(&sandbox, DEAL), "200 2 1 2 - - -");
    clock.advance(Duration::from_millis(1500));
    assert_eq!(ask(&sandbox, DEAL), "200 2 0 2 - - -");
    let refused = sandbox.respond(request("GET", DEAL, None));
    assert_eq!(list_told(&refused), "429 2 0 2 - - 2");
    assert_refused(&read_response(&refused), 429, "request over limit");
    clock.advance(Duration::from_millis(499));
    assert_eq!(ask(&sandbox, DEAL), "429 2 0 2 - - 2");
    clock.advance(Duration::from_millis(1));
    assert_eq!(ask(&sandbox, DEAL), "200 2 0 2 - - -", "the first request should have left the window");
    let [count] = sandbox.limit_counts()[..] else { panic!("one token was used") };
    assert_eq!((count.lane, count.limit, count.taken, count.refused, count.fullest, count.exceeded), ("general", 2, 3, 2, 2, 1));
    assert_eq!(ask(&sandbox, DEAL), "429 2 0 2 - - 2");
    assert_eq!(sandbox.limit_counts()[0].exceeded, 1, "a refusal within two seconds of another is of the same window");
    clock.advance(Duration::from_millis(1500));
    assert_eq!([ask(&sandbox, DEAL), ask(&sandbox, DEAL)], ["200 2 0 2 - - -", "429 2 0 2 - - 2"]);
    assert_eq!(sandbox.limit_counts()[0].exceeded, 2);
}

#[test]
fn windows_have_any_length_and_tell_it_in_seconds() {
    for (milliseconds, told) in [(100, "0.1 - - -"), (1500, "1.5 - - 2"), (3000, "3 - - 3")] {
        let burst_window = Duration::from_millis(milliseconds);
        let sandbox = open_sandbox(Options { burst_limit: Some(1), burst_window, ..options() });
        ask(&sandbox, DEAL);
        assert_eq!(ask(&sandbox, DEAL), format!("429 1 0 {told}"), "no wait of a whole second in a window that is shorter");
        sandbox.clock().advance(burst_window);
        assert!(ask(&sandbox, DEAL).starts_with("200"), "a window of {milliseconds} ms should be over");
    }
}

#[test]
fn searches_have_a_window_of_their_own() {
    let sandbox = open_sandbox(Options { burst_limit: Some(20), search_limit: Some(2), ..options() });
    assert_eq!(ask(&sandbox, DEAL), "200 20 19 2 - - -");
    assert_eq!(ask(&sandbox, "/api/v2/persons/search?term=deal"), "200 2 1 2 - - -");
    assert_eq!(ask(&sandbox, "/v1/leads/search?term=deal"), "200 2 0 2 - - -");
    for path in [
        SEARCH,
        "/api/v2/itemSearch?term=deal",
        "/api/v2/itemSearch/field?term=deal&entity_type=deal&field=title",
        "/api/v1/deals/search?term=deal",
    ] {
        assert_eq!(ask(&sandbox, path), "429 2 0 2 - - 2", "{path} is a search");
    }
    assert_eq!(ask(&sandbox, DEAL), "200 20 18 2 - - -");
    let shown: Vec<_> = sandbox.limit_counts().iter().map(|count| (count.lane, count.taken, count.refused, count.fullest)).collect();
    assert_eq!(shown, [("general", 2, 0, 2), ("search", 2, 4, 2)]);

    let by_default = open_sandbox(Options { burst_limit: Some(100), ..options() });
    assert_eq!(ask(&by_default, SEARCH), "200 10 9 2 - - -", "where requests have a limit, searches have that of all plans");
    let alone = open_sandbox(Options { search_limit: Some(3), ..options() });
    assert_eq!((ask(&alone, SEARCH), ask(&alone, DEAL)), ("200 3 2 2 - - -".to_owned(), "200 - - - - - -".to_owned()));
}

#[test]
fn budget_of_a_day_is_spent_and_comes_back() {
    let sandbox = open_sandbox(Options { daily_budget: Some(15), ..options() });
    assert_eq!(ask(&sandbox, "/api/v2/deals"), "200 - - - 15 5 -", "a list should cost 10 of the 15 tokens");
    let spent = sandbox.respond(request("GET", "/api/v2/deals", None));
    assert_eq!(list_told(&spent), "429 - - - 15 0 43200", "half of the day is left");
    assert_refused(&read_response(&spent), 429, "request over limit");
    sandbox.clock().advance(Duration::from_hours(12));
    assert_eq!(ask(&sandbox, "/nothing"), "404 - - - 15 15 -", "the next day should have a budget of its own");
    assert_eq!(ask(&sandbox, "/api/v2/deals"), "200 - - - 15 5 -");
}

#[test]
fn plan_sets_the_limits_that_are_not_named() {
    let open = |plan, options: Options| {
        let bearers = vec![Bearer { token: "oauth".to_owned(), scopes: vec!["deals:read".to_owned()], user: None }];
        open_sandbox(Options { plan: Some(plan), bearers, ..options })
    };
    for (plan, api_token, oauth, budget) in [
        (Plan::Lite, "20 19", "80 79", 150_000),
        (Plan::Growth, "40 39", "160 159", 300_000),
        (Plan::Premium, "100 99", "400 399", 750_000),
        (Plan::Ultimate, "120 119", "480 479", 1_050_000),
    ] {
        let sandbox = open(plan, options());
        assert_eq!(ask(&sandbox, DEAL), format!("200 {api_token} 2 {budget} {} -", budget - 1));
        assert_eq!(ask_with_bearer(&sandbox, "oauth", DEAL), format!("200 {oauth} 2 {budget} {} -", budget - 2), "both spend one budget");
        assert_eq!(ask(&sandbox, SEARCH), format!("200 10 9 2 {budget} {} -", budget - 22));
    }
    let named = open(Plan::Lite, Options { burst_limit: Some(7), search_limit: Some(3), daily_budget: Some(99), ..options() });
    assert_eq!(ask_with_bearer(&named, "oauth", DEAL), "200 7 6 2 99 98 -");
    assert_eq!(ask(&named, SEARCH), "200 3 2 2 99 78 -");
    let seats = open(Plan::Growth, Options { seats: 1, ..options() });
    assert_eq!(ask(&seats, DEAL), "200 40 39 2 60000 59999 -");
}

#[test]
fn tokens_have_windows_of_their_own() {
    let sandbox = open_sandbox(Options { companies: 2, burst_limit: Some(1), ..options() });
    let other = sandbox.companies()[1].clone();
    let ask_as = |token: &str| {
        let request = Request::builder().uri(DEAL).header("x-api-token", token).body(Bytes::new());
        sandbox.respond(request.expect("the test's request is valid")).status().as_u16()
    };
    assert_eq!([ask_as(DEMO_API_TOKEN), ask_as(DEMO_API_TOKEN), ask_as(&other.api_token)], [200, 429, 200]);
    let shown: Vec<_> = sandbox.limit_counts().iter().map(|&LimitCount { company, refused, .. }| (company, refused)).collect();
    assert_eq!(shown, [(1, 1), (other.id, 0)]);
}
