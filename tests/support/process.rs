//! The binary `connector` as a process, and its output.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::assertions::assert_valid;
use super::repository::read_protocol_schema;

/// The variable that holds the arguments of a program that this suite stands in for, one a line.
const ARGUMENTS: &str = "CONNECTOR_TEST_ARGUMENTS";

/// The first lines that a test program prints.
const PREAMBLE: &[u8] = b"\nrunning 1 test\n";

/// A program of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The binary `connector`.
    Connector,
    /// The same with a second connector linked in: this suite, which starts itself.
    TwoConnectors,
    /// Two vendors of few words, none of which has a sandbox: this suite again.
    PlainVendors,
    /// Two vendors, none of which has OAuth: this suite again.
    WithoutOAuth,
}

impl Program {
    /// Finds the program of tests that need no certain one. All of them hold for both.
    pub(crate) fn find() -> Self {
        if std::env::var_os("CONNECTOR_TEST_TWO").is_some() { Self::TwoConnectors } else { Self::Connector }
    }

    /// Finds the test that is this program.
    fn find_test(self) -> Option<&'static str> {
        match self {
            Self::Connector => None,
            Self::TwoConnectors => Some("several::program_of_two_connectors"),
            Self::WithoutOAuth => Some("several::plain::program_of_vendors_without_oauth"),
            Self::PlainVendors => Some("several::plain::program_of_plain_vendors"),
        }
    }

    /// Builds a command with piped streams, and without the variables of this machine.
    pub(crate) fn command(self, data_folder: &Path) -> Command {
        let mut command = match self.find_test() {
            None => Command::new(env!("CARGO_BIN_EXE_connector")),
            Some(test) => {
                let suite = std::env::current_exe().expect("this program");
                let script =
                    format!("{ARGUMENTS}=$(printf '%s\\n' connector \"$@\" end) exec \"$0\" {test} --exact --nocapture --test-threads=2");
                let mut shell = Command::new("sh");
                shell.args(["-c", &script]).arg(suite).env("RUST_MIN_STACK", "8388608");
                shell
            }
        };
        isolate(&mut command, data_folder);
        command
    }
}

/// Gives a command piped streams and a folder of its own, and takes the variables of this machine away.
pub(crate) fn isolate(command: &mut Command, data_folder: &Path) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
        command.env_remove(name);
    }
    command.env("CONNECTOR_DATA_DIR", data_folder).env("XDG_CONFIG_HOME", data_folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// Reads the arguments of the program that this process stands in for, if a test started it as one.
pub(crate) fn read_arguments() -> Option<Vec<OsString>> {
    let mut lines: Vec<OsString> = std::env::var(ARGUMENTS).ok()?.lines().map(OsString::from).collect();
    // The shell cuts empty lines off the end, so that a word stands behind an empty argument.
    lines.pop();
    Some(lines)
}

/// A command line whose data lies in a folder of its own.
pub(crate) struct CommandLine {
    program: Program,
    pub(crate) folder: tempfile::TempDir,
}

impl CommandLine {
    pub(crate) fn new() -> Self {
        Self::with(Program::find())
    }

    pub(crate) fn with(program: Program) -> Self {
        Self { program, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.command(self.folder.path());
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

pub(crate) fn run_with_stdin(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command.spawn().expect("the binary runs");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    // Written on a thread of its own: a command that writes more than a pipe holds waits until it is read.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A command that reads no stdin may end before all of it is written.
            let _ = pipe.write_all(stdin);
        });
        wait(child)
    })
}

/// Waits for the end of a command. What a test program prints before its test is taken away.
pub(crate) fn wait(child: Child) -> Output {
    let mut output = child.wait_with_output().expect("the binary ends");
    if output.stdout.starts_with(PREAMBLE) {
        output.stdout.drain(..PREAMBLE.len());
    }
    output
}

/// Reads the lines of stdout as they come, without those that a test program prints before its test.
pub(crate) fn read_lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines().map(|line| line.expect("stdout is text"));
    lines.skip_while(|line| PREAMBLE.trim_ascii() == line.as_bytes() || line.is_empty())
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
