//! Batches of the command line: started, stopped, killed and gone on with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Output, Stdio};

use serde_json::{Value, json};

use crate::support::process::{CommandLine, KilledOnDrop, send_signal};

/// A batch: its input, its journal, and all that its runs wrote to stdout.
pub(super) struct Batch {
    pub(super) cli: CommandLine,
    url: String,
    pub(super) written: Vec<u8>,
}

/// A run of a batch that is not over.
pub(super) struct BatchRun {
    process: KilledOnDrop,
    stdout: BufReader<ChildStdout>,
    read: Vec<u8>,
}

impl Batch {
    /// Prepares a batch against a vendor.
    pub(super) fn new(url: &str, lines: &[Value]) -> Self {
        let batch = Self { cli: CommandLine::new(), url: url.to_owned(), written: Vec::new() };
        batch.write_input(&lines.iter().map(|line| line.to_string() + "\n").collect::<String>());
        batch
    }

    pub(super) fn write_input(&self, text: &str) {
        std::fs::write(self.cli.file("input"), text).expect("the input can be written");
    }

    /// Starts a run with these flags beside the journal.
    pub(super) fn start(&self, flags: &[&str]) -> BatchRun {
        self.start_from(flags, File::open(self.cli.file("input")).expect("the input is there").into())
    }

    pub(super) fn start_from(&self, flags: &[&str], stdin: Stdio) -> BatchRun {
        let journal = self.cli.file("journal");
        let mut command = self.cli.command(&[&["invoke", "--resume", &journal], flags].concat());
        let mut process = command.env("CONNECTOR_SANDBOX", &self.url).stdin(stdin).spawn().expect("the binary runs");
        let stdout = BufReader::new(process.stdout.take().expect("stdout is piped"));
        BatchRun { process: KilledOnDrop(process), stdout, read: Vec::new() }
    }

    /// Runs to the end.
    pub(super) fn run(&mut self, flags: &[&str]) -> Output {
        let run = self.start(flags);
        self.finish(run)
    }

    /// Waits for the end of a run, and keeps what it wrote.
    pub(super) fn finish(&mut self, run: BatchRun) -> Output {
        let output = run.wait();
        self.written.extend_from_slice(&output.stdout);
        output
    }

    /// Groups the outcomes of all runs by the `id` of their line. Those of one line must be alike.
    pub(super) fn outcomes(&self) -> BTreeMap<u64, Value> {
        let mut outcomes: BTreeMap<u64, Value> = BTreeMap::new();
        for line in self.written.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{")) {
            let outcome: Value = serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)));
            let id = outcome["id"].as_u64().unwrap_or_else(|| panic!("an outcome of no line: {outcome}"));
            if let Some(before) = outcomes.insert(id, outcome) {
                assert_eq!(before, outcomes[&id], "an outcome that stands twice is the same");
            }
        }
        outcomes
    }
}

impl BatchRun {
    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.process.0
    }

    /// Reads outcomes until so many are there, or the run ends.
    pub(super) fn read_outcomes(&mut self, count: usize) {
        let mut found = 0;
        while found < count {
            let from = self.read.len();
            if self.stdout.read_until(b'\n', &mut self.read).expect("stdout can be read") == 0 {
                return;
            }
            found += usize::from(self.read[from..].starts_with(b"{"));
        }
    }

    pub(super) fn interrupt(&self) {
        send_signal(self.id(), "-INT");
    }

    pub(super) fn kill(&mut self) {
        self.process.0.kill().expect("it runs");
    }

    /// Closes the reading end of stdout, goes on with what a test does then, and waits for the end.
    ///
    /// It returns what was read before, too.
    pub(super) fn leave(self, then: impl FnOnce()) -> (Output, Vec<u8>) {
        let Self { mut process, stdout, read } = self;
        drop(stdout);
        then();
        let mut stderr = Vec::new();
        process.0.stderr.take().expect("stderr is piped").read_to_end(&mut stderr).expect("stderr can be read");
        let status = process.0.wait().expect("it ends");
        (Output { status, stdout: Vec::new(), stderr }, read)
    }

    fn wait(mut self) -> Output {
        self.stdout.read_to_end(&mut self.read).expect("stdout can be read");
        let mut stderr = Vec::new();
        self.process.0.stderr.take().expect("stderr is piped").read_to_end(&mut stderr).expect("stderr can be read");
        let status = self.process.0.wait().expect("it ends");
        Output { status, stdout: self.read, stderr }
    }
}

/// Builds the line of a create, with its number as `id`, under a key or without one.
pub(super) fn build_create(number: u64, key: Option<&str>) -> Value {
    let mut line = json!({"id": number, "action": "addDeal", "input": {"title": format!("Line {number}")}});
    if let Some(key) = key {
        line["options"] = json!({"idempotencyKey": key});
    }
    line
}
