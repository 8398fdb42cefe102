//! The command line: one file for each command.

mod batch;
mod catalogue;
mod completion;
mod connect;
mod connections;
mod estimate;
mod invoke;
mod keys;
mod ledger;
mod rows;
mod sandbox;
mod serve;
mod sign_in;
mod stats;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::setup::settings_file;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::{Linked, LinkedConnector};
use crate::terminal::threads::{run_on_all_threads, run_on_one_thread};

/// Runs actions on other people's software from JSON invocations.
#[derive(Parser)]
#[command(name = "connector", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one action, or a stream of invocations from stdin, one JSON object per line
    Invoke(invoke::InvokeArguments),
    /// List the actions and data sources
    List(catalogue::ListArguments),
    /// Describe an action or data source: its effect, its inputs and an example
    Describe(catalogue::DescribeArguments),
    /// Print the catalogue as JSON
    Manifest(catalogue::ManifestArguments),
    Sandbox(sandbox::SandboxArguments),
    /// Connect an account
    Connect(connect::ConnectArguments),
    /// List, test and change connections
    #[command(subcommand)]
    Connections(connections::ConnectionsCommand),
    /// Create, list and revoke the API keys of `connector serve`
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// List idempotency keys, and settle those whose outcome was lost
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Print a link that signs a person in to `connector serve`, once
    SignIn(sign_in::SignInArguments),
    /// Serve actions, connections and a gateway over HTTP
    Serve(serve::ServeArguments),
    /// Print a completion script for a shell
    #[command(alias = "completions")]
    Completion {
        /// The shell
        shell: completion::Shell,
    },
    /// Print the words that may stand next on a line, for the scripts of shells
    #[command(hide = true)]
    CompleteWords {
        /// The words of the line after the name of the program; the last may be a part of one
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Show the metrics of a running host, renewed each second; as JSON in a pipe
    Stats(stats::StatsArguments),
}

/// Runs the command that the arguments name, for these connectors, and returns the exit code of the program.
///
/// The first argument is the name of the program. One that cannot be parsed ends the process.
pub fn run(connectors: &'static [LinkedConnector], arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let linked = Linked::new(connectors);
    let matches = Arguments::command().after_help(linked.build_help()).get_matches_from(arguments);
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match settings_file::load(linked).and_then(|()| arguments.command.run(linked)) {
        Ok(exit) => exit as u8,
        Err(failure) => failure.report() as u8,
    }
}

impl Command {
    fn run(self, linked: Linked) -> Result<Exit, Failure> {
        match self {
            Self::Invoke(arguments) => run_on_one_thread(invoke::run(linked, arguments)),
            Self::List(arguments) => catalogue::list(linked, &arguments),
            Self::Describe(arguments) if arguments.is_of_account() => run_on_one_thread(catalogue::describe_account(linked, arguments)),
            Self::Describe(arguments) => catalogue::describe(linked, &arguments),
            Self::Manifest(arguments) => catalogue::manifest(linked, &arguments),
            Self::Connect(arguments) => run_on_one_thread(connect::run(linked, arguments)),
            Self::Connections(arguments) => run_on_one_thread(connections::run(linked, arguments)),
            Self::Keys(arguments) => run_on_one_thread(keys::run(linked, arguments)),
            Self::Ledger(command) => run_on_one_thread(ledger::run(linked, command)),
            Self::SignIn(arguments) => run_on_one_thread(sign_in::run(linked, arguments)),
            Self::Serve(arguments) => run_on_all_threads(serve::run(linked, arguments)),
            Self::Sandbox(arguments) => run_on_one_thread(sandbox::run(arguments)),
            Self::Completion { shell } => completion::print_script(shell),
            Self::CompleteWords { words } => {
                run_on_one_thread(async move { completion::print_candidates(linked, Arguments::command(), &words).await })
            }
            Self::Stats(arguments) => run_on_one_thread(stats::run(arguments)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
