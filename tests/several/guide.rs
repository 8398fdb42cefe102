//! The commands of the guide work, with the connector that it leads through linked in.

use std::process::Command;

use example_connector::server::NORTH_TOKEN;

use crate::support::example::start_larkdesk;
use crate::support::process::{CommandLine, Program, assert_exit, run_with_stdin};
use crate::support::repository::read;

/// Lists the commands in the blocks of the shell, without the server, which does not end.
fn list_commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block));
    let commands = blocks.flat_map(str::lines).filter_map(|line| {
        let start = line.starts_with("connector ").then_some(0).or_else(|| line.find("| connector ").map(|at| at + 2));
        start.map(|start| line[start..].to_owned())
    });
    commands.filter(|command| command != "connector serve").collect()
}

/// Splits a command into its words, as a shell does.
fn split(command: &str) -> Vec<String> {
    let output = Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]).output().expect("a shell runs");
    String::from_utf8(output.stdout).expect("words are text").lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_of_the_guide_work() {
    let commands = list_commands(&read("docs/guide/second-connector.md"));
    assert!(commands.len() > 6, "{commands:?}");
    let (cli, larkdesk) = (CommandLine::with(Program::TwoConnectors), start_larkdesk().await);
    for line in commands {
        let words = split(&line);
        let mut command = cli.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
        command.env("CONNECTOR_LARKDESK_API_TOKEN", NORTH_TOKEN).env("CONNECTOR_LARKDESK_SANDBOX", larkdesk.url());
        let output = run_with_stdin(command, NORTH_TOKEN.as_bytes());
        assert_exit(&output, 0, "");
        assert!(!output.stdout.is_empty(), "{line} prints nothing");
    }
    let requests = larkdesk.requests();
    for request in ["GET /v1/tickets?limit=2", "POST /v1/tickets/search", "POST /v1/tickets", "GET /v1/me"] {
        assert!(requests.iter().any(|other| other == request), "no command sends {request}: {requests:?}");
    }
}
