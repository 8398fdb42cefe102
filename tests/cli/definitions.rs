//! Lists that accounts define, over several processes: they share what one of them read.

use std::path::Path;
use std::process::Child;

use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::{Value, json};

use crate::support::process::{CommandLine, parse_outcomes, run_with_stdin, wait};
use crate::support::sandbox::{sandbox_options, start_sandbox};

/// Starts a sandbox that records what it is asked.
async fn start_recording(folder: &Path) -> String {
    start_sandbox(Options { record_file: Some(folder.join("traffic.jsonl")), ..sandbox_options() }).await
}

/// Counts the requests of an action that were recorded, and those of them that were made for another one.
fn count_requests(folder: &Path, path: &str) -> usize {
    let traffic = std::fs::read_to_string(folder.join("traffic.jsonl")).expect("the sandbox recorded it");
    let lines = traffic.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter(|line| line["url"].as_str().is_some_and(|url| url.contains(path))).count()
}

/// Runs data sources that need one list, in so many processes at once. Returns their outcomes.
fn run_at_once(cli: &CommandLine, variables: &[(&str, &str)], processes: usize) -> Vec<Value> {
    let lines = ["selectDealField", "selectDealCustomField", "selectDealDateField"].map(|key| json!({"action": key}).to_string() + "\n");
    let running: Vec<Child> = (0..processes)
        .map(|_| {
            let mut command = cli.command(&["invoke"]);
            let mut child = command.envs(variables.iter().copied()).spawn().expect("the program runs");
            std::io::Write::write_all(&mut child.stdin.take().expect("stdin is piped"), lines.concat().as_bytes()).expect("it reads");
            child
        })
        .collect();
    let outcomes: Vec<Value> = running.into_iter().flat_map(|child| parse_outcomes(&wait(child))).collect();
    assert!(outcomes.len() == 3 * processes && outcomes.iter().all(|outcome| outcome["ok"] == true), "{outcomes:?}");
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_read_the_fields_of_a_connection_once() {
    let folder = tempfile::tempdir().expect("a folder can be created");
    let url = start_recording(folder.path()).await;
    for (at, has_store) in [false, true].into_iter().enumerate() {
        let cli = CommandLine::new();
        let store = cli.file("shared.db");
        let environment = [("CONNECTOR_API_DOMAIN", &*url), ("CONNECTOR_API_TOKEN", DEMO_API_TOKEN)];
        let variables = if has_store {
            let mut command = cli.command(&["connect", "--api-token", "-", "--api-domain", &url, "--name", "acme"]);
            command.envs([("CONNECTOR_STORE", &*store), ("CONNECTOR_SANDBOX", &url)]);
            let connected = run_with_stdin(command, DEMO_API_TOKEN.as_bytes());
            assert!(connected.status.success(), "{}", String::from_utf8_lossy(&connected.stderr));
            vec![("CONNECTOR_STORE", &*store), ("CONNECTOR_SANDBOX", &*url)]
        } else {
            environment.to_vec()
        };
        let first = run_at_once(&cli, &variables, 4);
        assert_eq!(count_requests(folder.path(), "/dealFields"), at + 1, "four processes read one list: {first:?}");
        // The cost of the one read is in one outcome, and in no other.
        let requests = |outcomes: &[Value]| outcomes.iter().filter_map(|outcome| outcome["meta"]["requests"].as_u64()).sum::<u64>();
        assert_eq!(requests(&first), 1, "{first:?}");
        let later = run_at_once(&cli, &variables, 1);
        assert_eq!((requests(&later), count_requests(folder.path(), "/dealFields")), (0, at + 1), "{later:?}");
        assert_eq!(later[0]["data"], first[0]["data"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_two_tokens_share_no_list() {
    let folder = tempfile::tempdir().expect("a folder can be created");
    let url = start_recording(folder.path()).await;
    let cli = CommandLine::new();
    run_at_once(&cli, &[("CONNECTOR_API_DOMAIN", &url), ("CONNECTOR_API_TOKEN", DEMO_API_TOKEN)], 1);
    let mut command = cli.command(&["invoke", "selectDealField"]);
    command.envs([("CONNECTOR_API_DOMAIN", &*url), ("CONNECTOR_API_TOKEN", "the token of another user")]);
    let refused = parse_outcomes(&run_with_stdin(command, b"")).remove(0);
    assert_eq!(refused["error"]["kind"], "unauthorized", "a list was given to another account: {refused}");
}
