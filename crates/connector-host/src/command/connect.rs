//! `connector connect`: an account becomes a connection, by an API token or in a browser.

use std::io::{IsTerminal, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use connector_connections::{Connection, Status, Vault};
use connector_core::ErrorKind;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;

use super::{DEFAULT_URL, Failure, Of, client, over, print};
use crate::connectors::CONNECTORS;
use crate::exit_code::Exit;
use crate::http::{self, Settings};
use crate::store::{Kept, STORE_FILE, app};
use crate::{env, render};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Connect by an API token, which is read from stdin: an argument would be seen by every program of this machine
    #[arg(long, value_name = "-", value_parser = ["-"])]
    api_token: Option<String>,
    /// The account of the token, https://acme.pipedrive.com
    #[arg(long, value_name = "URL", requires = "api_token")]
    api_domain: Option<String>,
    /// Where browsers reach `connector serve`; on this machine the pages are served meanwhile if nobody does
    #[arg(long, value_name = "URL", conflicts_with = "api_token")]
    public_url: Option<String>,
    /// What to call the connection; the account's own name unless told otherwise
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    of: Of,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if arguments.api_token.is_none() {
        return in_a_browser(&arguments).await;
    }
    let domain = arguments.api_domain.clone().or_else(|| env::variable(env::API_DOMAIN));
    let domain = domain.ok_or_else(|| Failure::usage("--api-token needs --api-domain, as https://acme.pipedrive.com"))?;
    let token = token()?;
    let vault = arguments.of.vault().await?;
    let name = arguments.name.as_deref();
    let connection = vault.add_api_token(&arguments.of.owner, CONNECTORS[0].key, name, &domain, token).await?;
    print(&serde_json::to_vec_pretty(&connection).expect("a connection is written to memory"))
}

/// A link to open, and a wait until the account is connected.
async fn in_a_browser(arguments: &Arguments) -> Result<Exit, Failure> {
    let url = arguments.public_url.clone().or_else(|| env::variable(env::PUBLIC_URL)).unwrap_or_else(|| DEFAULT_URL.to_owned());
    let url = super::base(&url, "--public-url")?;
    let client = client()?;
    let vault = Kept::at(arguments.of.store.as_deref(), STORE_FILE)?.open(app(&url)?, &client).await?;
    let begun = vault.pending_for_platform(&arguments.of.owner, CONNECTORS[0].key, arguments.name.as_deref(), None, None).await?;
    let link = vault.link(&arguments.of.owner, &begun.connection.id).await?;
    if let Some(listener) = free(&url).await {
        let runtime = over(&client, vault.of(&arguments.of.owner))?;
        tokio::spawn(http::serve(listener, Settings::for_pages(url.clone()), runtime, vault.clone(), std::future::pending()));
    }
    let link = format!("{url}/oauth/start?link={}", link.expose_secret());
    render::say(&format!("Open this link in a browser, once: {link}"));
    if std::io::stderr().is_terminal() {
        open(&link);
    }
    connected(&vault, &begun.connection).await
}

/// The port of this host's own pages, where that is on this machine and nobody serves them.
async fn free(url: &str) -> Option<TcpListener> {
    let address = url.strip_prefix("http://")?;
    TcpListener::bind(address).await.ok()
}

/// Whoever has no browser here opens the link elsewhere.
fn open(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(opener).arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

/// Waits until the store says how it ended: the pages may be another process's.
async fn connected(vault: &Vault, begun: &Connection) -> Result<Exit, Failure> {
    const TURNS: u32 = 600;
    let mut turns = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..TURNS {
        turns.tick().await;
        match vault.get(&begun.owner, &begun.id).await {
            Ok(now) if now.status == Status::Active => {
                return print(&serde_json::to_vec_pretty(&now).expect("a connection is written to memory"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NoConnection => {
                render::say("The account was connected already: its connection is renewed. `connector connections list` shows it.");
                return Ok(Exit::Ok);
            }
            Err(error) => return Err(error.into()),
        }
    }
    vault.remove(&begun.owner, &begun.id).await?;
    Err(Failure::not_ok("nobody connected an account within ten minutes"))
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
