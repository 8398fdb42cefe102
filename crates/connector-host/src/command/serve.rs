//! `connector serve`: the same over HTTP, for engines that do not embed it and for people's browsers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::http::HeaderName;
use connector_connections::{App, Vault};
use connector_core::{Access, Credential};
use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES, Sandbox, Store};
use tokio::net::TcpListener;

use super::{Failure, Stored, client, over, public_url, stopped};
use crate::accounts::sandbox_file;
use crate::exit_code::Exit;
use crate::http::{self, Installs, Settings};
use crate::store::{self, LOCAL};
use crate::{env, render};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8030)]
    port: u16,
    /// The address to listen on; this machine alone unless told otherwise
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    #[command(flatten)]
    stored: Stored,
    /// The URL at which browsers reach this host, https://connect.example
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Hand an install begun in Pipedrive's marketplace over to this page of a platform's, as `?install=HANDLE`
    #[arg(long, value_name = "URL", conflicts_with = "install")]
    install_redirect: Option<String>,
    /// What becomes of an install begun in Pipedrive's marketplace
    #[arg(long, default_value = "confirm")]
    install: Install,
    /// The header that names the connection to the gateway
    #[arg(long, value_name = "NAME", default_value = "Connector-Connection", value_parser = connection_header)]
    connection_header: HeaderName,
    /// Requests to the gateway that a key may make in a second; 0 means any number
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
    /// The largest body of a request, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    max_body: u16,
    /// How long a request may take and a body may stand still, in seconds; an invocation brings its own time
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
    /// How many requests may be under way at once
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// How long what is under way may take to end when the host is told to stop, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u16,
}

/// A header of the caller's own for this: one that means something else would be told as a name where it is none.
fn connection_header(name: &str) -> Result<HeaderName, String> {
    const TAKEN: [&str; 9] = ["authorization", "connection", "connector-owner", "cookie", "expect", "host", "te", "upgrade", "x-api-token"];
    let header = HeaderName::try_from(name).map_err(|_| "it is no header's name".to_owned())?;
    let means_else =
        ["accept", "content-", "proxy-", "sec-", "transfer-", "x-forwarded-"].iter().any(|start| header.as_str().starts_with(start));
    if means_else || TAKEN.contains(&header.as_str()) { Err("that header has a meaning of its own".to_owned()) } else { Ok(header) }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Install {
    /// It is held, and confirmed on a page
    Confirm,
    /// Its code is thrown away, and an authorization begins here
    Restart,
}

impl Arguments {
    fn installs(&self) -> Result<Installs, Failure> {
        match (&self.install_redirect, self.install) {
            (Some(url), _) if is_page(url) => Ok(Installs::Redirect(url.clone())),
            (Some(url), _) => Err(Failure::usage(format!(
                "--install-redirect {url:?}: write an https URL without a fragment; plain http is for this machine"
            ))),
            (None, Install::Confirm) => Ok(Installs::Confirm),
            (None, Install::Restart) => Ok(Installs::Restart),
        }
    }

    fn settings(&self, public_url: String, has_client: bool, installs: Installs) -> Settings {
        Settings {
            connection_header: self.connection_header.clone(),
            rate: self.rate,
            max_body: usize::from(self.max_body) << 20,
            timeout: Duration::from_secs(self.timeout.into()),
            concurrency: self.concurrency.into(),
            drain: Duration::from_secs(self.drain.into()),
            public_url,
            has_client,
            installs,
        }
    }

    /// Where browsers reach this host, where it was said.
    fn public_url(&self) -> Result<Option<String>, Failure> {
        let given = public_url(self.public_url.as_deref())?;
        // A person's cookies would travel in the clear.
        if !self.host.is_loopback() && !given.as_ref().is_some_and(|url| url.starts_with("https://")) {
            return Err(Failure::usage(format!(
                "--host {} is reached from beyond this machine: it needs --public-url, an https URL; let a proxy in front speak TLS",
                self.host
            )));
        }
        Ok(given)
    }
}

/// Whether a handle may be sent there, which is worth an install: over https, or to this machine; and nothing can follow a fragment.
fn is_page(url: &str) -> bool {
    let path = url.split_once("://").and_then(|(scheme, rest)| rest.find(['/', '?']).map(|at| scheme.len() + 3 + at));
    let origin = &url[..path.unwrap_or(url.len())];
    url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') && Access::new(origin, Credential::bearer("")).is_ok()
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    log();
    let (given, installs) = (arguments.public_url()?, arguments.installs()?);
    let listener = bound((arguments.host, arguments.port)).await?;
    let address = listener.local_addr().map_err(|error| Failure::host(error.to_string()))?;
    let public_url = given.unwrap_or_else(|| format!("http://{address}"));
    let app = if arguments.stored.sandbox { sandbox(arguments.port, &public_url).await? } else { store::app(&public_url)? };
    let has_client = arguments.stored.sandbox || env::variable(env::CLIENT_ID).is_some();
    let http = client()?;
    let vault = arguments.stored.kept()?.open(app, &http).await?;
    let runtime = over(&http, vault.for_owner(LOCAL))?;
    let settings = arguments.settings(public_url, has_client, installs);
    if !has_client {
        render::say(&format!(
            "No app of Pipedrive is set up: accounts connect by API token alone. Set {}, {} and {} for OAuth, or try --sandbox.",
            env::CLIENT_ID,
            env::CLIENT_SECRET,
            env::PUBLIC_URL
        ));
    }
    render::say(&format!("Listening on http://{address}"));
    tokio::spawn(swept(vault.clone()));
    let until = http::serve(listener, settings, runtime, vault.clone(), stopped()).await;
    // What the vendor answered meanwhile is stored, though its caller is gone.
    if tokio::time::timeout_at(until, vault.wait_until_idle()).await.is_err() {
        tracing::warn!("an exchange with Pipedrive is cut off");
    }
    Ok(Exit::Ok)
}

async fn bound(address: (IpAddr, u16)) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| Failure::host(format!("port {}: {error}; --port 0 takes a free one", address.1)))
}

/// A sandbox on the next port, so that it is found again, and the app that it knows.
async fn sandbox(port: u16, public_url: &str) -> Result<App, Failure> {
    let next = if port == 0 { 0 } else { port.checked_add(1).unwrap_or(0) };
    let listener = bound((Ipv4Addr::LOCALHOST.into(), next)).await?;
    let url = format!("http://{}", listener.local_addr().map_err(|error| Failure::host(error.to_string()))?);
    let callback = store::callback(public_url);
    let client = pipedrive_sandbox::App {
        name: "Connector".to_owned(),
        ..pipedrive_sandbox::App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &callback, SCOPES)
    };
    let options = Options { store: Store::File(sandbox_file()?), companies: 3, ..Options::for_app(client) };
    let sandbox = Sandbox::open(options).map_err(|error| Failure::host(error.to_string()))?;
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
    render::say(&format!(
        "A Pipedrive of your own: {url}\nInstall from its marketplace: {url}/marketplace/{DEMO_CLIENT_ID}\n\
         Sign in: connector sign-in --sandbox --public-url {public_url}"
    ));
    store::sandbox_app(&url, public_url)
}

/// Removes what nobody finished in time, now and every minute.
async fn swept(vault: Vault) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    loop {
        minutes.tick().await;
        match vault.sweep().await {
            Ok(swept) if swept.connections > 0 => {
                tracing::info!(connections = swept.connections, "connections that nobody finished are removed");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the store could not be swept"),
        }
    }
}

/// A line for each event, to stderr. What other crates say is left out: it could hold a URL with a code in it.
fn log() {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let ours = ["connector", "connector_core", "connector_connections"].map(|target| (target, tracing::Level::INFO));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Where a logger is set already, it is the one to use.
    let _ = tracing_subscriber::registry().with(lines).with(Targets::new().with_targets(ours)).try_init();
}
