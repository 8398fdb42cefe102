//! Keys of several connectors on the command line and in the library.

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use serde_json::{Value, json};

use crate::support::bakery::CONNECTOR;
use crate::support::process::{CommandLine, Program, assert_exit, parse_outcomes, stderr_text};
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

#[tokio::test]
async fn ambiguous_key_is_a_fault_that_names_both_connectors() {
    let runtime = build_runtime();
    let refused = run_text(&runtime, r#"{"action": "getCurrencies", "options": {"dryRun": true}}"#).await;
    assert_eq!(refused["error"]["kind"], "invalid_invocation", "{refused}");
    assert_eq!(refused["error"]["hint"], "Give `connector`: bakery or pipedrive.");
    for (connector, path) in [("bakery", "/v1/currencies"), ("pipedrive", "/api/v1/currencies")] {
        let invocation = json!({"connector": connector, "action": "getCurrencies", "options": {"dryRun": true}});
        let outcome = run_text(&runtime, invocation.to_string()).await;
        assert_eq!(outcome["data"][0]["url"], format!("{NOWHERE}{path}"), "{outcome}");
    }
    // A key that one connector has needs no name.
    let outcome = run(&runtime, Invocation::new("getOrder").input(json!({"orderId": 1})).dry_run()).await;
    assert_eq!(outcome["data"][0]["url"], format!("{NOWHERE}/v1/orders/1"), "{outcome}");
}

#[tokio::test]
async fn key_of_another_connector_is_unknown() {
    let invocation = Invocation::new("getDeal").connector("bakery").input(json!({"dealId": 1}));
    let outcome = run(&build_runtime(), invocation).await;
    assert_eq!(outcome["error"]["kind"], "unknown_action", "{outcome}");
    let hint = outcome["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("getOrder") && !hint.contains("getDeal"), "name keys of the connector alone: {hint}");
}

#[test]
fn command_line_takes_connector_and_action() {
    let cli = start();
    let invoke = |arguments: &[&str]| -> Value {
        let all = [&["invoke"], arguments, &["--dry-run"]].concat();
        parse_outcomes(&cli.run(&all, "")).remove(0)
    };
    let bare = invoke(&["getCurrencies"]);
    assert_eq!(
        (&bare["error"]["kind"], &bare["error"]["message"]),
        (&json!("invalid_invocation"), &json!("Several connectors have getCurrencies."))
    );
    for arguments in [&["pipedrive/getCurrencies"][..], &["getCurrencies", "--connector", "pipedrive"]] {
        let outcome = invoke(arguments);
        assert_eq!(outcome["data"][0]["url"], "http://127.0.0.1/api/v1/currencies", "{outcome}");
        assert_eq!(outcome["action"], "getCurrencies", "the outcome repeats the key alone");
    }
    // The same word twice is no contradiction, two words are.
    assert_eq!(invoke(&["pipedrive/getCurrencies", "--connector", "pipedrive"])["ok"], true);
    let output = cli.run(&["invoke", "pipedrive/getCurrencies", "--connector", "bakery"], "");
    assert_exit(&output, 2, "name two connectors");
    let unknown = invoke(&["bread/getCurrencies"]);
    assert_eq!(unknown["error"]["hint"], "Linked in: pipedrive, bakery.", "{unknown}");
}

#[test]
fn catalogue_commands_ask_for_the_connector_only_where_it_is_ambiguous() {
    let cli = start();
    assert!(print(&cli, &["describe", "getOrder"]).contains("GET /v1/orders/{order_id}"));
    let output = cli.run(&["describe", "getCurrencies"], "");
    assert_exit(&output, 2, "bakery or pipedrive");
    for arguments in
        [&["describe", "bakery/getCurrencies", "--json"][..], &["describe", "getCurrencies", "--connector", "bakery", "--json"]]
    {
        let described: Value = serde_json::from_str(&print(&cli, arguments)).expect("JSON");
        assert_eq!(described["endpoint"]["path"], "/v1/currencies");
        assert_eq!(described["example"]["data"], json!([{"code": "BUN"}]), "show the example of this connector");
    }
    let described: Value = serde_json::from_str(&print(&cli, &["describe", "pipedrive/getCurrencies", "--json"])).expect("JSON");
    assert!(described["example"]["data"][0]["is_custom_flag"].is_boolean(), "{described}");

    let all = print(&cli, &["list"]);
    assert!(all.lines().any(|line| line.starts_with("bakery/getCurrencies\t")), "say whose key it is: {all}");
    assert!(all.lines().any(|line| line.starts_with("pipedrive/getCurrencies\t")), "{all}");
    assert_eq!(print(&cli, &["list", "--connector", "bakery"]).lines().count(), 2);
    assert_exit(&cli.run(&["list", "--connector", "bread"], ""), 2, "Linked in: pipedrive, bakery.");

    let output = cli.run(&["manifest"], "");
    assert_exit(&output, 2, "`pipedrive` or `bakery`");
    for arguments in [&["manifest", "bakery"][..], &["manifest", "--connector", "bakery"]] {
        let manifest: Value = serde_json::from_str(&print(&cli, arguments)).expect("JSON");
        assert_eq!((&manifest["connector"]["key"], manifest["actions"].as_array().map(Vec::len)), (&json!("bakery"), Some(2)));
    }
}
