//! The command line: what can be asked, and who answers.

mod catalogue;
mod invoke;
mod sandbox;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use connector_core::Runtime;

use crate::accounts::Accounts;
use crate::connectors::CONNECTORS;
use crate::env;
use crate::exit_code::Exit;
use crate::render;

/// Runs actions on other people's software from JSON invocations.
#[derive(Parser)]
#[command(name = "connector", version, after_help = env::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an action, or all invocations of stdin, one JSON object a line
    Invoke(invoke::Arguments),
    /// List the actions and data sources
    List(catalogue::ListArguments),
    /// Show what an action does, takes and gives
    Describe(catalogue::DescribeArguments),
    /// Print the catalogue as JSON
    Manifest(catalogue::ManifestArguments),
    /// Run a Pipedrive of your own on this machine
    Sandbox(sandbox::Arguments),
    /// Print a script that completes this command line in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    // Named by the contract and to come: refused by name, not shown.
    #[command(hide = true, disable_help_flag = true)]
    Serve(Later),
    #[command(hide = true, disable_help_flag = true)]
    Stats(Later),
    #[command(hide = true, disable_help_flag = true)]
    Connect(Later),
    #[command(hide = true, disable_help_flag = true)]
    Connections(Later),
    #[command(hide = true, disable_help_flag = true)]
    Keys(Later),
}

#[derive(clap::Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<String>,
}

/// Why the process ends without an outcome.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    pub(crate) fn host(message: impl Into<String>) -> Self {
        Self { exit: Exit::Host, message: message.into() }
    }

    pub(crate) fn not_ok(message: impl Into<String>) -> Self {
        Self { exit: Exit::NotOk, message: message.into() }
    }

    fn not_built(what: &str) -> Self {
        Self::usage(format!("{what} is not built yet"))
    }

    /// Nobody reads the output any more, as behind `| head`: there is nobody to tell either.
    pub(crate) fn silent() -> Self {
        Self { exit: Exit::Host, message: String::new() }
    }

    pub(crate) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            render::say(&format!("error: {}", self.message));
        }
        self.exit.into()
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Invoke(arguments) => on_one_thread(invoke::run(arguments)),
        Command::List(arguments) => catalogue::list(&arguments),
        Command::Describe(arguments) => catalogue::describe(&arguments),
        Command::Manifest(arguments) => catalogue::manifest(&arguments),
        Command::Sandbox(arguments) => on_one_thread(sandbox::run(arguments)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "connector", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Command::Serve(_) => Err(Failure::not_built("`connector serve`")),
        Command::Stats(_) => Err(Failure::not_built("`connector stats`")),
        Command::Connect(_) => Err(Failure::not_built("`connector connect`")),
        Command::Connections(_) => Err(Failure::not_built("`connector connections`")),
        Command::Keys(_) => Err(Failure::not_built("`connector keys`")),
    }
}

/// The work waits for the network, not for a processor: one thread starts faster and is enough.
fn on_one_thread<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::host(format!("no thread for the network: {error}")))?;
    let result = runtime.block_on(work);
    // A read of stdin cannot be taken back; waiting for it would hold the process open.
    runtime.shutdown_background();
    result
}

fn runtime() -> Result<Runtime, Failure> {
    let mut builder = Runtime::builder().connectors(&CONNECTORS).connections(Accounts::from_env()?);
    if let Some(proxy) = env::variable(env::PROXY) {
        builder = builder.proxy(proxy);
    }
    if let Some(file) = env::variable(env::CA_FILE) {
        let pem = std::fs::read(&file).map_err(|error| Failure::host(format!("{}: {file}: {error}", env::CA_FILE)))?;
        builder = builder.trust(pem);
    }
    builder.build().map_err(|error| Failure::host(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
