//! The host over PostgreSQL: hosts that share a store, and unusable servers.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::postgres::{build_fresh_name, build_schema_url, execute, find_database};
use crate::support::server::Server;

#[tokio::test]
async fn hosts_sharing_a_store_see_each_others_changes() {
    if find_database().is_none() {
        return;
    }
    let (one, _) = Server::start_with_sandbox(&[]).await;
    let two = Server::start_beside(&one);
    let key = one.create_key("acme");
    let connection = one.connect(&key, DEMO_API_TOKEN).await;
    let path = format!("/v1/connections/{}", connection["connection_id"].as_str().expect("an id"));
    assert_eq!(two.get(&path, &key).await.json()["connection"], connection);
    let call = json!({"action": "getStage", "connection": connection["name"], "input": {"stageId": 1}}).to_string();
    let call_two = async || two.invoke(&key, &call).await;
    assert_eq!(call_two().await["ok"], true);
    // An idempotency key holds across hosts.
    let keyed = json!({"action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "run-1"}}).to_string();
    let add = async |host: &Server| host.invoke(&key, &keyed).await;
    let (first, again) = (add(&one).await, add(&two).await);
    assert_eq!((&first["data"]["id"], &again["meta"]["replayed"]), (&again["data"]["id"], &json!(true)), "{first} {again}");

    // A list that the account defines is read by one of the hosts, whichever is asked first.
    let choose = json!({"action": "selectDealField", "connection": connection["name"]}).to_string();
    let mut chosen = vec![one.invoke(&key, &choose).await];
    let others = [Server::start_beside(&one), Server::start_beside(&one)];
    for host in [&two, &others[0], &others[1], &one] {
        chosen.push(host.invoke(&key, &choose).await);
    }
    let requests: Vec<_> = chosen.iter().map(|outcome| outcome["meta"]["requests"].as_u64()).collect();
    assert_eq!(requests, [1, 0, 0, 0, 0].map(Some), "{chosen:?}");
    assert!(chosen.iter().all(|outcome| outcome["data"] == chosen[0]["data"]), "{chosen:?}");

    assert_eq!(one.delete(&path, &key).await.json()["deleted"], true);
    assert_eq!(two.get(&path, &key).await.status, 404);
    // A host believes what it read for two seconds.
    let removed = Instant::now();
    let refused = loop {
        let outcome: Value = call_two().await;
        if outcome["ok"] == false {
            break outcome;
        }
        assert!(removed.elapsed() < Duration::from_secs(10), "stop using a removed connection within two seconds");
    };
    assert_eq!(refused["error"]["kind"], "no_connection", "{refused}");
    two.revoke_key("acme");
    assert_eq!(one.get("/v1/actions", &key).await.status, 401, "every host must refuse a revoked key");
}

#[test]
fn unusable_servers_are_reported_without_their_password() {
    let Some(url) = find_database() else { return };
    let (role, schema) = (build_fresh_name(), build_fresh_name());
    execute(
        &url,
        &format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'; CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {role}"),
    );
    let (user, place) = url.strip_prefix("postgres://").and_then(|rest| rest.split_once('@')).expect("a user and a place");
    let user = user.split(':').next().expect("a user");
    let host = place.split('/').next().expect("a host");
    for (store, words) in [
        (format!("postgres://{user}:hunter2@{place}"), "refuses the user or the password"),
        (format!("postgres://{user}@{place}"), "asks for a password"),
        ("postgres://ann:hunter2@127.0.0.1:1/none".to_owned(), "cannot be reached"),
        (format!("postgres://{role}:hunter2@{host}/none"), "has no such database"),
        (build_schema_url(&format!("postgres://{role}:hunter2@{place}"), &schema), "does not let this user"),
        (build_schema_url(&format!("postgres://{role}:hunter2@{place}"), "none"), "has no schema"),
        (format!("postgres://{role}:hunter2@{host}:port/none"), "cannot be read"),
        (format!("postgres://{role}:hunter2@{place}?sslmode=hunter2"), "cannot be read"),
    ] {
        for command in [&["serve", "--port", "0"][..], &["keys", "list"], &["connections", "list"], &["invoke", "getUsers"]] {
            let mut connector = Command::new(env!("CARGO_BIN_EXE_connector"));
            let connector =
                connector.args(command).env("CONNECTOR_STORE", &store).env("CONNECTOR_KEY", "ab".repeat(32)).stdin(Stdio::null());
            let output = connector.output().expect("the binary runs");
            let all = String::from_utf8(output.stderr).expect("text");
            assert_eq!(output.status.code(), Some(3), "{command:?}: {all}");
            assert!(!all.contains("hunter2") && output.stdout.is_empty(), "{all}");
            // A serving host logs the error first.
            let error = all.lines().last().unwrap_or_default();
            assert!(error.starts_with("error: The ") && error.contains(words), "{command:?} {words}: {all}");
            assert!(error.contains(". "), "write a sentence and a hint: {error}");
        }
    }
}
