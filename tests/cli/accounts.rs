//! The store of the command line: which commands create it, and which connection a call uses.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use connector_connections::{App, Clock, Key, Moment, Store, Vault};
use connector_core::run::Http;
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::process::{CommandLine, assert_exit, parse_outcomes, run_with_stdin, send_signal, stderr_text, wait};
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::server::Server;

/// A key that has sealed nothing.
const KEY: &str = "abababababababababababababababababababababababababababababababab";

#[test]
fn reading_commands_create_no_store_and_keep_the_sandbox() {
    let cli = CommandLine::new();
    for (arguments, printed) in [
        (&["connections", "list"][..], ""),
        (&["connections", "list", "--json"], "[]\n"),
        (&["keys", "list"], ""),
        (&["keys", "list", "--json"], "[]\n"),
    ] {
        let output = cli.run(arguments, "");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), printed), "{arguments:?}");
    }
    for arguments in [
        &["connections", "show", "x"][..],
        &["connections", "test", "x"],
        &["connections", "default", "x"],
        &["connections", "rename", "x", "y"],
        &["connections", "view", "x", "flat"],
        &["connections", "remove", "x"],
        &["connections", "rekey"],
        &["keys", "revoke", "x"],
    ] {
        let output = cli.run(arguments, "");
        assert_exit(&output, 1, "There is no store yet");
    }
    assert_eq!(std::fs::read_dir(cli.folder.path()).expect("the folder can be listed").count(), 0, "reading must create no file");
    let outcomes = parse_outcomes(&cli.run(&["invoke", "getStage", "--input", "{\"stageId\":1}"], ""));
    assert_eq!(outcomes[0]["meta"]["sandbox"], true, "{outcomes:?}");
}

#[test]
fn sandbox_flag_uses_its_own_store() {
    let cli = CommandLine::new();
    let created = cli.run(&["keys", "create", "--sandbox", "--name", "mine"], "");
    assert_exit(&created, 0, "");
    let link = cli.run(&["sign-in", "--sandbox"], "");
    assert!(String::from_utf8_lossy(&link.stdout).starts_with("http://127.0.0.1:8030/sign-in?token="), "{}", stderr_text(&link));
    let list = |arguments: &[&str]| String::from_utf8_lossy(&cli.run(arguments, "").stdout).into_owned();
    assert!(list(&["keys", "list", "--sandbox"]).contains("mine"));
    assert_eq!(list(&["keys", "list"]), "", "--sandbox must create no other store");
}

#[test]
fn key_or_app_without_store_never_falls_back_to_the_sandbox() {
    let cli = CommandLine::new();
    let assert_refused = |cli: &CommandLine, variables: &[(&str, &str)]| {
        let output = cli.run_with(variables, &["invoke", "getDeals"]);
        assert_eq!(parse_outcomes(&output)[0]["error"]["kind"], "no_connection", "{variables:?}: {}", stderr_text(&output));
        assert!(!cli.has_file("sandbox.json"), "{variables:?} must start no sandbox");
        assert!(!cli.has_file("connections.db"), "{variables:?} must create no store");
    };
    let secret = ("CONNECTOR_CLIENT_SECRET", "s");
    for variables in [
        &[("CONNECTOR_KEY", KEY)][..],
        &[("CONNECTOR_KEY_FILE", "/no/such/key")],
        &[("CONNECTOR_FORMER_KEY_FILE", "/no/such/key")],
        &[("CONNECTOR_CLIENT_ID", "c"), secret],
    ] {
        assert_refused(&cli, variables);
    }
    std::fs::write(cli.folder.path().join("connections.key"), KEY).expect("the file can be written");
    assert_refused(&cli, &[]);
}

#[test]
fn store_sealed_with_another_key_exits_3_and_creates_no_key() {
    let cli = CommandLine::new();
    assert!(cli.run(&["keys", "create"], "").status.success());
    let key = cli.folder.path().join("connections.key");
    let output = cli.run_with(&[("CONNECTOR_KEY", KEY)], &["connections", "list"]);
    assert_exit(&output, 3, "is sealed with the key");
    std::fs::remove_file(&key).expect("the key exists");
    let output = cli.run(&["connections", "list"], "");
    assert_exit(&output, 3, "put it back");
    assert!(!key.exists(), "create no key where the right one belongs");
}

/// Starts a connect whose link nobody opens, and returns the rest of its stderr.
fn start_connect(mut command: Command) -> (Child, impl Iterator<Item = String>) {
    command.env("CONNECTOR_CLIENT_ID", "client").env("CONNECTOR_CLIENT_SECRET", "secret");
    let mut child = command.spawn().expect("the binary runs");
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
    let link = stderr.find(|line| line.starts_with("Open this link"));
    assert!(link.is_some(), "connect must print a link");
    (child, stderr)
}

/// A connect that serves no pages, since its public URL is https.
const CONNECT: [&str; 5] = ["connect", "--name", "foo", "--public-url", "https://connect.example"];

#[test]
fn interrupted_connect_frees_its_name() {
    let cli = CommandLine::new();
    for signal in ["-INT", "-TERM"] {
        let (child, _stderr) = start_connect(cli.command(&CONNECT));
        send_signal(child.id(), signal);
        let output = wait(child);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{signal}");
        let list = cli.run(&["connections", "list"], "");
        assert_eq!((list.status.code(), list.stdout.len()), (Some(0), 0), "{signal} must remove the pending connection");
    }
}

#[test]
fn connect_reports_when_its_connection_was_removed() {
    let cli = CommandLine::new();
    let (child, stderr) = start_connect(cli.command(&CONNECT));
    assert!(cli.run(&["connections", "remove", "foo"], "").status.success());
    let output = wait(child);
    let stderr: Vec<String> = stderr.collect();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{stderr:?}");
    assert!(stderr.iter().any(|line| line.contains("Nothing was connected")), "{stderr:?}");
}

/// Connects an account under two names: it keeps the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting_the_same_account_again_renews_it() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let mut printed = Vec::new();
    for name in ["first", "second"] {
        let (link, wait_for_stdout) =
            server.start_command(&["connect", "--public-url", &server.url, "--name", name], "Open this link in a browser, once: ");
        let mut browser = Browser::default();
        browser.connect(&server, &link, 0).await;
        printed.push(serde_json::from_str::<Value>(&wait_for_stdout()).expect("connect prints the connection"));
    }
    assert_eq!((&printed[1]["name"], &printed[1]["status"]), (&json!("first"), &json!("ACTIVE")), "keep the first name: {printed:?}");
    assert_eq!(printed[1]["connection_id"], printed[0]["connection_id"]);
    let renamed: Value = serde_json::from_str(&server.run(&["connections", "rename", "first", "third"], "")).expect("JSON");
    assert_eq!((&renamed["name"], &renamed["connection_id"]), (&json!("third"), &printed[0]["connection_id"]));
}

#[tokio::test]
async fn next_command_removes_expired_pending_connections() {
    let cli = CommandLine::new();
    let file = |name: &str| cli.folder.path().join(name);
    let http = Http::new(None, Vec::new()).expect("a client");
    let store = Store::sqlite(file("connections.db")).await.expect("a store");
    let app = App::new(&pipedrive_connector::CONNECTOR).expect("an app").with_client("c", "s", "https://connect.example/oauth/callback");
    let key = Key::load_or_create(&file("connections.key")).expect("a key");
    let vault = Vault::builder(store, key, &http).app(app).clock(Clock::fixed(Moment::from_micros(0))).open().await.expect("a vault");
    let begun = vault
        .begin("local", "pipedrive", connector_connections::BeginOptions::default().with_name("foo"))
        .await
        .expect("the connection begins");
    let output = cli.run(&["keys", "list"], "");
    assert_exit(&output, 0, "");
    assert!(vault.get("local", &begun.connection.id).await.is_err(), "remove the expired connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_list_connections_of_store_and_environment() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("local");
    server.post("/v1/connections", &key, r#"{"name":"waiting"}"#).await;
    let invoke = |arguments: &[&str]| -> Value {
        let all = [&["invoke", "getStage", "--input", r#"{"stageId":1}"#], arguments].concat();
        let mut command = server.command(&all);
        command.env("CONNECTOR_API_TOKEN", "t").env("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com");
        parse_outcomes(&run_with_stdin(command, b"")).remove(0)
    };
    assert_eq!(invoke(&[])["error"]["hint"], "There are: sandbox, env.", "do not offer a pending connection");
    assert_eq!(invoke(&["--connection", "sandbox"])["meta"]["connection"], "sandbox");
    let name = server.connect(&key, DEMO_API_TOKEN).await["name"].as_str().expect("a name").to_owned();
    let typo = invoke(&["--connection", "typo"]);
    assert_eq!(typo["error"]["hint"], format!("There are: {name}, sandbox, env."), "{typo}");
    let waiting = invoke(&["--connection", "waiting"]);
    assert_eq!(waiting["error"]["message"], "The connection \"waiting\" is not finished.", "{waiting}");
    assert_eq!(invoke(&[])["meta"]["connection"], name, "prefer the store to the environment");
}

#[test]
fn not_found_errors_name_the_owner() {
    let cli = CommandLine::new();
    let created = cli.run(&["keys", "create", "--owner", "acme"], "");
    assert!(created.status.success(), "{}", stderr_text(&created));
    let listed = cli.run(&["keys", "list", "--owner", "acme", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let id = listed[0]["id"].as_str().expect("an id");
    assert_eq!((&listed[0]["owner"], &listed[0]["name"]), (&json!("acme"), &json!("key")), "{listed}");
    for (arguments, words) in [
        (&["keys", "revoke", id][..], "for the owner \"local\""),
        (&["keys", "revoke", id, "--operator"], "for the operator."),
        (&["connections", "show", "x", "--owner", "acme"], "There is none yet"),
    ] {
        let output = cli.run(arguments, "");
        assert_exit(&output, 1, words);
    }
    assert_eq!(cli.run(&["keys", "revoke", id, "--owner", "acme"], "").status.code(), Some(0));
}

/// Runs a create under an idempotency key, as a line of stdin.
fn run_keyed(cli: &CommandLine, variables: &[(&str, &str)]) -> Value {
    let mut command = cli.command(&["invoke"]);
    command.envs(variables.iter().copied());
    let line = r#"{"action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "run-1"}}"#;
    parse_outcomes(&run_with_stdin(command, line.as_bytes())).remove(0)
}

#[test]
fn keys_hold_from_one_command_to_the_next_without_a_store() {
    let cli = CommandLine::new();
    assert_exit(&cli.run(&["ledger", "list", "--json"], ""), 0, "");
    assert_exit(&cli.run(&["ledger", "resolve", "run-1", "--not-done"], ""), 1, "There is no ledger yet");
    assert_exit(&cli.run(&["ledger", "resolve", "run-1"], ""), 2, "--done");
    let (first, again) = (run_keyed(&cli, &[]), run_keyed(&cli, &[]));
    assert_eq!((&again["data"]["id"], &again["meta"]["replayed"]), (&first["data"]["id"], &json!(true)), "{first} {again}");
    assert_eq!(again["meta"]["sandbox"], true, "a ledger ended the use of the embedded sandbox: {again}");
    assert!(!cli.has_file("connections.db"), "a ledger is no store of connections");
    let listed = cli.run(&["ledger", "list", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("it is JSON");
    assert_eq!(
        (listed[0]["key"].as_str(), listed[0]["state"].as_str(), listed[0]["action"].as_str()),
        (Some("run-1"), Some("done"), Some("addDeal"))
    );
    assert_eq!(String::from_utf8_lossy(&cli.run(&["ledger", "list", "--unknown"], "").stdout), "");
    assert_exit(&cli.run(&["ledger", "resolve", "run-1", "--not-done"], ""), 1, "is known");
    assert_exit(&cli.run(&["ledger", "resolve", "nope", "--done", "{}"], ""), 1, "There is no idempotency key");
    assert_exit(&cli.run(&["ledger", "resolve", "nope", "--done", "{"], ""), 2, "not JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_an_account_of_the_environment_is_that_of_its_token() {
    let url = start_sandbox(sandbox_options()).await;
    let cli = CommandLine::new();
    let run = |token: &str| run_keyed(&cli, &[("CONNECTOR_API_DOMAIN", &url), ("CONNECTOR_API_TOKEN", token)]);
    let (first, again, other) = (run(DEMO_API_TOKEN), run(DEMO_API_TOKEN), run("the token of another user"));
    assert_eq!((&first["ok"], &again["meta"]["replayed"]), (&json!(true), &json!(true)), "{first} {again}");
    assert_eq!(other["error"]["kind"], "idempotency_mismatch", "{other}");
}

#[test]
fn processes_that_send_one_key_at_once_make_one_create() {
    let cli = CommandLine::new();
    let line = r#"{"action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "run-1"}}"#;
    let running: Vec<Child> = (0..6)
        .map(|_| {
            let mut child = cli.command(&["invoke"]).spawn().expect("the program runs");
            std::io::Write::write_all(&mut child.stdin.take().expect("stdin is piped"), line.as_bytes()).expect("it reads");
            child
        })
        .collect();
    let outcomes: Vec<Value> = running.into_iter().map(|child| parse_outcomes(&wait(child)).remove(0)).collect();
    let replayed = outcomes.iter().filter(|outcome| outcome["meta"]["replayed"] == true).count();
    assert_eq!(replayed, 5, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome["data"]["id"] == outcomes[0]["data"]["id"]), "{outcomes:?}");
}
