//! The binary `connector` as a process, and its output.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::assertions::assert_valid;
use super::repository::read_protocol_schema;

/// A command line whose data lies in a folder of its own.
pub(crate) struct CommandLine {
    pub(crate) folder: tempfile::TempDir,
}

impl CommandLine {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = build_command(self.folder.path());
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Output {
        run_with_stdin(self.command(arguments), stdin.as_ref())
    }

    /// Runs a command under variables of its own.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        run_with_stdin(command, b"")
    }

    /// Returns the path of a file in the folder of data.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path is text").to_owned()
    }

    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

/// Builds a command of the binary with piped streams, and without the variables of this machine.
pub(crate) fn build_command(data_folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connector"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
        command.env_remove(name);
    }
    command.env("CONNECTOR_DATA_DIR", data_folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run_with_stdin(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command.spawn().expect("the binary runs");
    // A command that reads no stdin may end before all of it is written.
    let _ = child.stdin.take().expect("stdin is piped").write_all(stdin);
    child.wait_with_output().expect("the binary ends")
}

/// Parses a line of stdout as an outcome each, and checks it against the published schema.
pub(crate) fn parse_outcomes(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("stdout is text");
    let outcomes: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let schema = read_protocol_schema("outcome");
    outcomes.iter().for_each(|outcome| assert_valid(&schema, outcome, "an outcome"));
    outcomes
}

/// Checks the exit code of a command, and that its stderr holds these words.
#[track_caller]
pub(crate) fn assert_exit(output: &Output, code: i32, words: &str) {
    let stderr = stderr_text(output);
    assert!(
        output.status.code() == Some(code) && stderr.contains(words),
        "expected exit code {code} and {words:?}: {:?}\n{stderr}",
        output.status
    );
}

pub(crate) fn stderr_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that is killed at the end of the test.
pub(crate) struct KilledOnDrop(pub(crate) Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process, such as `-TERM`.
pub(crate) fn send_signal(process: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().expect("kill runs");
    assert!(status.success(), "kill {signal} must reach the process {process}");
}
