//! The host over PostgreSQL: a schema of its own for each, hosts that share one, and what is wrong with a server.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::http::JSON;
use crate::support::postgres::{carried_out, database, fresh_name, within};
use crate::support::server::Served;

#[tokio::test]
async fn hosts_sharing_a_store_see_each_others_changes() {
    if database().is_none() {
        return;
    }
    let (one, _) = Served::before_sandbox(&[]).await;
    let two = Served::beside(&one);
    let key = one.key("acme");
    let made = one.connect(&key, DEMO_API_TOKEN).await;
    let path = format!("/v1/connections/{}", made["connection_id"].as_str().expect("an id"));
    assert_eq!(two.get(&path, &key).await.json()["connection"], made);
    let call = json!({"action": "getStage", "connection": made["name"], "input": {"stageId": 1}}).to_string();
    let called = async || two.ask("POST", "/v1/invoke", &[("authorization", &key), JSON], &call).await.json();
    assert_eq!(called().await["ok"], true);
    // What a call has claimed at one host is not carried out at the other.
    let keyed = json!({"action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "run-1"}}).to_string();
    let add = async |host: &Served| host.ask("POST", "/v1/invoke", &[("authorization", &key), JSON], &keyed).await.json();
    let (first, again) = (add(&one).await, add(&two).await);
    assert_eq!((&first["data"]["id"], &again["meta"]["replayed"]), (&again["data"]["id"], &json!(true)), "{first} {again}");

    assert_eq!(one.ask("DELETE", &path, &[("authorization", &key)], "").await.json()["deleted"], true);
    assert_eq!(two.get(&path, &key).await.status, 404);
    // A call reads no store while what was read is fresh: for two seconds.
    let removed = Instant::now();
    let refused = loop {
        let outcome: Value = called().await;
        if outcome["ok"] == false {
            break outcome;
        }
        assert!(removed.elapsed() < Duration::from_secs(10), "the other host goes on using what was removed");
    };
    assert_eq!(refused["error"]["kind"], "no_connection", "{refused}");
    two.run(
        &["keys", "revoke", two.run(&["keys", "list", "--owner", "acme"], "").split('\t').next().expect("an id"), "--owner", "acme"],
        "",
    );
    assert_eq!(one.get("/v1/actions", &key).await.status, 401, "a key that is ended is refused by all");
}

#[test]
fn unusable_servers_are_reported_without_their_password() {
    let Some(url) = database() else { return };
    let (role, schema) = (fresh_name(), fresh_name());
    carried_out(
        &url,
        &format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'; CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {role}"),
    );
    let (user, place) = url.strip_prefix("postgres://").and_then(|rest| rest.split_once('@')).expect("a user and a place");
    let user = user.split(':').next().expect("a user");
    let host = place.split('/').next().expect("a host");
    for (store, says) in [
        (format!("postgres://{user}:hunter2@{place}"), "refuses the user or the password"),
        (format!("postgres://{user}@{place}"), "wants a password"),
        ("postgres://ann:hunter2@127.0.0.1:1/none".to_owned(), "cannot be reached"),
        (format!("postgres://{role}:hunter2@{host}/none"), "has no such database"),
        (within(&format!("postgres://{role}:hunter2@{place}"), &schema), "does not let this user"),
        (within(&format!("postgres://{role}:hunter2@{place}"), "none"), "has no schema"),
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
            // A host that serves logs it too.
            let said = all.lines().last().unwrap_or_default();
            assert!(said.starts_with("error: The store") && said.contains(says), "{command:?} {says}: {all}");
            assert!(said.contains(". "), "a sentence and a hint: {said}");
        }
    }
}
