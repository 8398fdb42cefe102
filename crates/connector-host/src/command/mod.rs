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
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use connector_connections::{App, Store, Vault};
use connector_core::{Access, Connections, Credential, Error, ErrorKind, Http, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::connectors::CONNECTORS;
use crate::env;
use crate::exit_code::Exit;
use crate::render;
use crate::store::{Kept, SANDBOX_STORE_FILE, STORE_FILE, app, sandbox_app};

use catalogue::print;

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

/// Where connections are kept.
#[derive(clap::Args)]
struct Stored {
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Work with a Pipedrive of your own in place of Pipedrive, and a store of its own; no account is needed
    #[arg(long)]
    sandbox: bool,
}

impl Stored {
    fn kept(&self) -> Result<Kept, Failure> {
        Kept::at(self.store.as_deref(), if self.sandbox { SANDBOX_STORE_FILE } else { STORE_FILE })
    }

    /// The app of the sandbox, where `connector serve` has it unless told otherwise; else this host's.
    fn app(&self, public_url: &str) -> Result<App, Failure> {
        let there = || env::variable(env::SANDBOX).unwrap_or_else(|| DEFAULT_SANDBOX_URL.to_owned());
        if self.sandbox { sandbox_app(&there(), public_url) } else { app(public_url) }
    }

    /// The vault, which is made where there is none: for what puts something into it.
    async fn made(&self, public_url: &str, http: &Http) -> Result<Vault, Failure> {
        let vault = self.kept()?.open(self.app(public_url)?, http).await?;
        // Where no `connector serve` runs, nobody else removes what was never finished.
        if tokio::time::timeout(SWEEP_PATIENCE, vault.sweep()).await.is_err() {
            tracing::debug!("the store was not swept to the end");
        }
        Ok(vault)
    }

    /// The vault, if there is one: what only looks makes none, and so leaves the embedded sandbox in use.
    async fn there(&self) -> Result<Option<Vault>, Failure> {
        if !self.kept()?.exists() {
            return Ok(None);
        }
        let public_url = env::variable(env::PUBLIC_URL).unwrap_or_default();
        self.made(&public_url, &client()?).await.map(Some)
    }

    /// The vault, for what needs something in it.
    async fn needed(&self) -> Result<Vault, Failure> {
        match self.there().await? {
            Some(vault) => Ok(vault),
            None => Err(Failure::not_ok(format!("There is no store yet{}: `connector connect` makes one.", self.kept()?.at_file()))),
        }
    }
}

/// How long a command waits for what others left: the next one goes on with it.
const SWEEP_PATIENCE: Duration = Duration::from_secs(1);

/// Where browsers reach `connector serve` on this machine, unless told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8030";

/// Where the sandbox of `connector serve --sandbox` is.
const DEFAULT_SANDBOX_URL: &str = "http://127.0.0.1:8031";

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

    /// A call to the vendor failed: that it cannot be reached is no failure of this host.
    fn of_vendor(error: &Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::InvalidInput => Exit::Usage,
            ErrorKind::Bug => Exit::Host,
            _ if Store::is_cause_of(error) => Exit::Host,
            _ => Exit::NotOk,
        };
        Self { exit, message: told(error) }
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

/// A failure of the store, or of what this host was built with.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::InvalidInput => Exit::Usage,
            ErrorKind::Bug | ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Cancelled => Exit::Host,
            _ => Exit::NotOk,
        };
        Self { exit, message: told(&error) }
    }
}

/// What went wrong, what to do, and the causes that only an operator can use, in one line.
pub(crate) fn told(error: &Error) -> String {
    let mut line = error.message().to_owned();
    if let Some(hint) = error.hint() {
        line = line + " " + hint;
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let mut chain = String::new();
    // Many a cause repeats the one below it.
    for cause in causes.map(ToString::to_string) {
        if !line.contains(&cause) && !chain.contains(&cause) {
            chain = chain + ": " + &cause;
        }
    }
    if !chain.is_empty() {
        line = line + " Cause" + &chain + ".";
    }
    line.replace(char::is_control, " ")
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
    let proxy = env::variable(env::PROXY);
    let given = if proxy.is_some() { format!(" {} is to be as http://proxy.example:3128.", env::PROXY) } else { String::new() };
    // Its cause may quote the proxy's URL, which may hold a password.
    Http::new(proxy, env::authorities()?).map_err(|error| Failure::host(format!("{}{given}", error.message())))
}

/// Where browsers reach this host: by the flag, else by the variable.
fn public_url(flag: Option<&str>) -> Result<Option<String>, Failure> {
    let variable = env::variable(env::PUBLIC_URL);
    let (given, url) = match (flag, &variable) {
        (Some(url), _) => ("--public-url", url),
        (None, Some(url)) => (env::PUBLIC_URL, url.as_str()),
        (None, None) => return Ok(None),
    };
    let origin = Access::new(url, Credential::bearer("")).map(|access| access.origin().to_owned());
    origin.map(Some).map_err(|_| {
        Failure::usage(format!(
            "{given} {url:?}: write a scheme, a host and a port alone, as https://connect.example; plain http is for this machine"
        ))
    })
}

/// Rows under headings; where there are none, that is said beside them.
fn table(headings: &[&str], rows: &[Vec<String>], none: &str) -> Result<Exit, Failure> {
    if rows.is_empty() {
        render::say(none);
        return Ok(Exit::Ok);
    }
    print(render::table(headings, rows).as_bytes())
}

/// A platform's word for its customer: said before a store is made for it.
fn owner(given: &str) -> Result<String, String> {
    connector_connections::check_owner(given).map(|()| given.to_owned()).map_err(|error| told(&error))
}

/// What a connection or a key may be called.
fn name(given: &str) -> Result<String, String> {
    connector_connections::check_name(given).map(|()| given.to_owned()).map_err(|error| told(&error))
}

/// Ends when this process is told to end; whatever comes from now on is heard, not from the first wait.
fn stopped() -> impl Future<Output = ()> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            // Where nothing can be heard, the system ends the process by itself.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// A runtime over connections.
fn over(http: &Http, connections: impl Connections + 'static) -> Result<Runtime, Failure> {
    let builder = Runtime::builder().connectors(&CONNECTORS).connections(connections).http(http);
    builder.build().map_err(|error| Failure::host(told(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_failure_is_one_line_with_its_causes_and_the_exit_code_of_its_kind() {
        let cause = std::io::Error::other("the disk\nis gone");
        let error = Error::new(ErrorKind::TimedOut, "The store is locked.").with_hint("Try again.").with_source(cause);
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Host, "The store is locked. Try again. Cause: the disk is gone."));
        for (kind, of_store, of_vendor) in [
            (ErrorKind::Bug, Exit::Host, Exit::Host),
            (ErrorKind::Unreachable, Exit::Host, Exit::NotOk),
            (ErrorKind::InvalidInput, Exit::Usage, Exit::Usage),
            (ErrorKind::NoConnection, Exit::NotOk, Exit::NotOk),
        ] {
            let error = || Error::new(kind, "It failed.");
            assert_eq!((Failure::from(error()).exit, Failure::of_vendor(&error()).exit), (of_store, of_vendor), "{kind}");
        }
    }
}
