//! Vendors with one host for all accounts: a token alone, a client without a secret, an API that is open to all.

use serde_json::{Value, json};

use crate::support::plain::{PLAIN_CONNECTORS, WITHOUT_OAUTH, start_plain_vendor};
use crate::support::process::{CommandLine, Program, assert_exit, parse_outcomes, read_arguments, run_with_stdin, stderr_text};
use crate::support::server::Server;

const TOKEN: &str = "hunter2-of-the-ferry";

/// Becomes the program of these vendors, if another test started this process as that.
#[test]
fn program_of_plain_vendors() {
    if let Some(arguments) = read_arguments() {
        std::process::exit(connector_host::run(&PLAIN_CONNECTORS, arguments).into());
    }
    assert_eq!(PLAIN_CONNECTORS.len(), 2, "link two connectors, none of which has a sandbox");
}

/// Becomes the program of vendors without OAuth, if another test started this process as that.
#[test]
fn program_of_vendors_without_oauth() {
    if let Some(arguments) = read_arguments() {
        std::process::exit(connector_host::run(&WITHOUT_OAUTH, arguments).into());
    }
    assert_eq!(WITHOUT_OAUTH.len(), 2, "link two connectors");
}

fn start() -> CommandLine {
    CommandLine::with(Program::PlainVendors)
}

/// Runs an invocation under variables of its own, and returns its outcome.
fn invoke(cli: &CommandLine, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    parse_outcomes(&cli.run_with(variables, &[&["invoke"], arguments].concat())).remove(0)
}

fn connect(cli: &CommandLine, variables: &[(&str, &str)], arguments: &[&str]) -> std::process::Output {
    let mut command = cli.command(&[&["connect", "--api-token", "-"], arguments].concat());
    command.envs(variables.iter().copied());
    run_with_stdin(command, TOKEN.as_bytes())
}

/// The answer of the vendor to a request with the token.
fn with_token() -> Value {
    json!({"scheme": "bearer", "lengths": ["bearer".len(), TOKEN.len()]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_of_the_environment_goes_to_the_host_of_all_accounts() {
    let cli = start();
    let planned = invoke(&cli, &[("CONNECTOR_FERRY_API_TOKEN", TOKEN)], &["getCrossings", "--dry-run"]);
    let request = &planned["data"][0];
    assert_eq!((&request["url"], &planned["meta"]["connection"]), (&json!("https://api.ferry.example/v1/all"), &json!("env")), "{planned}");
    assert_eq!(request["headers"], json!({"authorization": "[redacted]"}));
    let vendor = start_plain_vendor().await;
    for name in ["CONNECTOR_FERRY_SANDBOX", "CONNECTOR_FERRY_API_DOMAIN"] {
        let outcome = invoke(&cli, &[("CONNECTOR_FERRY_API_TOKEN", TOKEN), (name, &vendor)], &["getCrossings"]);
        assert_eq!(outcome["data"], with_token(), "{outcome}");
    }
    let missing = invoke(&cli, &[], &["getCrossings"]);
    assert_eq!(
        (&missing["error"]["kind"], &missing["error"]["hint"]),
        (&json!("no_connection"), &json!("`connector connect --connector ferry` connects one; or set CONNECTOR_FERRY_API_TOKEN."))
    );
    let output = cli.run_with(&[("CONNECTOR_FERRY_API_DOMAIN", "https://api.ferry.example")], &["invoke", "getCrossings"]);
    assert_exit(&output, 2, "CONNECTOR_FERRY_API_DOMAIN needs CONNECTOR_FERRY_API_TOKEN, an API token of that account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_needs_no_domain_and_says_that_a_token_was_not_checked() {
    let cli = start();
    let vendor = start_plain_vendor().await;
    let variables = [("CONNECTOR_FERRY_SANDBOX", vendor.as_str())];
    // One host says nothing about a token: it may be that of another vendor.
    assert_exit(&connect(&cli, &variables, &[]), 2, "name one with --connector");
    let output = connect(&cli, &variables, &["--connector", "ferry", "--name", "pier"]);
    assert_exit(&output, 0, "Ferry does not tell which account a token belongs to: the token was stored, and not checked.");
    let made: Value = serde_json::from_slice(&output.stdout).expect("connect prints the connection");
    assert_eq!((&made["name"], &made["metadata"]["api_domain"]), (&json!("pier"), &json!(vendor)), "{made}");
    let outcome = invoke(&cli, &variables, &["getCrossings"]);
    assert_eq!((&outcome["data"], &outcome["meta"]["connection"]), (&with_token(), &json!("pier")), "{outcome}");
    assert!(!stderr_text(&output).contains(TOKEN), "do not show a token");
}

#[test]
fn client_without_a_secret_is_set_by_its_id_alone() {
    let cli = start();
    assert_exit(&cli.run(&["connect", "--connector", "ferry"], ""), 2, "set CONNECTOR_FERRY_CLIENT_ID, or connect by an API token");
    assert_exit(
        &cli.run(&["connect"], ""),
        2,
        "no app of Ferry is set up here: set CONNECTOR_PUBLIC_URL, and CONNECTOR_FERRY_CLIENT_ID for",
    );
    for variables in
        [&[("CONNECTOR_FERRY_CLIENT_ID", "c"), ("CONNECTOR_FERRY_CLIENT_SECRET", TOKEN)][..], &[("CONNECTOR_FERRY_CLIENT_SECRET", TOKEN)]]
    {
        let output = cli.run_with(variables, &["keys", "create"]);
        let words = "clients of Ferry have no secret: set CONNECTOR_FERRY_CLIENT_ID alone, without CONNECTOR_FERRY_CLIENT_SECRET";
        assert_exit(&output, 2, words);
        assert!(!stderr_text(&output).contains(TOKEN), "do not show a secret");
    }
    assert_exit(&cli.run_with(&[("CONNECTOR_FERRY_CLIENT_ID", "c")], &["keys", "create"]), 0, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_api_needs_no_connection() {
    let cli = start();
    let assert_planned = || {
        let planned = invoke(&cli, &[], &["getTides", "--dry-run"]);
        assert_eq!(planned["data"][0]["url"], "https://api.tides.example/v1/all", "{planned}");
        assert_eq!((&planned["data"][0]["headers"], &planned["meta"]["connection"]), (&json!({}), &json!("open")), "{planned}");
    };
    assert_planned();
    assert_exit(&cli.run(&["keys", "create"], ""), 0, "");
    // With a store it is the same.
    assert_planned();
    let vendor = start_plain_vendor().await;
    let outcome = invoke(&cli, &[("CONNECTOR_TIDES_API_DOMAIN", &vendor)], &["getTides"]);
    assert_eq!(outcome["data"], json!({"scheme": null, "lengths": null}), "send no credential: {outcome}");
    for arguments in [&["connect", "--connector", "tides"][..], &["connect", "--api-token", "-", "--connector", "tides"]] {
        assert_exit(&cli.run(arguments, TOKEN), 2, "the API of Tides is open to all: its actions need no connection");
    }
    let output = cli.run_with(&[("CONNECTOR_TIDES_API_TOKEN", TOKEN)], &["invoke", "getTides"]);
    assert_exit(&output, 2, "CONNECTOR_TIDES_API_TOKEN: the API of Tides is open to all, and takes no token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_serves_vendors_without_oauth_and_without_credentials() {
    let vendor = start_plain_vendor().await;
    let server = Server::start_of_plain_vendors(Program::PlainVendors, &vendor).0;
    let key = server.create_key("acme");
    let planned = server.invoke(&key, r#"{"action": "getTides", "options": {"dryRun": true}}"#).await;
    assert_eq!(planned["data"][0]["url"], "https://api.tides.example/v1/all", "{planned}");

    let begin = async |body: Value| server.post("/v1/connections", &key, body.to_string()).await;
    let unnamed = begin(json!({"api_token": TOKEN})).await;
    assert_eq!((unnamed.status, &unnamed.json()["error"]["hint"]), (400, &json!("Name one as the member app: ferry or tides.")));
    let made = begin(json!({"app": "ferry", "api_token": TOKEN})).await;
    assert_eq!((made.status, &made.json()["connection"]["metadata"]["api_domain"]), (201, &json!(vendor)), "{}", made.text());
    assert_eq!(server.invoke(&key, r#"{"action": "getCrossings"}"#).await["data"], with_token());
    assert_eq!(server.get("/gateway/ferry/v1/all", &key).await.json(), with_token());
    let lacking = begin(json!({"app": "ferry", "method": "API_KEY"})).await;
    assert_eq!(lacking.json()["error"]["message"], "A connection by API_KEY takes api_token.", "{}", lacking.text());
    for body in [json!({"app": "tides"}), json!({"app": "tides", "api_token": TOKEN})] {
        let refused = begin(body).await;
        assert_eq!(refused.json()["error"]["hint"], "Its API is open to all: no connection is needed.", "{}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vendors_without_oauth_are_not_asked_for_a_client() {
    let cli = CommandLine::with(Program::WithoutOAuth);
    assert_exit(&cli.run(&["connect"], ""), 2, "no vendor here has OAuth: connect by an API token");
    assert_exit(&cli.run(&["connect", "--connector", "kiosk"], ""), 2, "Kiosk has no OAuth: connect by an API token");
    let vendor = start_plain_vendor().await;
    let outcome = invoke(&cli, &[("CONNECTOR_KIOSK_API_TOKEN", TOKEN), ("CONNECTOR_KIOSK_SANDBOX", &vendor)], &["getPapers"]);
    assert_eq!(outcome["data"], json!({"scheme": "token", "lengths": ["token".len(), TOKEN.len()]}), "{outcome}");

    let (server, messages) = Server::start_of_plain_vendors(Program::WithoutOAuth, &vendor);
    assert!(!messages.contains("No app of"), "{messages}");
    let refused = server.post("/v1/connections", &server.create_key("acme"), "{}").await.json();
    assert_eq!(
        (&refused["error"]["message"], &refused["error"]["hint"]),
        (&json!("No vendor of this host has OAuth."), &json!("Connect an account by an API token."))
    );
}
