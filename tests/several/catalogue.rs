//! Keys of several connectors on the command line and in the library.

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Catalogue, Invocation, Runtime};
use example_connector::CONNECTOR;
use serde_json::{Value, json};

use crate::support::assertions::assert_valid;
use crate::support::process::{CommandLine, Program, assert_exit, parse_outcomes, stderr_text};
use crate::support::repository::read_protocol_schema;
use crate::support::runtime::{NOWHERE, run, run_text};

fn start() -> CommandLine {
    CommandLine::with(Program::TwoConnectors)
}

fn print(cli: &CommandLine, arguments: &[&str]) -> String {
    let output = cli.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", stderr_text(&output));
    String::from_utf8(output.stdout).expect("stdout is text")
}

/// Builds a runtime of both connectors, whose one connection leads nowhere.
fn build_runtime() -> Runtime {
    let account = OneConnection::new("shop", NOWHERE, Credential::api_token("token")).expect("loopback is allowed");
    let connectors = [&pipedrive_connector::CONNECTOR, &CONNECTOR];
    Runtime::builder().connectors(&connectors).connections(account).build().expect("the runtime builds")
}

#[test]
fn manifest_of_any_connector_fits_its_schema() {
    let example = |_: &str| Some(json!({"input": {}, "data": null}));
    let manifest = Catalogue::build(&[&CONNECTOR]).expect("the catalogue builds").manifest(&CONNECTOR, example);
    assert_valid(&read_protocol_schema("manifest"), &manifest, "the manifest of larkdesk");
}

#[tokio::test]
async fn ambiguous_key_is_a_fault_that_names_both_connectors() {
    let runtime = build_runtime();
    let refused = run_text(&runtime, r#"{"action": "selectPerson", "options": {"dryRun": true}}"#).await;
    assert_eq!(refused["error"]["kind"], "invalid_invocation", "{refused}");
    assert_eq!(refused["error"]["hint"], "Give `connector`: larkdesk or pipedrive.");
    for (connector, path) in [("larkdesk", "/v1/people"), ("pipedrive", "/api/v2/persons")] {
        let invocation = json!({"connector": connector, "action": "selectPerson", "options": {"dryRun": true}});
        let outcome = run_text(&runtime, invocation.to_string()).await;
        assert_eq!(outcome["data"][0]["url"], format!("{NOWHERE}{path}"), "{outcome}");
    }
    // A key that one connector has needs no name.
    let outcome = run(&runtime, Invocation::new("getTicket").input(json!({"ticketId": 1})).dry_run()).await;
    assert_eq!(outcome["data"][0]["url"], format!("{NOWHERE}/v1/tickets/1"), "{outcome}");
}

#[tokio::test]
async fn key_of_another_connector_is_unknown() {
    let invocation = Invocation::new("deletePerson").connector("larkdesk").input(json!({"personId": 1}));
    let outcome = run(&build_runtime(), invocation).await;
    assert_eq!(outcome["error"]["kind"], "unknown_action", "{outcome}");
    let hint = outcome["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("deleteTicket") && !hint.contains("deletePerson"), "name keys of the connector alone: {hint}");
}

#[test]
fn command_line_takes_connector_and_action() {
    let cli = start();
    let invoke = |arguments: &[&str]| -> Value {
        let all = [&["invoke"], arguments, &["--dry-run"]].concat();
        parse_outcomes(&cli.run(&all, "")).remove(0)
    };
    let bare = invoke(&["selectPerson"]);
    assert_eq!(
        (&bare["error"]["kind"], &bare["error"]["message"]),
        (&json!("invalid_invocation"), &json!("Several connectors have selectPerson."))
    );
    for arguments in [&["pipedrive/selectPerson"][..], &["selectPerson", "--connector", "pipedrive"]] {
        let outcome = invoke(arguments);
        assert_eq!(outcome["data"][0]["url"], "http://127.0.0.1/api/v2/persons", "{outcome}");
        assert_eq!(outcome["action"], "selectPerson", "the outcome repeats the key alone");
    }
    // The same word twice is no contradiction, two words are.
    assert_eq!(invoke(&["pipedrive/selectPerson", "--connector", "pipedrive"])["ok"], true);
    let output = cli.run(&["invoke", "pipedrive/selectPerson", "--connector", "larkdesk"], "");
    assert_exit(&output, 2, "name two connectors");
    let unknown = invoke(&["lark/selectPerson"]);
    assert_eq!(unknown["error"]["hint"], "Linked in: pipedrive, larkdesk.", "{unknown}");
}

#[test]
fn catalogue_commands_ask_for_the_connector_only_where_it_is_ambiguous() {
    let cli = start();
    assert!(print(&cli, &["describe", "getTicket"]).contains("GET /v1/tickets/{ticket_id}"));
    let output = cli.run(&["describe", "selectPerson"], "");
    assert_exit(&output, 2, "larkdesk or pipedrive");
    for arguments in
        [&["describe", "larkdesk/selectPerson", "--json"][..], &["describe", "selectPerson", "--connector", "larkdesk", "--json"]]
    {
        let described: Value = serde_json::from_str(&print(&cli, arguments)).expect("JSON");
        assert_eq!((&described["type"], &described["description"]), (&json!("picklist"), &json!("Select a person by the email address.")));
        assert_eq!(described["example"]["data"][0]["key"], "ada@north.example", "show the example of this connector");
    }
    let described: Value = serde_json::from_str(&print(&cli, &["describe", "pipedrive/selectPerson", "--json"])).expect("JSON");
    assert!(described["example"]["data"][0]["key"].as_str().is_some_and(|key| key.parse::<u64>().is_ok()), "{described}");

    let all = print(&cli, &["list"]);
    assert!(all.lines().any(|line| line.starts_with("larkdesk/selectPerson\t")), "say whose key it is: {all}");
    assert!(all.lines().any(|line| line.starts_with("pipedrive/selectPerson\t")), "{all}");
    assert_eq!(print(&cli, &["list", "--connector", "larkdesk"]).lines().count(), 14);
    assert_exit(&cli.run(&["list", "--connector", "lark"], ""), 2, "Linked in: pipedrive, larkdesk.");

    let output = cli.run(&["manifest"], "");
    assert_exit(&output, 2, "`pipedrive` or `larkdesk`");
    for arguments in [&["manifest", "larkdesk"][..], &["manifest", "--connector", "larkdesk"]] {
        let manifest: Value = serde_json::from_str(&print(&cli, arguments)).expect("JSON");
        assert_eq!((&manifest["connector"]["key"], manifest["actions"].as_array().map(Vec::len)), (&json!("larkdesk"), Some(11)));
    }
}
