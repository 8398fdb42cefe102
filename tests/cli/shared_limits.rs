//! Hosts over one PostgreSQL that send under one connection: together they keep to its limit.

use std::io::Write;
use std::process::Command;

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use super::limits::{BATCH, LIMIT, assert_kept, finish_batch, write_lines};
use crate::support::postgres::create_schema;
use crate::support::process::{CommandLine, KilledOnDrop, read_lines, run_with_stdin, stderr_text};
use crate::support::sandbox::SandboxProcess;

/// A sandbox with limits, and hosts that share a store with one connection to it.
struct Fleet {
    cli: CommandLine,
    sandbox: SandboxProcess,
    store: String,
}

impl Fleet {
    /// Starts a sandbox and connects it, if there is a database.
    fn start() -> Option<Self> {
        let store = create_schema()?;
        let cli = CommandLine::new();
        let sandbox = SandboxProcess::start(&cli, &LIMIT);
        let fleet = Self { cli, sandbox, store };
        let connect = ["connect", "--name", "acme", "--api-token", "-", "--api-domain", &fleet.sandbox.url];
        let connected = run_with_stdin(fleet.command(&connect), DEMO_API_TOKEN.as_bytes());
        assert!(connected.status.success(), "{}", stderr_text(&connected));
        Some(fleet)
    }

    /// Builds a command of one of the hosts.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.cli.command(arguments);
        command.env("CONNECTOR_STORE", &self.store).env("CONNECTOR_KEY_FILE", self.cli.file("shared.key"));
        command.env("CONNECTOR_SANDBOX", &self.sandbox.url);
        command
    }

    /// Runs a batch of reads on a host of its own.
    fn run(&self, reads: usize) -> Vec<Value> {
        finish_batch(self.command(BATCH), (0..reads).map(read_stage))
    }
}

fn read_stage(at: usize) -> Value {
    json!({"id": at, "action": "getStage", "connection": "acme", "input": {"stageId": 1}})
}

#[test]
fn hosts_of_one_store_share_the_limit_of_a_connection() {
    let Some(fleet) = Fleet::start() else { return };
    let outcomes = std::thread::scope(|scope| {
        let hosts = [1000, 1000, 1].map(|reads| {
            scope.spawn({
                let fleet = &fleet;
                move || fleet.run(reads)
            })
        });
        hosts.map(|host| host.join().expect("a batch does not panic"))
    });
    // A host that has one call is answered too, though the others want all that there is.
    assert_eq!(outcomes.map(|outcomes| outcomes.len()), [1000, 1000, 1]);
    // The account was looked at once when it was connected.
    assert_kept(fleet.sandbox, &[("general", 2002)]);
}

#[test]
fn host_takes_over_the_permits_of_one_that_was_killed() {
    let Some(fleet) = Fleet::start() else { return };
    let mut killed = KilledOnDrop(fleet.command(BATCH).spawn().expect("the binary runs"));
    let mut stdin = killed.0.stdin.take().expect("stdin is piped");
    // It has all permits, and more to do when it is killed.
    stdin.write_all(write_lines((0..400).map(read_stage)).as_bytes()).expect("the host reads its lines");
    let mut answers = read_lines(&mut killed.0);
    let answered = answers.by_ref().take(200).count();
    drop(killed);
    let outcomes = fleet.run(200);
    assert_eq!((answered, outcomes.len()), (200, 200));
    let waited = parse_wait(&outcomes);
    assert!(waited >= 1_000, "the permits of a host that was killed are free after its lease, not after {waited} ms");
    let said = fleet.sandbox.stop();
    assert!(said.contains(" 0 refused"), "{said}");
}

/// Returns the longest time that a call waited.
fn parse_wait(outcomes: &[Value]) -> u64 {
    outcomes.iter().filter_map(|outcome| outcome["meta"]["queuedMs"].as_u64()).max().unwrap_or_default()
}
