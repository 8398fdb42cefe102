//! `connector connect`: an account becomes a connection, by an API token or in a browser.

use std::io::{IsTerminal, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use connector_connections::{BeginOptions, Connection, Progress, Vault};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;

use super::connections::shown;
use super::{DEFAULT_URL, Failure, Stored, client, name, over, owner, public_url, stopped};
use crate::accounts::account_host;
use crate::connectors::CONNECTORS;
use crate::exit_code::Exit;
use crate::http::{self, Settings};
use crate::store::LOCAL;
use crate::{env, render};

/// How long the link waits to be opened and followed.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Connect by an API token: write `--api-token -`, and give the token on stdin; an argument would be seen by every
    /// program of this machine
    #[arg(long, value_name = "-")]
    api_token: Option<String>,
    /// The account of the token, https://acme.pipedrive.com
    #[arg(long, value_name = "URL", requires = "api_token")]
    api_domain: Option<String>,
    /// Where browsers reach `connector serve`; on this machine the pages are served meanwhile if nobody does
    #[arg(long, value_name = "URL", conflicts_with = "api_token")]
    public_url: Option<String>,
    /// What to call the connection; the account's own name unless told otherwise
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Whose connection; one of this command line unless told otherwise
    #[arg(long, value_name = "NAME", default_value = LOCAL, value_parser = owner)]
    owner: String,
    #[command(flatten)]
    stored: Stored,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.api_token.as_deref() {
        None => in_a_browser(&arguments).await,
        Some("-") => by_token(&arguments).await,
        // It may be the token itself, and is not repeated.
        Some(_) => Err(Failure::usage("--api-token takes `-` alone, and reads the token from stdin")),
    }
}

async fn by_token(arguments: &Arguments) -> Result<Exit, Failure> {
    let (given, domain) = match (&arguments.api_domain, env::variable(env::API_DOMAIN)) {
        (Some(domain), _) => ("--api-domain", domain.clone()),
        (None, Some(domain)) => (env::API_DOMAIN, domain),
        (None, None) => return Err(Failure::usage("--api-token needs --api-domain, as https://acme.pipedrive.com")),
    };
    if account_host(&domain, given)?.is_local() && env::variable(env::SANDBOX).is_none() && !arguments.stored.sandbox {
        return Err(Failure::usage(format!("{given}: to connect a sandbox of this machine, set {}={domain}", env::SANDBOX)));
    }
    let token = token()?;
    let vault = arguments.stored.made("", &client()?).await?;
    let name = arguments.name.as_deref();
    let added = vault.add_api_token(&arguments.owner, CONNECTORS[0].key, name, &domain, token).await;
    shown(&added.map_err(|error| Failure::of_vendor(&error))?)
}

/// A link to open, and a wait until the account is connected.
async fn in_a_browser(arguments: &Arguments) -> Result<Exit, Failure> {
    let url = public_url(arguments.public_url.as_deref())?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    // Said before a store is made, which would end the use of the embedded sandbox.
    if env::variable(env::CLIENT_ID).is_none() && !arguments.stored.sandbox {
        return Err(Failure::usage(format!(
            "no app of Pipedrive is set up here: set {} and {}, or connect by an API token, see `connector connect --help`",
            env::CLIENT_ID,
            env::CLIENT_SECRET
        )));
    }
    let stopped = stopped();
    let client = client()?;
    let vault = arguments.stored.made(&url, &client).await?;
    let begin = BeginOptions { name: arguments.name.as_deref(), ..BeginOptions::default() };
    let begun = vault.begin(&arguments.owner, CONNECTORS[0].key, begin).await?;
    let link = vault.create_link(&arguments.owner, &begun.connection.id).await?;
    if let Some(listener) = free(&url).await {
        let runtime = over(&client, vault.for_owner(&arguments.owner))?;
        tokio::spawn(http::serve(listener, Settings::for_pages(url.clone()), runtime, vault.clone(), std::future::pending()));
    }
    let link = format!("{url}/oauth/start?link={}", link.expose_secret());
    render::say(&format!("Open this link in a browser, once: {link}"));
    if std::io::stderr().is_terminal() {
        open(&link);
    }
    let waited = tokio::select! {
        waited = tokio::time::timeout(PATIENCE, connected(&vault, &begun.connection)) => waited.map_err(|_| "nobody followed the link within ten minutes"),
        () = stopped => Err("it was stopped"),
    };
    match waited {
        Ok(connected) => shown(&connected?),
        Err(why) => given_up(&vault, &begun.connection, why).await,
    }
}

/// The port of this host's own pages, where that is on this machine and nobody serves them.
async fn free(url: &str) -> Option<TcpListener> {
    let address = url.strip_prefix("http://")?;
    TcpListener::bind(address).await.ok()
}

/// Whoever has no browser here opens the link elsewhere.
///
/// Other users of this machine may see the link among the arguments: it opens once, and what it leads to ends in the
/// browser that opened it. Whoever takes it first connects an account of their own, which the printed connection shows.
fn open(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(opener).arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

/// Waits until the store says how it ended: the pages may be another process's.
async fn connected(vault: &Vault, begun: &Connection) -> Result<Connection, Failure> {
    let mut turns = tokio::time::interval(Duration::from_secs(1));
    loop {
        turns.tick().await;
        if let Some(connection) = settled(vault, begun).await? {
            return Ok(connection);
        }
    }
}

/// What became of what was begun; nothing while it waits.
async fn settled(vault: &Vault, begun: &Connection) -> Result<Option<Connection>, Failure> {
    match vault.progress(&begun.owner, &begun.id).await? {
        Progress::Connected(connection) => Ok(Some(connection)),
        Progress::Renewed(connection) => {
            render::say(&format!("The account was connected already, as {:?}: that connection is renewed.", connection.name));
            Ok(Some(connection))
        }
        Progress::Declined => Err(Failure::not_ok("Nothing was connected: it was cancelled at Pipedrive.")),
        Progress::Removed => Err(Failure::not_ok("Nothing was connected: it was removed.")),
        _ => Ok(None),
    }
}

/// Nobody waits for it any more: it is removed, so that its name is free again, unless it was connected at the last moment.
async fn given_up(vault: &Vault, begun: &Connection, why: &str) -> Result<Exit, Failure> {
    // What the vendor answers just now is kept, or given back.
    let _ = tokio::time::timeout(Duration::from_secs(10), vault.wait_until_idle()).await;
    if let Some(connected) = settled(vault, begun).await? {
        return shown(&connected);
    }
    vault.remove(&begun.owner, &begun.id).await?;
    Err(Failure::not_ok(format!("Nothing was connected: {why}.")))
}

/// The token on the first line of stdin.
fn token() -> Result<SecretString, Failure> {
    const MOST: u64 = 4096;
    if std::io::stdin().is_terminal() {
        render::say("Paste the API token, and end with Ctrl-D.");
    }
    let mut text = String::new();
    std::io::stdin().take(MOST).read_to_string(&mut text).map_err(|error| Failure::host(format!("stdin: {error}")))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::usage("stdin holds no API token: give it alone, on one line"));
    }
    Ok(token.to_owned().into())
}
