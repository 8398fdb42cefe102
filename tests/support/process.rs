//! The binary as a process, and what it printed.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::world::{assert_valid, protocol};

/// A command line whose data lies in a folder of the test's own.
pub(crate) struct Host {
    pub(crate) folder: tempfile::TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for data") }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connector"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("CONNECTOR_DATA_DIR", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Output {
        fed(self.command(arguments), stdin.as_ref())
    }
}

pub(crate) fn fed(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command.spawn().expect("the binary runs");
    // A command that reads no stdin may be gone before all of it is written.
    let _ = child.stdin.take().expect("stdin is piped").write_all(stdin);
    child.wait_with_output().expect("the binary ends")
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("stdout is text");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let schema = protocol("outcome");
    lines.iter().for_each(|line| assert_valid(&schema, line, "an outcome"));
    lines
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
