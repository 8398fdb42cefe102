//! The command line: what can be asked, and who answers.

mod catalogue;
mod connect;
mod connections;
mod invoke;
mod keys;
mod sandbox;
mod serve;
mod sign_in;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use connector_connections::Vault;
use connector_core::{Access, Connections, Credential, Error, ErrorKind, Http, Runtime};

use crate::accounts::Accounts;
use crate::connectors::CONNECTORS;
use crate::env;
use crate::exit_code::Exit;
use crate::render;
use crate::store::{Kept, LOCAL, STORE_FILE, app};

use catalogue::print;
pub(crate) use catalogue::row;

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
    /// Connect an account
    Connect(connect::Arguments),
    /// See and change connections
    #[command(subcommand)]
    Connections(connections::Arguments),
    /// Make, see and end the API keys by which programs call `connector serve`
    #[command(subcommand)]
    Keys(keys::Arguments),
    /// Print a link that signs a person in to `connector serve`, once
    SignIn(sign_in::Arguments),
    /// Serve actions, connections and a gateway over HTTP
    Serve(serve::Arguments),
    /// Print a script that completes this command line in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    // Named by the contract and to come: refused by name, not shown.
    #[command(hide = true, disable_help_flag = true)]
    Stats(Later),
}

#[derive(clap::Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<String>,
}

/// Whose connections, and where they are kept.
#[derive(clap::Args)]
struct Of {
    /// Whose connections; those of this command line unless told otherwise
    #[arg(long, value_name = "NAME", default_value = LOCAL)]
    owner: String,
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Of {
    async fn vault(&self) -> Result<Vault, Failure> {
        let kept = Kept::at(self.store.as_deref(), STORE_FILE)?;
        kept.open(app(&env::variable(env::PUBLIC_URL).unwrap_or_default())?, &client()?).await
    }
}

/// Where browsers reach `connector serve` on this machine, unless told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8030";

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

    pub(crate) fn not_built(what: &str) -> Self {
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

/// A failure of the store or the vendor.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = if error.kind() == ErrorKind::Bug { Exit::Host } else { Exit::NotOk };
        Self { exit, message: error.to_string() }
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Invoke(arguments) => on_one_thread(invoke::run(arguments)),
        Command::List(arguments) => catalogue::list(&arguments),
        Command::Describe(arguments) => catalogue::describe(&arguments),
        Command::Manifest(arguments) => catalogue::manifest(&arguments),
        Command::Connect(arguments) => on_one_thread(connect::run(arguments)),
        Command::Connections(arguments) => on_one_thread(connections::run(arguments)),
        Command::Keys(arguments) => on_one_thread(keys::run(arguments)),
        Command::SignIn(arguments) => on_one_thread(sign_in::run(arguments)),
        Command::Serve(arguments) => on_all_threads(serve::run(arguments)),
        Command::Sandbox(arguments) => on_one_thread(sandbox::run(arguments)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "connector", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Command::Stats(_) => Err(Failure::not_built("`connector stats`")),
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

/// Many callers at once: what one of them asks must not hold up the others.
fn on_all_threads<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::host(format!("no threads for the network: {error}")))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// The HTTP client, with the proxy and the authorities that the environment names.
fn client() -> Result<Http, Failure> {
    Http::new(env::variable(env::PROXY), env::authorities()?).map_err(|error| Failure::host(error.to_string()))
}

/// The URL without a slash at its end; https, or this machine.
fn base(url: &str, given: &str) -> Result<String, Failure> {
    let access = Access::new(url, Credential::bearer("")).map_err(|error| Failure::usage(format!("{given}: {error}")))?;
    Ok(access.origin().to_owned())
}

/// A runtime over connections.
fn over(http: &Http, connections: impl Connections + 'static) -> Result<Runtime, Failure> {
    let builder = Runtime::builder().connectors(&CONNECTORS).connections(connections).http(http);
    builder.build().map_err(|error| Failure::host(error.to_string()))
}

/// The runtime of the command line.
async fn runtime(store: Option<&str>) -> Result<Runtime, Failure> {
    let http = client()?;
    let accounts = Accounts::set_up(store, &http).await?;
    let runtime = over(&http, accounts.clone())?;
    Ok(match accounts.ledger() {
        Some(ledger) => runtime.on_behalf(accounts, Some(Box::new(ledger))),
        None => runtime,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
