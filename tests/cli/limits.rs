//! Batches before a sandbox with limits, which by its own counts refuses nothing.

use std::process::Command;

use connector_connections::{App, Key, Store, Vault};
use connector_core::run::Http;
use serde_json::{Value, json};

use crate::support::process::{CommandLine, parse_outcomes, run_with_stdin, stderr_text};
use crate::support::sandbox::SandboxProcess;

/// The window of all sandboxes here, and its limit.
pub(super) const LIMIT: [&str; 2] = ["--burst-limit", "24/100ms"];

/// The arguments of a batch of many jobs.
pub(super) const BATCH: &[&str] = &["invoke", "--jobs", "64", "--unordered"];

/// Runs invocations as a batch of many jobs, and returns their outcomes, each of which is ok.
fn run_batch(cli: &CommandLine, sandbox: &SandboxProcess, lines: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut command = cli.command(BATCH);
    command.env("CONNECTOR_SANDBOX", &sandbox.url);
    finish_batch(command, lines)
}

pub(super) fn finish_batch(command: Command, lines: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let output = run_with_stdin(command, write_lines(lines).as_bytes());
    let outcomes = parse_outcomes(&output);
    let failed: Vec<&Value> = outcomes.iter().filter(|outcome| outcome["ok"] != true).collect();
    assert!(failed.is_empty(), "{} calls failed, as {}\n{}", failed.len(), failed[0], stderr_text(&output));
    outcomes
}

pub(super) fn write_lines(lines: impl IntoIterator<Item = Value>) -> String {
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

/// Stops a sandbox, and checks what it let through of each lane, and that it refused nothing.
#[track_caller]
pub(super) fn assert_kept(sandbox: SandboxProcess, taken: &[(&str, usize)]) {
    let said = sandbox.stop();
    for (lane, number) in taken {
        let start = format!("Limits, {lane}: {number} requests, 0 refused, fullest window ");
        assert!(said.lines().any(|line| line.starts_with(&start) && line.ends_with(", windows exceeded 0")), "{start:?}: {said}");
    }
    assert_eq!(said.lines().count(), taken.len(), "{said}");
}

fn sum_of_waits<'a>(outcomes: impl IntoIterator<Item = &'a Value>) -> u64 {
    outcomes.into_iter().map(|outcome| outcome["meta"]["queuedMs"].as_u64().unwrap_or_default()).sum()
}

#[test]
fn batch_of_many_jobs_waits_for_the_windows_of_its_connection() {
    let cli = CommandLine::new();
    let sandbox = SandboxProcess::start(&cli, &LIMIT);
    let line = |at: usize| match at % 20 {
        0 => json!({"id": at, "action": "searchDeals", "input": {"term": "deal"}}),
        1 => json!({"id": at, "action": "rawRequest", "input": {"method": "GET", "path": "/api/v2/stages/1"}}),
        _ => json!({"id": at, "action": "getStage", "input": {"stageId": 1}}),
    };
    let outcomes = run_batch(&cli, &sandbox, (0..2000).map(line));
    assert!(sum_of_waits(&outcomes) > 0, "calls that waited say so");
    let attempts: u64 = outcomes.iter().filter_map(|outcome| outcome["meta"]["attempts"].as_u64()).sum();
    assert_eq!(attempts, 2000, "no call was sent twice");
    assert_kept(sandbox, &[("general", 1900), ("search", 100)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_that_sends_half_of_all_calls_holds_no_other_up() {
    let cli = CommandLine::new();
    let tokens = cli.file("tokens");
    let sandbox = SandboxProcess::start(&cli, &[&LIMIT[..], &["--companies", "100", "--tokens", &tokens]].concat());
    let store = Store::sqlite(cli.file("connections.db")).await.expect("a store");
    let key = Key::load_or_create(cli.file("connections.key").as_ref()).expect("a key");
    let http = Http::new(None, Vec::new()).expect("a client");
    let app = App::new(&pipedrive_connector::CONNECTOR).and_then(|app| app.with_sandbox(&sandbox.url)).expect("an app");
    let vault = Vault::builder(store, key, &http).app(app).open().await.expect("a vault");
    let tokens = std::fs::read_to_string(tokens).expect("the tokens are there");
    for (at, line) in tokens.lines().enumerate() {
        let company: Value = serde_json::from_str(line).expect("each line is JSON");
        let token = company["apiToken"].as_str().expect("each has a token").to_owned();
        let name = format!("company{at}");
        vault.add_api_token("local", "pipedrive", Some(&name), None, &sandbox.url, token.into()).await.expect("it is connected");
    }
    // Every other line is of the first company.
    let company = |at: usize| if at.is_multiple_of(2) { 0 } else { 1 + at / 2 % 99 };
    let line =
        |at: usize| json!({"id": at, "action": "getStage", "connection": format!("company{}", company(at)), "input": {"stageId": 1}});
    let outcomes = tokio::task::block_in_place(|| run_batch(&cli, &sandbox, (0..1980).map(line)));
    let (busy, others): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome["meta"]["connection"] == "company0");
    assert_eq!((busy.len(), others.len()), (990, 990));
    let (busy, others) = (sum_of_waits(busy), sum_of_waits(others));
    assert!(busy > others * 4, "calls of the busy connection waited for {busy} ms, those of all others for {others} ms");
    // Each account was looked at once when it was connected.
    assert_kept(sandbox, &[("general", 1980 + 100)]);
}
