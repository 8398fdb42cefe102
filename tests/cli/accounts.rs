//! The store of the command line: what makes one, what is kept in it no longer, and which connection a call gets.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use connector_connections::{App, Clock, Key, Moment, Store, Vault};
use connector_core::Http;
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::http::JSON;
use crate::support::process::{Host, fed, lines, stderr};
use crate::support::server::Served;

/// A key that seals nothing yet.
const KEY: &str = "abababababababababababababababababababababababababababababababab";

#[test]
fn reading_commands_create_no_store_and_keep_the_sandbox() {
    let host = Host::new();
    for (arguments, printed) in [
        (&["connections", "list"][..], ""),
        (&["connections", "list", "--json"], "[]\n"),
        (&["keys", "list"], ""),
        (&["keys", "list", "--json"], "[]\n"),
    ] {
        let output = host.run(arguments, "");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), printed), "{arguments:?}");
    }
    for arguments in [
        &["connections", "show", "x"][..],
        &["connections", "test", "x"],
        &["connections", "default", "x"],
        &["connections", "rename", "x", "y"],
        &["connections", "remove", "x"],
        &["connections", "rekey"],
        &["keys", "revoke", "x"],
    ] {
        let output = host.run(arguments, "");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("There is no store yet"), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read_dir(host.folder.path()).expect("it is read").count(), 0, "nothing is made");
    let outcomes = lines(&host.run(&["invoke", "getStage", "--input", "{\"stageId\":1}"], ""));
    assert_eq!(outcomes[0]["meta"]["sandbox"], true, "{outcomes:?}");
}

#[test]
fn sandbox_flag_uses_its_own_store() {
    let host = Host::new();
    let made = host.run(&["keys", "create", "--sandbox", "--name", "mine"], "");
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let link = host.run(&["sign-in", "--sandbox"], "");
    assert!(String::from_utf8_lossy(&link.stdout).starts_with("http://127.0.0.1:8030/sign-in?token="), "{}", stderr(&link));
    let listed = |arguments: &[&str]| String::from_utf8_lossy(&host.run(arguments, "").stdout).into_owned();
    assert!(listed(&["keys", "list", "--sandbox"]).contains("mine"));
    assert_eq!(listed(&["keys", "list"]), "", "there is no other store yet");
}

#[test]
fn key_or_app_without_store_never_falls_back_to_the_sandbox() {
    let host = Host::new();
    let refused = |host: &Host, variables: &[(&str, &str)]| {
        let mut command = host.command(&["invoke", "getDeals"]);
        command.envs(variables.iter().copied());
        let output = fed(command, b"");
        assert_eq!(lines(&output)[0]["error"]["kind"], "no_connection", "{variables:?}: {}", stderr(&output));
        assert!(!host.folder.path().join("sandbox.json").exists(), "{variables:?}: no sandbox is started");
        assert!(!host.folder.path().join("connections.db").exists(), "{variables:?}: no store is made");
    };
    let secret = ("CONNECTOR_CLIENT_SECRET", "s");
    for variables in [
        &[("CONNECTOR_KEY", KEY)][..],
        &[("CONNECTOR_KEY_FILE", "/no/such/key")],
        &[("CONNECTOR_FORMER_KEY_FILE", "/no/such/key")],
        &[("CONNECTOR_CLIENT_ID", "c"), secret],
    ] {
        refused(&host, variables);
    }
    std::fs::write(host.folder.path().join("connections.key"), KEY).expect("it can be written");
    refused(&host, &[]);
}

#[test]
fn store_sealed_with_another_key_exits_3_and_creates_no_key() {
    let host = Host::new();
    assert!(host.run(&["keys", "create"], "").status.success());
    let key = host.folder.path().join("connections.key");
    let mut command = host.command(&["connections", "list"]);
    command.env("CONNECTOR_KEY", KEY);
    let output = fed(command, b"");
    assert!(output.status.code() == Some(3) && stderr(&output).contains("is sealed with the key"), "{}", stderr(&output));
    std::fs::remove_file(&key).expect("it is there");
    let output = host.run(&["connections", "list"], "");
    assert!(output.status.code() == Some(3) && stderr(&output).contains("put it back"), "{}", stderr(&output));
    assert!(!key.exists(), "a new key would stand where the right one belongs");
}

/// As somebody who is told to open a link, and does not.
fn connecting(mut command: Command) -> (Child, impl Iterator<Item = String>) {
    command.env("CONNECTOR_CLIENT_ID", "client").env("CONNECTOR_CLIENT_SECRET", "secret");
    let mut child = command.spawn().expect("the binary runs");
    let mut said = BufReader::new(child.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
    let link = said.find(|line| line.starts_with("Open this link"));
    assert!(link.is_some(), "it tells a link");
    (child, said)
}

/// Behind a URL of https the pages are another's: this one serves none.
const CONNECT: [&str; 5] = ["connect", "--name", "foo", "--public-url", "https://connect.example"];

#[test]
fn interrupted_connect_frees_its_name() {
    let host = Host::new();
    for signal in ["-INT", "-TERM"] {
        let (child, _said) = connecting(host.command(&CONNECT));
        let told = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{signal}");
        let list = host.run(&["connections", "list"], "");
        assert_eq!((list.status.code(), list.stdout.len()), (Some(0), 0), "{signal}: nothing waits any more");
    }
}

#[test]
fn connect_reports_when_its_connection_was_removed() {
    let host = Host::new();
    let (child, said) = connecting(host.command(&CONNECT));
    assert!(host.run(&["connections", "remove", "foo"], "").status.success());
    let output = child.wait_with_output().expect("it ends");
    let said: Vec<String> = said.collect();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said:?}");
    assert!(said.iter().any(|line| line.contains("Nothing was connected")), "{said:?}");
}

/// An account that is connected already keeps its connection, whatever name was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting_the_same_account_again_renews_it() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let mut printed = Vec::new();
    for name in ["first", "second"] {
        let (link, ended) =
            served.waiting(&["connect", "--public-url", &served.url, "--name", name], "Open this link in a browser, once: ");
        let mut browser = Browser::default();
        browser.connects(&served, &link, 0).await;
        printed.push(serde_json::from_str::<Value>(&ended()).expect("it prints the connection"));
    }
    assert_eq!((&printed[1]["name"], &printed[1]["status"]), (&json!("first"), &json!("ACTIVE")), "calls name it so: {printed:?}");
    assert_eq!(printed[1]["connection_id"], printed[0]["connection_id"]);
    let renamed: Value = serde_json::from_str(&served.run(&["connections", "rename", "first", "third"], "")).expect("JSON");
    assert_eq!((&renamed["name"], &renamed["connection_id"]), (&json!("third"), &printed[0]["connection_id"]));
}

#[tokio::test]
async fn next_command_removes_expired_pending_connections() {
    let host = Host::new();
    let file = |name: &str| host.folder.path().join(name);
    let http = Http::new(None, Vec::new()).expect("a client");
    let store = Store::sqlite(file("connections.db")).await.expect("a store");
    let app = App::new(&pipedrive_connector::CONNECTOR).expect("an app").with_client("c", "s", "https://connect.example/oauth/callback");
    let key = Key::load_or_create(&file("connections.key")).expect("a key");
    let vault = Vault::builder(store, key, &http).app(app).clock(Clock::fixed(Moment::from_micros(0))).open().await.expect("a vault");
    let begun = vault
        .begin("local", "pipedrive", connector_connections::BeginOptions { name: Some("foo"), ..Default::default() })
        .await
        .expect("it is begun");
    let output = host.run(&["keys", "list"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(vault.get("local", &begun.connection.id).await.is_err(), "it is gone from the store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_list_connections_of_store_and_environment() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("local");
    let headers = [("authorization", key.as_str()), JSON];
    served.ask("POST", "/v1/connections", &headers, r#"{"name":"waiting"}"#).await;
    let invoke = |arguments: &[&str]| -> Value {
        let all = [&["invoke", "getStage", "--input", r#"{"stageId":1}"#], arguments].concat();
        let mut command = served.command(&all);
        command.env("CONNECTOR_API_TOKEN", "t").env("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com");
        lines(&fed(command, b"")).remove(0)
    };
    assert_eq!(invoke(&[])["error"]["hint"], "There are: sandbox, env.", "what waits is not there yet");
    assert_eq!(invoke(&["--connection", "sandbox"])["meta"]["connection"], "sandbox");
    let name = served.connect(&key, DEMO_API_TOKEN).await["name"].as_str().expect("a name").to_owned();
    let typo = invoke(&["--connection", "typo"]);
    assert_eq!(typo["error"]["hint"], format!("There are: {name}, sandbox, env."), "{typo}");
    let waiting = invoke(&["--connection", "waiting"]);
    assert_eq!(waiting["error"]["message"], "The connection \"waiting\" is not finished.", "{waiting}");
    assert_eq!(invoke(&[])["meta"]["connection"], name, "the store goes before the environment");
}

#[test]
fn not_found_errors_name_the_owner() {
    let host = Host::new();
    let made = host.run(&["keys", "create", "--owner", "acme"], "");
    assert!(made.status.success(), "{}", stderr(&made));
    let listed = host.run(&["keys", "list", "--owner", "acme", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let id = listed[0]["id"].as_str().expect("an id");
    assert_eq!((&listed[0]["owner"], &listed[0]["name"]), (&json!("acme"), &json!("key")), "{listed}");
    for (arguments, words) in [
        (&["keys", "revoke", id][..], "for the owner \"local\""),
        (&["keys", "revoke", id, "--operator"], "for the operator."),
        (&["connections", "show", "x", "--owner", "acme"], "There is none yet"),
    ] {
        let output = host.run(arguments, "");
        assert!(output.status.code() == Some(1) && stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(host.run(&["keys", "revoke", id, "--owner", "acme"], "").status.code(), Some(0));
}
