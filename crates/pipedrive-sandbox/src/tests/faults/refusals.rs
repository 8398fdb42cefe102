//! Responses that refuse a request, some of them for a while.

use serde_json::json;

use super::{FaultyServer, RawResponse};
use crate::edge::options::Options;
use crate::tests::options;

async fn refuse_deal(faults: &str) -> RawResponse {
    let server = FaultyServer::start(faults).await;
    let answer = server.create_deal("Refused").await;
    assert_eq!(server.count_deals("Refused"), 0, "{faults} should not be carried out");
    answer
}

#[tokio::test]
async fn over_limit_comes_with_headers_and_without() {
    let answer = refuse_deal("429=always:3s").await;
    assert_eq!((answer.status(), answer.header("retry-after"), answer.header("x-ratelimit-remaining")), (429, Some("3"), Some("0")));
    assert_eq!(answer.header("x-ratelimit-reset"), Some("3"));
    for name in ["x-ratelimit-limit", "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining"] {
        assert_eq!(answer.header(name), None, "a limit that is not set should not be made up: {name}");
    }
    assert_eq!(answer.json()["error"], "request over limit");

    let bare = refuse_deal("429-bare=always").await;
    let shown = ["retry-after", "x-ratelimit-limit", "x-daily-ratelimit-token-remaining"].map(|name| bare.header(name));
    assert_eq!((bare.status(), shown, bare.fault()), (429, [None; 3], Some("429-bare")));
}

#[tokio::test]
async fn server_errors_tell_apart_what_was_done() {
    let before = refuse_deal("500=always").await;
    assert_eq!((before.status(), before.fault()), (500, Some("500")));
    let maintenance = refuse_deal("503=always").await;
    assert_eq!((maintenance.status(), maintenance.fault()), (503, Some("503")));

    let server = FaultyServer::start("500-after=always@POST").await;
    let after = server.create_deal("Done").await;
    assert_eq!((after.status(), &after.json()["success"], after.fault()), (500, &json!(false), Some("500-after")));
    assert_eq!(server.count_deals("Done"), 1);
}

#[tokio::test]
async fn spent_budget_is_lifted_after_its_time() {
    let options = Options { companies: 2, faults: "budget=#1:1s".parse().expect("the test's faults are valid"), ..options() };
    let server = FaultyServer::start_with(options).await;
    let other = server.sandbox.companies()[1].api_token.clone();
    for milliseconds in [500, 499, 1] {
        let answer = server.get("/api/v2/deals/1").await;
        assert_eq!(
            (answer.status(), answer.header("x-daily-ratelimit-token-remaining"), answer.header("retry-after")),
            (429, Some("0"), Some("1"))
        );
        let elsewhere = server.send_as(&other, "GET", "/api/v2/deals/1", "").await;
        assert_eq!(elsewhere.status(), 200, "another company has its own budget");
        server.advance(milliseconds);
    }
    assert_eq!(server.get("/api/v2/deals/1").await.status(), 200, "the budget should be there again");
    assert_eq!(server.sandbox.fault_counts()[0].count, 3);
}

#[tokio::test]
async fn blocked_token_gets_a_page_until_its_time_is_over() {
    let options = Options { companies: 2, faults: "403-html=#1:2s@read".parse().expect("the test's faults are valid"), ..options() };
    let server = FaultyServer::start_with(options).await;
    let other = server.sandbox.companies()[1].api_token.clone();
    let first = server.get("/api/v2/deals/1").await;
    assert_eq!((first.status(), first.header("content-type")), (403, Some("text/html; charset=UTF-8")));
    assert!(first.body().contains("Cloudflare") && first.header("x-ratelimit-limit").is_none(), "{first:?}");
    assert_eq!(server.create_deal("Blocked").await.status(), 403, "all requests of the token should be refused");
    assert_eq!(server.send_as(&other, "GET", "/api/v2/deals/1", "").await.status(), 200);
    server.advance(2000);
    assert_eq!(server.get("/api/v2/deals/1").await.status(), 200);
    assert_eq!(server.count_deals("Blocked"), 0);
}

#[tokio::test]
async fn rate_and_endpoint_are_honoured_and_a_seed_repeats_itself() {
    async fn run(seed: u32) -> Vec<u16> {
        let server = FaultyServer::start(&format!("seed={seed},503=30%@GET /api/v2/deals/*")).await;
        let mut row = Vec::new();
        for _ in 0..60 {
            assert_eq!(server.get("/api/v2/persons/1").await.status(), 200, "the rule is not about persons");
            row.push(server.get("/api/v2/deals/1").await.status());
        }
        row
    }
    let row = run(1).await;
    let failed = row.iter().filter(|status| **status == 503).count();
    assert!((9..=28).contains(&failed), "about 18 of 60 requests should fail, not {failed}");
    assert_eq!(row, run(1).await);
    assert_ne!(row, run(2).await);
}

#[tokio::test]
async fn token_endpoint_has_rules_and_its_queue() {
    let server = FaultyServer::start("token=418,503=always@POST /oauth/token").await;
    let statuses = [server.send("POST", "/oauth/token", "").await.status(), server.send("POST", "/oauth/token", "").await.status()];
    assert_eq!(statuses, [418, 503], "the queue should precede the rules");
    let server = FaultyServer::start("500=always").await;
    assert_ne!(server.send("POST", "/oauth/token", "").await.status(), 500, "a rule without an endpoint is about the API");
    assert_eq!(server.sandbox.fault_counts(), []);
}
