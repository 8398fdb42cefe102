//! Accounts of several connectors on the command line: their settings, connections and defaults.

use example_connector::server::{NORTH_TOKEN, SOUTH_TOKEN};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::{Value, json};

use crate::support::example::start_larkdesk;
use crate::support::process::{CommandLine, Program, assert_exit, parse_outcomes, run_with_stdin, stderr_text};
use crate::support::sandbox::start_sandbox;

const GET_TICKET: [&str; 4] = ["invoke", "getTicket", "--input", r#"{"ticketId": 1}"#];
const GET_STAGE: [&str; 4] = ["invoke", "getStage", "--input", r#"{"stageId": 1}"#];

fn start() -> CommandLine {
    CommandLine::with(Program::TwoConnectors)
}

/// Runs an invocation under variables of its own, and returns its outcome.
fn invoke(cli: &CommandLine, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    parse_outcomes(&cli.run_with(variables, arguments)).remove(0)
}

/// Connects an account by an API token, and returns what the command prints.
fn connect(cli: &CommandLine, variables: &[(&str, &str)], arguments: &[&str], token: &str) -> Value {
    let mut command = cli.command(&[&["connect", "--api-token", "-"], arguments].concat());
    command.envs(variables.iter().copied());
    let output = run_with_stdin(command, token.as_bytes());
    assert_exit(&output, 0, "");
    serde_json::from_slice(&output.stdout).expect("connect prints the connection")
}

#[test]
fn action_of_another_connector_never_uses_the_embedded_sandbox() {
    let cli = start();
    let outcome = invoke(&cli, &[], &GET_TICKET);
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["requests"]), (&json!("no_connection"), &json!(0)), "{outcome}");
    assert_eq!(
        (outcome["error"]["message"].as_str(), outcome["error"]["hint"].as_str()),
        (
            Some("No account of Larkdesk is set up. The embedded sandbox stands in for Pipedrive alone."),
            Some("`connector connect --connector larkdesk` connects one; or set CONNECTOR_LARKDESK_API_TOKEN."),
        )
    );
    let named = invoke(&cli, &[], &[&GET_TICKET[..], &["--connection", "sandbox"]].concat());
    assert_eq!(named["error"]["kind"], "no_connection", "{named}");
    assert!(!cli.has_file("sandbox.json"), "start no sandbox");
    let outcome = invoke(&cli, &[], &GET_STAGE);
    assert_eq!(outcome["meta"]["sandbox"], true, "the connector of the sandbox still uses it: {outcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_sandbox_serves_its_own_connector_alone() {
    let cli = start();
    let sandbox = start_sandbox(Options::default()).await;
    for name in ["CONNECTOR_SANDBOX", "CONNECTOR_PIPEDRIVE_SANDBOX"] {
        let variables = [(name, sandbox.as_str())];
        assert_eq!(invoke(&cli, &variables, &GET_STAGE)["meta"]["connection"], "sandbox", "{name}");
        let refused = invoke(&cli, &variables, &GET_TICKET);
        assert_eq!((&refused["error"]["kind"], &refused["meta"]["requests"]), (&json!("no_connection"), &json!(0)), "{name}: {refused}");
        let named = invoke(&cli, &variables, &[&GET_TICKET[..], &["--connection", "sandbox"]].concat());
        assert_eq!(named["error"]["message"], "There is no connection \"sandbox\" of Larkdesk.", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connector_reads_its_own_settings() {
    let cli = start();
    let (larkdesk, sandbox) = (start_larkdesk().await, start_sandbox(Options::default()).await);
    let of_larkdesk = [("CONNECTOR_LARKDESK_API_TOKEN", NORTH_TOKEN), ("CONNECTOR_LARKDESK_SANDBOX", larkdesk.url())];
    let all = [&of_larkdesk[..], &[("CONNECTOR_API_TOKEN", DEMO_API_TOKEN), ("CONNECTOR_API_DOMAIN", sandbox.as_str())]].concat();
    let outcome = invoke(&cli, &all, &GET_TICKET);
    assert_eq!((&outcome["data"]["subject"], &outcome["meta"]["connection"]), (&json!("Cannot sign in"), &json!("env")), "{outcome}");
    let outcome = invoke(&cli, &all, &GET_STAGE);
    assert_eq!((&outcome["data"]["id"], &outcome["meta"]["connection"]), (&json!(1), &json!("env")), "{outcome}");
    // An account of one connector is none of the other, and leaves the embedded sandbox unused.
    let refused = invoke(&cli, &of_larkdesk, &GET_STAGE);
    assert_eq!(refused["error"]["kind"], "no_connection", "{refused}");
    assert!(!cli.has_file("sandbox.json"), "start no sandbox beside an account");

    for (variables, words) in [
        (
            &[("CONNECTOR_LARKDESK_API_TOKEN", "hunter2"), ("CONNECTOR_LARKDESK_API_DOMAIN", "https://acme.pipedrive.com")][..],
            "is no host of Larkdesk",
        ),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://acme.larkdesk.example")], "is no host of Pipedrive"),
        (&[("CONNECTOR_CLIENT_ID", "one"), ("CONNECTOR_PIPEDRIVE_CLIENT_ID", "two")], "differ"),
        (&[("CONNECTOR_SANDBOX", "http://127.0.0.1:1"), ("CONNECTOR_PIPEDRIVE_SANDBOX", "http://127.0.0.1:2")], "differ"),
    ] {
        let output = cli.run_with(variables, &GET_TICKET);
        assert_exit(&output, 2, words);
        assert!(!stderr_text(&output).contains("hunter2"), "do not show a token");
    }
    let output = cli.run_with(&[("CONNECTOR_LARKDESK_CLIENT_ID", "one")], &["keys", "create"]);
    assert_exit(&output, 2, "set both CONNECTOR_LARKDESK_CLIENT_ID and CONNECTOR_LARKDESK_CLIENT_SECRET, or neither");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_one_run_go_each_to_the_account_of_their_connector() {
    let cli = start();
    let (larkdesk, sandbox) = (start_larkdesk().await, start_sandbox(Options::default()).await);
    let variables = [
        ("CONNECTOR_LARKDESK_API_TOKEN", NORTH_TOKEN),
        ("CONNECTOR_LARKDESK_SANDBOX", larkdesk.url()),
        ("CONNECTOR_API_TOKEN", DEMO_API_TOKEN),
        ("CONNECTOR_API_DOMAIN", sandbox.as_str()),
    ];
    let lines = [
        json!({"id": 1, "connector": "larkdesk", "action": "createTicket", "input": {"subject": "New", "requesterEmail": "ada@north.example"}}),
        json!({"id": 2, "connector": "pipedrive", "action": "getStage", "input": {"stageId": 1}}),
        json!({"id": 3, "connector": "larkdesk", "action": "selectPerson", "input": {}}),
        json!({"id": 4, "connector": "pipedrive", "action": "selectPerson", "input": {}}),
    ];
    let mut command = cli.command(&["invoke"]);
    command.envs(variables);
    let text = lines.map(|line| line.to_string()).join("\n");
    let mut outcomes = parse_outcomes(&run_with_stdin(command, text.as_bytes()));
    outcomes.sort_by_key(|outcome| outcome["id"].as_u64());
    assert!(outcomes.iter().all(|outcome| outcome["ok"] == true && outcome["meta"]["connection"] == "env"), "{outcomes:?}");
    assert_eq!((&outcomes[0]["data"]["id"], &outcomes[1]["data"]["id"]), (&json!(4), &json!(1)));
    assert_eq!(outcomes[2]["data"][0], json!({"key": "ada@north.example", "label": "Ada Berg"}));
    assert!(outcomes[3]["data"][0]["key"].as_str().is_some_and(|key| key.parse::<u64>().is_ok()), "{}", outcomes[3]);
    let mut requests = larkdesk.requests();
    requests.sort();
    assert_eq!(requests, ["GET /v1/people", "POST /v1/tickets"], "nothing of another vendor comes here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_and_defaults_are_those_of_a_connector() {
    let cli = start();
    let (larkdesk, sandbox) = (start_larkdesk().await, start_sandbox(Options { companies: 3, ..Options::default() }).await);
    let variables = [("CONNECTOR_SANDBOX", sandbox.as_str()), ("CONNECTOR_LARKDESK_SANDBOX", larkdesk.url())];
    // One host serves all accounts, so that the connector's name suffices.
    let first = connect(&cli, &variables, &["--connector", "larkdesk", "--name", "desk"], NORTH_TOKEN);
    assert_eq!((&first["app"], &first["metadata"]["company"]["name"]), (&json!("larkdesk"), &json!("North")), "{first}");
    // The host of the account says which connector is meant.
    let other = connect(&cli, &variables, &["--api-domain", &sandbox, "--name", "desk"], DEMO_API_TOKEN);
    assert_eq!(other["app"], "pipedrive", "two connectors may have connections of one name: {other}");

    assert_eq!(invoke(&cli, &variables, &GET_TICKET)["data"]["subject"], "Cannot sign in");
    assert_eq!(invoke(&cli, &variables, &GET_STAGE)["meta"]["connection"], "desk");
    let run = |arguments: &[&str]| cli.run_with(&variables, arguments);
    assert_exit(&run(&["connections", "show", "desk"]), 2, "name its connector with --connector, `larkdesk` or `pipedrive`");
    let shown: Value = serde_json::from_slice(&run(&["connections", "show", "desk", "--connector", "larkdesk"]).stdout).expect("JSON");
    assert_eq!(shown["connection_id"], first["connection_id"]);
    let by_id: Value =
        serde_json::from_slice(&run(&["connections", "show", other["connection_id"].as_str().expect("an id")]).stdout).expect("JSON");
    assert_eq!(by_id["app"], "pipedrive", "an id names one connection");

    // A default of one connector is none of another.
    let second = connect(&cli, &variables, &["--api-domain", larkdesk.url(), "--name", "south"], SOUTH_TOKEN);
    assert_eq!((&second["app"], &second["metadata"]["company"]["name"]), (&json!("larkdesk"), &json!("South")), "{second}");
    let unclear = invoke(&cli, &variables, &GET_TICKET);
    assert_eq!(unclear["error"]["hint"], "There are: desk, south.", "{unclear}");
    assert_exit(&run(&["connections", "default", "south"]), 0, "");
    assert_eq!(invoke(&cli, &variables, &GET_TICKET)["data"]["subject"], "Phone rings twice");
    assert_eq!(invoke(&cli, &variables, &GET_STAGE)["meta"]["connection"], "desk");
    let listed = String::from_utf8(run(&["connections", "list"]).stdout).expect("text");
    let apps: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').nth(3)).collect();
    assert_eq!(apps, ["larkdesk", "pipedrive", "larkdesk"], "{listed}");
    let listed = String::from_utf8(run(&["connections", "list", "--connector", "pipedrive"]).stdout).expect("text");
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn connect_asks_for_the_connector_only_where_it_is_ambiguous() {
    let cli = start();
    let client = |key: &'static str| [(format!("CONNECTOR_{key}CLIENT_ID"), "id"), (format!("CONNECTOR_{key}CLIENT_SECRET"), "secret")];
    let run = |variables: &[(String, &str)], arguments: &[&str]| {
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        cli.run_with(&variables, arguments)
    };
    assert_exit(&run(&[], &["connect"]), 2, "no app of Pipedrive or Larkdesk is set up here: set CONNECTOR_PUBLIC_URL");
    assert_exit(&run(&[client("").to_vec(), client("LARKDESK_").to_vec()].concat(), &["connect"]), 2, "name one with --connector");
    assert_exit(
        &run(&[], &["connect", "--connector", "larkdesk"]),
        2,
        "no app of Larkdesk is set up here: set CONNECTOR_LARKDESK_CLIENT_ID",
    );
    assert_exit(&run(&[], &["connect", "--connector", "lark"]), 2, "Linked in: pipedrive, larkdesk.");
    // A host of one vendor says which one is meant. The token on stdin is empty, so that nothing is connected.
    let token = ["connect", "--api-token", "-", "--api-domain"];
    assert_exit(&run(&[], &[&token[..], &["https://api.larkdesk.example"]].concat()), 2, "stdin holds no API token");
    assert_exit(&run(&[], &[&token[..], &["https://acme.vendor.example"]].concat()), 2, "is no host of Pipedrive or Larkdesk");
    assert_exit(
        &run(&[], &[&token[..], &["https://api.larkdesk.example", "--connector", "pipedrive"]].concat()),
        2,
        "is no host of Pipedrive",
    );
    assert_exit(&run(&[], &["connect", "--api-token", "-"]), 2, "name one with --connector");
    assert_eq!(std::fs::read_dir(cli.folder.path()).expect("the folder can be listed").count(), 0, "wrong usage must create no file");
}
