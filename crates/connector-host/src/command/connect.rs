//! `connector connect`: connects an account, by an API token or in a browser.

use std::io::{IsTerminal, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use connector_connections::{App, BeginOptions, Connection, Progress, Vault};
use connector_core::embed::Access;
use connector_core::run::View;
use connector_server::{Host, Settings};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;

use crate::setup::http::{build_client, build_runtime};
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{DEFAULT_URL, LOCAL_OWNER, build_view_parser, find_public_url, parse_name, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::{Linked, LinkedConnector};
use crate::terminal::stdout::print_json;
use crate::terminal::stop::wait_for_stop;
use crate::terminal::{env, render};

/// The longest time that the command waits for the account.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(10);

#[derive(clap::Args)]
pub(super) struct ConnectArguments {
    /// The connector, where the rest of the command does not say which one is meant
    #[arg(long, value_name = "KEY")]
    connector: Option<String>,
    /// Connect by an API token: write `--api-token -`, and give the token on stdin. Other programs of this machine
    /// could see an argument
    #[arg(long, value_name = "-")]
    api_token: Option<String>,
    /// The account of the token, as https://acme.vendor.example. A vendor whose accounts share one host needs none
    #[arg(long, value_name = "URL", requires = "api_token")]
    api_domain: Option<String>,
    /// The URL at which browsers reach `connector serve`. If no host runs there, and the URL is on this machine, this
    /// command serves the pages
    #[arg(long, value_name = "URL", conflicts_with = "api_token")]
    public_url: Option<String>,
    /// The name of the connection; by default the name of the account
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    /// The shape of the data for calls that name none. Left out, an account that is connected again keeps its own
    #[arg(long, value_parser = build_view_parser())]
    view: Option<View>,
    /// The owner of the connection
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

pub(super) async fn run(linked: Linked, arguments: ConnectArguments) -> Result<Exit, Failure> {
    match arguments.api_token.as_deref() {
        None => connect_in_browser(linked, &arguments).await,
        Some("-") => connect_by_token(linked, &arguments).await,
        // The argument may be the token itself, and is not repeated.
        Some(_) => Err(Failure::usage("--api-token takes only `-`, and reads the token from stdin")),
    }
}

async fn connect_by_token(linked: Linked, arguments: &ConnectArguments) -> Result<Exit, Failure> {
    let one = choose_by_host(linked, arguments)?;
    check_not_open(one)?;
    let (name, domain) = match (&arguments.api_domain, one.account_host()?) {
        (Some(domain), _) => ("--api-domain".to_owned(), domain.clone()),
        (None, Some(named)) => named,
        (None, None) => return Err(Failure::usage(format!("--api-token needs --api-domain, as {}", one.example_url()))),
    };
    let is_local = linked.check_host(Some(one), &domain, &name)?.is_local();
    if is_local && one.setting(env::SANDBOX)?.is_none() && !is_in_sandbox(arguments, one) {
        let variable = one.variable(env::SANDBOX);
        return Err(Failure::usage(format!("{name}: to connect a sandbox of this machine, set {variable}={domain}")));
    }
    let token = read_token()?;
    let vault = arguments.stored.open_or_create(linked, "", &build_client()?).await?;
    let name = arguments.name.as_deref();
    let added = vault.add_api_token(&arguments.owner, one.key(), name, arguments.view, &domain, token).await;
    let added = added.map_err(|error| Failure::from_vendor(&error))?;
    if one.connector.identity.is_none() {
        let label = one.connector.label;
        render::say(&format!("{label} does not tell which account a token belongs to: the token was stored, and not checked."));
    }
    print_json(&added)
}

/// Refuses to connect an account of a vendor whose API needs none.
fn check_not_open(one: &LinkedConnector) -> Result<(), Failure> {
    if !one.connector.is_open() {
        return Ok(());
    }
    let (label, key) = (one.connector.label, one.key());
    Err(Failure::usage(format!(
        "the API of {label} is open to all: its actions need no connection, see `connector list --connector {key}`"
    )))
}

/// Checks that a connector is the one that `--sandbox` means.
fn is_in_sandbox(arguments: &ConnectArguments, one: &LinkedConnector) -> bool {
    arguments.stored.sandbox && one.sandbox.is_some()
}

/// Chooses the connector of an API token: where none is named, by the host of the account.
fn choose_by_host(linked: Linked, arguments: &ConnectArguments) -> Result<&'static LinkedConnector, Failure> {
    let access = arguments.api_domain.as_deref().map(|domain| linked.check_host(None, domain, "--api-domain")).transpose()?;
    let is_local = access.as_ref().is_some_and(Access::is_local);
    let serves = |one: &LinkedConnector, access: &Access| Ok::<_, Failure>(one.setting(env::SANDBOX)?.as_deref() == Some(access.origin()));
    let mut is_served = false;
    for (one, access) in linked.all().iter().zip(access.iter().cycle()).filter(|_| is_local) {
        is_served |= serves(one, access)?;
    }
    linked.choose(arguments.connector.as_deref(), |one| match &access {
        Some(access) if is_served => serves(one, access),
        // The rest of the command then says how to set the sandbox up.
        Some(_) if is_local => Ok(one.sandbox.is_some()),
        Some(access) => Ok(one.connector.owns_host(access.host())),
        // The one host of a vendor says nothing about a token, which may be that of another.
        None => Ok(one.setting(env::API_DOMAIN)?.is_some()),
    })
}

/// Chooses the connector of an account to be connected in a browser: where none is named, the one with a client.
fn choose_by_client(linked: Linked, arguments: &ConnectArguments) -> Result<&'static LinkedConnector, Failure> {
    let mut has_client = arguments.stored.sandbox;
    for one in linked.all() {
        has_client |= one.setting(env::CLIENT_ID)?.is_some();
    }
    if linked.are_several() && !has_client && arguments.connector.is_none() {
        let vendors = linked.names_with_oauth();
        if vendors.is_empty() {
            return Err(Failure::usage("no vendor here has OAuth: connect by an API token, see `connector connect --help`"));
        }
        let takes_token = linked.all().iter().any(|one| one.connector.takes_token());
        return Err(explain_missing_app(&vendors, &linked.name_client_variables(), takes_token));
    }
    linked.choose(arguments.connector.as_deref(), |one| {
        Ok(if arguments.stored.sandbox { one.sandbox.is_some() } else { one.setting(env::CLIENT_ID)?.is_some() })
    })
}

fn explain_missing_app(vendors: &str, variables: &str, takes_token: bool) -> Failure {
    let otherwise = if takes_token { ", or connect by an API token, see `connector connect --help`" } else { "" };
    Failure::usage(format!("no app of {vendors} is set up here: set {variables}{otherwise}"))
}

/// Explains why an account of a connector cannot be connected in a browser.
fn explain_no_browser(one: &LinkedConnector) -> Failure {
    let label = one.connector.label;
    if one.connector.oauth().is_none() {
        return Failure::usage(format!("{label} has no OAuth: connect by an API token, see `connector connect --help`"));
    }
    explain_missing_app(label, &one.client_variables().join(" and "), one.connector.takes_token())
}

/// Prints a link, and waits until the account is connected through it.
async fn connect_in_browser(linked: Linked, arguments: &ConnectArguments) -> Result<Exit, Failure> {
    let url = find_public_url(arguments.public_url.as_deref())?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    let one = choose_by_client(linked, arguments)?;
    check_not_open(one)?;
    // Checked before a store is created, which would end the use of the embedded sandbox.
    if (one.client()?.is_none() || one.connector.oauth().is_none()) && !is_in_sandbox(arguments, one) {
        return Err(explain_no_browser(one));
    }
    let stop = wait_for_stop();
    let client = build_client()?;
    let vault = arguments.stored.open_or_create(linked, &url, &client).await?;
    let begin = BeginOptions::default().with_name(arguments.name.as_deref()).with_view(arguments.view);
    let begun = vault.begin(&arguments.owner, one.key(), begin).await?;
    let link = vault.create_link(&arguments.owner, &begun.connection.id).await?;
    if let Some(listener) = bind_pages(&url).await {
        let runtime = build_runtime(linked, &client, vault.for_owner(&arguments.owner), Some(&vault), View::default())?;
        let host = Host::new(page_settings(url.clone()), runtime, vault.clone());
        tokio::spawn(connector_server::serve(listener, host, std::future::pending()));
    }
    let link = format!("{url}/oauth/start?link={}", link.expose_secret());
    render::say(&format!("Open this link in a browser, once: {link}"));
    if std::io::stderr().is_terminal() {
        open_browser(&link);
    }
    let waited = tokio::select! {
        waited = tokio::time::timeout(CONNECT_TIMEOUT, wait_until_connected(&vault, &begun.connection)) => waited.map_err(|_| "nobody used the link within ten minutes"),
        () = stop => Err("the command was stopped"),
    };
    match waited {
        Ok(connected) => print_json(&connected?),
        Err(why) => give_up(&vault, &begun.connection, why).await,
    }
}

/// Builds the settings for the pages of one authorization on this machine.
fn page_settings(public_url: String) -> Settings {
    let mut settings = Settings::default();
    settings.public_url = public_url;
    settings.max_body = 1 << 20;
    settings.timeout = Duration::from_mins(1);
    settings.concurrency = 16;
    settings.drain = Duration::ZERO;
    settings
}

/// Binds the port of the pages, if the URL is on this machine and no host serves them.
async fn bind_pages(url: &str) -> Option<TcpListener> {
    let address = url.strip_prefix("http://")?;
    TcpListener::bind(address).await.ok()
}

/// Opens the link in a browser of this machine, if there is one.
///
/// Other users of this machine may see the link among the arguments of the process. It opens once, and its authorization
/// ends in the same browser. A user who takes it connects an account of their own, which the printed connection shows.
fn open_browser(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(opener).arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

/// Waits until the store holds the result. Another process may serve the pages.
async fn wait_until_connected(vault: &Vault, begun: &Connection) -> Result<Connection, Failure> {
    let mut turns = tokio::time::interval(Duration::from_secs(1));
    loop {
        turns.tick().await;
        if let Some(connection) = read_result(vault, begun).await? {
            return Ok(connection);
        }
    }
}

/// Reads the result of an authorization; nothing while it waits.
async fn read_result(vault: &Vault, begun: &Connection) -> Result<Option<Connection>, Failure> {
    match vault.progress(&begun.owner, &begun.id).await? {
        Progress::Connected(connection) => Ok(Some(connection)),
        Progress::Renewed(connection) => {
            render::say(&format!("The account was connected already, as {:?}. That connection is renewed.", connection.name));
            Ok(Some(connection))
        }
        Progress::Declined => {
            let label = vault.app(&begun.app).map_or("the vendor", App::label);
            Err(Failure::not_ok(format!("Nothing was connected: it was cancelled at {label}.")))
        }
        Progress::Removed => Err(Failure::not_ok("Nothing was connected: the connection was removed.")),
        _ => Ok(None),
    }
}

/// Removes the connection, so that its name is free again, unless it was connected at the last moment.
async fn give_up(vault: &Vault, begun: &Connection, why: &str) -> Result<Exit, Failure> {
    // A response of the vendor that is on its way is stored, or its grant is given back.
    let _ = tokio::time::timeout(Duration::from_secs(10), vault.wait_until_idle()).await;
    if let Some(connected) = read_result(vault, begun).await? {
        return print_json(&connected);
    }
    vault.remove(&begun.owner, &begun.id).await?;
    Err(Failure::not_ok(format!("Nothing was connected: {why}.")))
}

/// Reads the API token from stdin.
fn read_token() -> Result<SecretString, Failure> {
    const MAX_BYTES: u64 = 4096;
    if std::io::stdin().is_terminal() {
        render::say("Paste the API token, and end with Ctrl-D.");
    }
    let mut text = String::new();
    std::io::stdin().take(MAX_BYTES).read_to_string(&mut text).map_err(|error| Failure::host(format!("stdin: {error}")))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::usage("stdin holds no API token: give it alone, on one line"));
    }
    Ok(token.to_owned().into())
}
