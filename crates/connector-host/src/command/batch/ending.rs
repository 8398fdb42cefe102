//! The end of a batch: what is said on stderr, and the exit code.

use std::io;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::render;

/// The most lines that a message names.
const MOST_NAMED: usize = 10;

/// The end of a batch.
#[derive(Debug, Default)]
pub(super) struct BatchEnding {
    pub(super) has_journal: bool,
    /// The outcomes of all runs, and those that are not ok.
    pub(super) done: u64,
    pub(super) failed: u64,
    /// True if a call failed for this machine: for its disk, as a rule.
    pub(super) has_host_failed: bool,
    /// The number of outcomes that this run wrote.
    pub(super) written: u64,
    /// The reason why the batch did not come to the end of its input.
    pub(super) stop: Option<StopReason>,
    /// The failure of the input or the journal, which ends a batch too.
    pub(super) failure: Option<Failure>,
    /// The line that the input ends in the midst of.
    pub(super) cut_off: Option<u64>,
    /// The last line that was taken, blank lines counted.
    pub(super) last_taken: u64,
    /// The lines that were taken and not sent.
    pub(super) unsent: Vec<u64>,
    /// The lines that had no outcome when the batch was ended at once.
    pub(super) open: Vec<u64>,
    /// The lines with an outcome that could not be written.
    pub(super) lost: Vec<u64>,
}

/// A reason why a batch does not come to the end of its input.
#[derive(Debug)]
pub(super) enum StopReason {
    /// A signal asked for it.
    Signal,
    /// Nothing can be written to stdout.
    Output(io::Error),
}

impl BatchEnding {
    /// Says what is to be known, and returns the exit code. The command is the one that was run.
    pub(super) fn report(self, command: &str) -> Result<Exit, Failure> {
        let mut exit = match self.failed {
            _ if self.has_host_failed => Exit::Host,
            0 => Exit::Ok,
            _ => Exit::NotOk,
        };
        if !self.open.is_empty() {
            let fate = if self.has_journal {
                "What is known of them is in the journal."
            } else {
                "They may have been carried out: look before you send them again."
            };
            render::say(&format!("Ended at once: {} had no outcome yet. {fate}", name_lines(&self.open)));
        }
        if let Some(number) = self.cut_off {
            render::say(&format!(
                "stdin ends in the midst of line {number}, which was left out. Run the same command with all of the input."
            ));
            exit = Exit::NotOk;
        }
        match &self.stop {
            Some(StopReason::Signal) => exit = Exit::NotOk,
            Some(StopReason::Output(error)) => {
                let who = if error.kind() == io::ErrorKind::BrokenPipe {
                    "The reader of stdout has gone".to_owned()
                } else {
                    format!("stdout: {error}")
                };
                let count = if self.lost.len() == 1 { "1 outcome".to_owned() } else { format!("{} outcomes", self.lost.len()) };
                let lines = name_lines(&self.lost);
                if !self.lost.is_empty() && self.has_journal {
                    render::say(&format!("{who}: the journal keeps what could not be written, of {lines}."));
                } else if !self.lost.is_empty() {
                    render::say(&format!("{who}: {count} could not be written, of {lines}."));
                }
                exit = Exit::Host;
            }
            None => {}
        }
        if self.stop.is_some() {
            self.say_how_to_go_on(command);
        } else if self.has_journal && self.written == 0 && self.cut_off.is_none() && self.failure.is_none() {
            let lines = if self.done == 1 { "The only line had its".to_owned() } else { format!("All {} lines had their", self.done) };
            render::say(&format!("{lines} outcome before: nothing was left to do."));
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(exit),
        }
    }

    fn say_how_to_go_on(&self, command: &str) {
        if self.has_journal {
            let done = if self.done == 1 { "1 line has its".to_owned() } else { format!("{} lines have their", self.done) };
            return render::say(&format!(
                "Stopped: {done} outcome. To go on, run the same command with the same input, and append to the output:\n  \
                 {command} < INPUT >> OUTPUT"
            ));
        }
        let next = self.last_taken + 1;
        if !self.unsent.is_empty() {
            render::say(&format!("Not sent, with the outcome `cancelled`: {}.", name_lines(&self.unsent)));
        }
        render::say(&format!(
            "Stopped: the next is line {next} of stdin. To go on:\n  tail -n +{next} INPUT | {command} >> OUTPUT\n\
             With --resume FILE, the same command goes on where it stopped."
        ));
    }
}

fn name_lines(numbers: &[u64]) -> String {
    let mut names: Vec<String> = numbers.iter().take(MOST_NAMED).map(u64::to_string).collect();
    if numbers.len() > MOST_NAMED {
        names.push(format!("{} more", numbers.len() - MOST_NAMED));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { format!("line {last}") } else { format!("lines {} and {last}", names.join(", ")) }
}
