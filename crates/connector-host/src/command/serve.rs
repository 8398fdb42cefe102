//! `connector serve`: serves actions, connections and a gateway over HTTP.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use connector_connections::{App, Vault};
use connector_core::embed::{Access, Credential};
use connector_core::run::View;
use connector_server::{Host, Installs, Settings, parse_connection_header};
use tokio::net::TcpListener;

use crate::setup::app::{build_apps, build_apps_beside};
use crate::setup::audit::AuditLog;
use crate::setup::http::{build_client, build_runtime};
use crate::setup::sandbox::{check_faults, serve_beside_host};
use crate::setup::stored::StoreArguments;
use crate::setup::traces::Traces;
use crate::terminal::arguments::{DEFAULT_URL, LOCAL_OWNER, build_view_parser, find_public_url};
use crate::terminal::examples::Examples;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::{Failure, explain_unbound};
use crate::terminal::linked::Linked;
use crate::terminal::stop::wait_for_stop;
use crate::terminal::{env, render};

#[derive(clap::Args)]
pub(super) struct ServeArguments {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8030)]
    port: u16,
    /// The address to listen on; by default, only this machine can reach it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    #[command(flatten)]
    stored: StoreArguments,
    /// The URL at which browsers reach this host, as https://connect.example
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Redirect an install from a vendor's marketplace to this page of a platform, with `?install=HANDLE`
    #[arg(long, value_name = "URL", conflicts_with = "install")]
    install_redirect: Option<String>,
    /// The way to handle an install from a vendor's marketplace
    #[arg(long, default_value = "confirm")]
    install: InstallChoice,
    /// The header by which a request to the gateway names its connection
    #[arg(long, value_name = "NAME", default_value = "Connector-Connection", value_parser = parse_connection_header)]
    connection_header: http::HeaderName,
    /// The shape of the data where neither the invocation, the API key nor the connection names one
    #[arg(long, default_value_t, value_parser = build_view_parser())]
    view: View,
    /// The most requests that an API key may send to the gateway in a second; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
    /// The largest body of a request, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    max_body: u16,
    /// The timeout of a request, and of each pause in a body, in seconds; invocations have their own timeout
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
    /// The most requests of programs in flight at once; people have places of their own
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// The time that open requests get to end when the host stops, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u16,
    /// The file to which a line is appended for each call, or - for stdout; by default CONNECTOR_AUDIT
    #[arg(long, value_name = "FILE")]
    audit: Option<String>,
    /// Faults that the sandbox makes on purpose, or @FILE; `connector sandbox --help` lists them
    #[arg(long, value_name = "SPEC", requires = "sandbox")]
    faults: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum InstallChoice {
    /// Hold the install until an owner confirms it on a page
    Confirm,
    /// Drop its code, and begin an authorization here
    Restart,
}

impl ServeArguments {
    fn installs(&self) -> Result<Installs, Failure> {
        match (&self.install_redirect, self.install) {
            (Some(url), _) if is_page(url) => Ok(Installs::Redirect(url.clone())),
            (Some(url), _) => Err(Failure::usage(format!(
                "--install-redirect {url:?}: write an https URL without a fragment; plain http is for this machine"
            ))),
            (None, InstallChoice::Confirm) => Ok(Installs::Confirm),
            (None, InstallChoice::Restart) => Ok(Installs::Restart),
        }
    }

    fn settings(&self, linked: Linked, public_url: String, installs: Installs) -> Settings {
        let mut settings = Settings::default();
        settings.public_url = public_url;
        settings.connection_header = self.connection_header.clone();
        settings.rate = self.rate;
        settings.max_body = usize::from(self.max_body) << 20;
        settings.timeout = Duration::from_secs(self.timeout.into());
        settings.concurrency = self.concurrency.into();
        settings.drain = Duration::from_secs(self.drain.into());
        settings.installs = installs;
        settings.no_client_hint = format!("Whoever runs this host sets {}, or starts it with --sandbox.", linked.name_client_variables());
        settings
    }

    /// Finds the URL at which browsers reach this host. A host that others reach needs one.
    fn public_url(&self) -> Result<Option<String>, Failure> {
        let url = find_public_url(self.public_url.as_deref())?;
        // Cookies would travel in the clear.
        if !self.host.is_loopback() && !url.as_ref().is_some_and(|url| url.starts_with("https://")) {
            return Err(Failure::usage(format!(
                "--host {} is reached from beyond this machine: it needs --public-url with an https URL, and a proxy in front for TLS",
                self.host
            )));
        }
        Ok(url)
    }
}

/// Checks that an install may be sent to a URL: over https or to this machine, and without a fragment.
fn is_page(url: &str) -> bool {
    let path = url.split_once("://").and_then(|(scheme, rest)| rest.find(['/', '?']).map(|at| scheme.len() + 3 + at));
    let origin = &url[..path.unwrap_or(url.len())];
    url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') && Access::new(origin, Credential::bearer("")).is_ok()
}

pub(super) async fn run(linked: Linked, arguments: ServeArguments) -> Result<Exit, Failure> {
    let traces = Traces::start_with_log()?;
    let (public_url, installs) = (arguments.public_url()?, arguments.installs()?);
    let audit = arguments.audit.clone().or_else(|| env::variable(env::AUDIT));
    let place = arguments.stored.place()?;
    if let Some(faults) = arguments.faults.as_deref() {
        check_faults(linked, faults)?;
    }
    build_apps(linked, public_url.as_deref().unwrap_or(DEFAULT_URL))?;
    // All that can be wrong with the arguments is known: ports are bound, and files written, from here on.
    let audit = audit.map(|place| AuditLog::open(&place)).transpose()?;
    let listener = bind((arguments.host, arguments.port), "").await?;
    let address = listener.local_addr().map_err(|error| Failure::host(error.to_string()))?;
    let public_url = public_url.unwrap_or_else(|| format!("http://{address}"));
    let apps = if arguments.stored.sandbox {
        let demo = serve_beside_host(linked, bind_next(arguments.port).await?, &public_url, arguments.faults.as_deref())?;
        build_apps_beside(demo, linked, &public_url)?
    } else {
        build_apps(linked, &public_url)?
    };
    let has_client = apps.iter().any(App::is_registered);
    let http = build_client()?;
    let vault = place.open_or_create(apps, &http).await?;
    let runtime = build_runtime(linked, &http, vault.for_owner(LOCAL_OWNER), Some(&vault), arguments.view)?;
    let settings = arguments.settings(linked, public_url, installs);
    let drain = settings.drain;
    let with_oauth = linked.names_with_oauth();
    if !has_client && !with_oauth.is_empty() {
        render::say(&format!(
            "No app of {with_oauth} is set up: accounts can connect by API token only. Set {} for OAuth, or try --sandbox.",
            linked.name_client_variables()
        ));
    }
    render::say(&format!("Listening on http://{address}"));
    tokio::spawn(sweep_every_minute(vault.clone()));
    let examples = Examples::new(linked);
    let host = Host::new(settings, runtime.clone(), vault.clone()).with_examples(move |connector, key| examples.find(connector, key));
    let host = traces.join(host);
    let host = match &audit {
        Some(audit) => host.with_audit(audit.clone()),
        None => host,
    };
    let deadline = connector_server::serve(listener, host, wait_for_stop()).await;
    // A write under an idempotency key outlives its caller, and its outcome is kept.
    tokio::select! {
        () = runtime.wait_until_idle() => {}
        () = wait_for_stop() => tracing::warn!("writes under an idempotency key were cut off: their outcomes are lost"),
    }
    runtime.give_back_permits().await;
    // A response of the vendor is stored, although its caller has gone.
    if tokio::time::timeout_at(deadline, vault.wait_until_idle()).await.is_err() {
        tracing::warn!("an exchange with a vendor was cut off");
    }
    traces.stop().await;
    audit.map_or(Ok(()), |audit| audit.close(drain))?;
    Ok(Exit::Ok)
}

/// Binds a port. `why` says what it is for, where that is not plain.
async fn bind(address: (IpAddr, u16), why: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| explain_unbound(address.1, &error, why))
}

/// Binds the port after the one of this host, so that clients find the sandbox there again.
async fn bind_next(port: u16) -> Result<TcpListener, Failure> {
    let next = if port == 0 { 0 } else { port.checked_add(1).unwrap_or(0) };
    bind((Ipv4Addr::LOCALHOST.into(), next), " for the sandbox, which takes the port after that of --port").await
}

/// Removes unfinished connections and installs that are too old, now and every minute.
async fn sweep_every_minute(vault: Vault) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    loop {
        minutes.tick().await;
        match vault.sweep().await {
            Ok(report) if report.connections > 0 => {
                tracing::info!(connections = report.connections, "unfinished connections were removed");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the sweep of the store failed"),
        }
    }
}
