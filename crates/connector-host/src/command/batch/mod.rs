//! A batch: the invocations of stdin, one a line. It can be stopped, and goes on by its journal.

mod chain;
mod ending;
mod guard;
mod history;
mod input;
mod journal;
mod progress;
mod queue;
mod run;

use std::io::IsTerminal;
use std::path::PathBuf;

use connector_core::run::{Lines, Runtime};
use tokio::io::{BufReader, Stdin};

use crate::command::batch::history::History;
use crate::command::batch::input::Input;
use crate::command::batch::journal::Journal;
use crate::command::batch::run::{Batch, Terms};
use crate::setup::accounts::AccountArguments;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::render;

/// The largest line of stdin, in bytes.
const MAX_LINE: usize = 64 << 20;

#[derive(clap::Args)]
pub(super) struct BatchFlags {
    /// The number of invocations from stdin that run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024), conflicts_with = "action")]
    pub(super) jobs: u16,
    /// Write each outcome when it is ready, not in the order of stdin
    #[arg(long, conflicts_with = "action")]
    unordered: bool,
    /// The journal of the invocations from stdin: stopped at any point, the same command with the same input goes on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["action", "estimate"])]
    resume: Option<PathBuf>,
}

/// Opens the lines of stdin.
pub(super) fn open_stdin() -> Lines<BufReader<Stdin>> {
    if std::io::stdin().is_terminal() {
        render::say("Reading invocations from stdin, one JSON object per line; Ctrl-D ends. See `connector invoke --help`.");
    }
    Lines::new(BufReader::with_capacity(64 << 10, tokio::io::stdin()), MAX_LINE)
}

/// Runs the invocations of stdin. A line that cannot be read has an outcome too.
pub(super) async fn run(runtime: &Runtime, flags: &BatchFlags, accounts: &AccountArguments, is_pretty: bool) -> Result<Exit, Failure> {
    let (journal, history) = match &flags.resume {
        Some(path) => Journal::open(path).map(|(journal, history)| (Some(journal), history))?,
        None => (None, History::default()),
    };
    let terms = Terms { jobs: flags.jobs.into(), is_ordered: !flags.unordered, is_pretty };
    let ending = Batch::new(runtime, terms, journal, history).run(Input::new(open_stdin())).await?;
    ending.report(&flags.write_command(accounts, is_pretty))
}

impl BatchFlags {
    /// Writes the command of this batch. A URL of a store may hold a password, and is left out.
    fn write_command(&self, accounts: &AccountArguments, is_pretty: bool) -> String {
        let mut command = "connector invoke".to_owned();
        command += if accounts.sandbox { " --sandbox" } else { "" };
        if let Some(store) = &accounts.store {
            command += &format!(" --store {}", if store.contains("://") { "…".to_owned() } else { quote_word(store) });
        }
        command += if is_pretty { " --pretty" } else { "" };
        if self.jobs > 1 {
            command += &format!(" --jobs {}", self.jobs);
        }
        command += if self.unordered { " --unordered" } else { "" };
        if let Some(path) = &self.resume {
            command += &format!(" --resume {}", quote_word(&path.to_string_lossy()));
        }
        command
    }
}

/// Quotes a word for a shell, where it needs that.
fn quote_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+,@%:=".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_to_go_on_is_one_that_a_shell_reads_as_it_was() {
        let flags = BatchFlags { jobs: 8, unordered: true, resume: Some("my batch's.journal".into()) };
        let accounts = |store: &str| AccountArguments { store: Some(store.to_owned()), sandbox: false };
        let command = flags.write_command(&accounts("a store.db"), true);
        assert_eq!(command, "connector invoke --store 'a store.db' --pretty --jobs 8 --unordered --resume 'my batch'\\''s.journal'");
        let flags = BatchFlags { jobs: 1, unordered: false, resume: None };
        assert_eq!(flags.write_command(&accounts("postgres://me:hunter2@host/name"), false), "connector invoke --store …");
        let sandbox = AccountArguments { store: None, sandbox: true };
        assert_eq!(flags.write_command(&sandbox, false), "connector invoke --sandbox");
    }
}
