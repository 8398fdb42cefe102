//! The command line: one file for each command.

mod catalogue;
mod connect;
mod connections;
mod invoke;
mod keys;
mod sandbox;
mod serve;
mod sign_in;

use clap::{CommandFactory, Parser, Subcommand};

use crate::terminal::env;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::threads::{run_on_all_threads, run_on_one_thread};

/// Runs actions on other people's software from JSON invocations.
#[derive(Parser)]
#[command(name = "connector", version, after_help = env::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
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
    /// Run a sandbox of Pipedrive on this machine
    Sandbox(sandbox::SandboxArguments),
    /// Connect an account
    Connect(connect::ConnectArguments),
    /// List, test and change connections
    #[command(subcommand)]
    Connections(connections::ConnectionsCommand),
    /// Create, list and revoke the API keys of `connector serve`
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Print a link that signs a person in to `connector serve`, once
    SignIn(sign_in::SignInArguments),
    /// Serve actions, connections and a gateway over HTTP
    Serve(serve::ServeArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    // The contract reserves this command: it is refused by name, and not shown.
    #[command(hide = true, disable_help_flag = true)]
    Stats(ReservedArguments),
}

#[derive(clap::Args)]
struct ReservedArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<String>,
}

/// Runs the command that the arguments name.
pub(crate) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Invoke(arguments) => run_on_one_thread(invoke::run(arguments)),
        Command::List(arguments) => catalogue::list(&arguments),
        Command::Describe(arguments) => catalogue::describe(&arguments),
        Command::Manifest(arguments) => catalogue::manifest(&arguments),
        Command::Connect(arguments) => run_on_one_thread(connect::run(arguments)),
        Command::Connections(arguments) => run_on_one_thread(connections::run(arguments)),
        Command::Keys(arguments) => run_on_one_thread(keys::run(arguments)),
        Command::SignIn(arguments) => run_on_one_thread(sign_in::run(arguments)),
        Command::Serve(arguments) => run_on_all_threads(serve::run(arguments)),
        Command::Sandbox(arguments) => run_on_one_thread(sandbox::run(arguments)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "connector", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Command::Stats(_) => Err(Failure::not_built("`connector stats`")),
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
