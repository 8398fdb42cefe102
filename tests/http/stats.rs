//! `connector stats` reads the metrics of a running host.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::server::Server;

/// Runs on two threads, since the command waits for the host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stats_are_those_of_the_calls_that_were_made() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    for id in [1, 1, 987_654] {
        server.invoke(&key, &json!({"action": "getDeal", "input": {"dealId": id}}).to_string()).await;
    }
    for path in ["api/v2/deals/1", "api/v2/deals/987654"] {
        server.get(&format!("/gateway/pipedrive/{path}"), &key).await;
    }
    let stats: Value = serde_json::from_str(&server.run(&["stats", "--url", &server.url], "")).expect("JSON in a pipe");
    assert_eq!((&stats["url"], &stats["inFlight"]), (&json!(server.url), &json!(0)), "{stats}");
    let actions = stats["actions"].as_array().expect("a list");
    let find = |action: &str| actions.iter().find(|one| one["action"] == action).unwrap_or_else(|| panic!("{action}: {stats}"));
    let deal = find("getDeal");
    assert_eq!((&deal["calls"], &deal["results"]), (&json!(3), &json!({"ok": 2, "not_found": 1})), "{stats}");
    assert_eq!((&deal["requests"], &deal["tokens"], &deal["retries"]), (&json!(3), &json!(3), &json!(0)), "{stats}");
    assert!(deal["p50Ms"].as_f64() <= deal["p95Ms"].as_f64() && deal["meanMs"].as_f64() > Some(0.0), "{stats}");
    assert_eq!(find("gateway")["results"], json!({"ok": 1, "http_4xx": 1}), "{stats}");
}

/// Runs on two threads, since the command waits for the host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_that_others_reach_shows_its_stats_to_operators_alone() {
    let (server, _) = Server::start_with_sandbox(&["--public-url", "https://connect.example"]).await;
    let (owner, operator) = (server.create_key("acme"), server.create_operator_key());
    let stats = ["stats", "--url", server.url.as_str()];
    for key in [None, Some(&owner)] {
        let key: Vec<(&str, &str)> = key.map(|key| ("CONNECTOR_OPERATOR_KEY", key.trim_start_matches("Bearer "))).into_iter().collect();
        let refused = server.try_run(&key, &stats).expect_err("it is for operators");
        assert!(refused.contains("CONNECTOR_OPERATOR_KEY") && refused.contains("--operator"), "{refused}");
    }
    let key = [("CONNECTOR_OPERATOR_KEY", operator.trim_start_matches("Bearer "))];
    assert!(server.try_run(&key, &stats).expect("an operator may").contains("\"inFlight\""));
    let nobody = server.try_run(&[], &["stats", "--url", "http://127.0.0.1:1"]).expect_err("nobody listens");
    assert!(nobody.contains("Does `connector serve` run there?"), "{nobody}");
}
