//! `connector serve`: the runtime, its connections and a gateway over HTTP.

mod answer;
mod body;
mod caller;
mod catalogue;
mod conduct;
mod connections;
mod gateway;
mod health;
mod invoke;
mod limit;
mod listen;
mod metrics;
mod oauth;
mod openapi;
mod places;
mod routes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderName;
use connector_connections::Vault;
use connector_core::{Error, ErrorKind, Runtime};
use limit::Limit;
use listen::Patience;
use metrics::Metrics;
use oauth::Cookies;
use places::Places;
use routes::Route;
use tokio::net::TcpListener;

pub(crate) use oauth::Installs;

use crate::terminal::connectors::CONNECTORS;

/// How the host is to be.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The header that names the connection to the gateway.
    pub(crate) connection_header: HeaderName,
    /// Requests to the gateway that a key may make in a second; 0 means any number.
    pub(crate) rate: u32,
    /// How many bytes a body may have.
    pub(crate) max_body: usize,
    /// How long a request may take that is no invocation, and a body may stand still.
    pub(crate) timeout: Duration,
    /// How many requests may be under way.
    pub(crate) concurrency: usize,
    /// How long what is under way may take to end when the host stops.
    pub(crate) drain: Duration,
    /// The URL at which browsers reach this host.
    pub(crate) public_url: String,
    /// Whether the vendor registered this host, so that accounts can connect by OAuth.
    pub(crate) has_client: bool,
    /// What becomes of an install that comes without a state.
    pub(crate) installs: Installs,
}

/// The app that a connection is of where none is named.
fn first_app() -> &'static str {
    CONNECTORS[0].key
}

/// When the store was asked last, and what was wrong with it.
type Readiness = tokio::sync::Mutex<Option<(Instant, Option<(ErrorKind, String)>)>>;

/// What every request stands on.
struct Host {
    settings: Settings,
    runtime: Runtime,
    vault: Vault,
    limit: Limit<u64>,
    metrics: Metrics,
    places: Arc<Places>,
    readiness: Readiness,
}

impl Settings {
    /// For the pages of one authorization on this machine.
    pub(crate) fn for_pages(public_url: String) -> Self {
        Self {
            connection_header: HeaderName::from_static("connector-connection"),
            rate: 10,
            max_body: 1 << 20,
            timeout: Duration::from_mins(1),
            concurrency: 16,
            drain: Duration::ZERO,
            public_url,
            has_client: true,
            installs: Installs::Confirm,
        }
    }

    /// Whether people reach the host on this machine alone.
    fn is_for_this_machine(&self) -> bool {
        self.public_url.split_once("://").is_some_and(|(_, authority)| caller::is_this_machine(authority))
    }

    fn cookies(&self) -> Cookies {
        Cookies::at(&self.public_url)
    }

    /// An invocation brings its own time, which may be an hour: the host is not to cut it off before.
    fn time_for(&self, route: &Route) -> Duration {
        const FOR_AN_INVOCATION: Duration = Duration::from_secs(3700);
        if route.gives.2 == "Outcome" { self.timeout.max(FOR_AN_INVOCATION) } else { self.timeout }
    }
}

impl Host {
    fn in_flight(&self) -> usize {
        self.settings.concurrency.saturating_sub(self.places.free())
    }

    /// Whether the store answers; anyone may ask, which is to cost it no more than a question a second.
    async fn ready(&self) -> Result<(), Error> {
        const REMEMBERED: Duration = Duration::from_secs(1);
        let mut known = self.readiness.lock().await;
        if let Some((since, failure)) = &*known
            && since.elapsed() < REMEMBERED
        {
            return failure.as_ref().map_or(Ok(()), |(kind, message)| Err(Error::new(*kind, message.clone())));
        }
        let asked = self.vault.list("", None, None).await;
        *known = Some((Instant::now(), asked.as_ref().err().map(|error| (error.kind(), error.message().to_owned()))));
        asked.map(|_| ())
    }
}

/// Serves until `stop` ends, and tells until when the rest may take to end.
pub(crate) async fn serve(
    listener: TcpListener,
    settings: Settings,
    runtime: Runtime,
    vault: Vault,
    stop: impl Future<Output = ()>,
) -> tokio::time::Instant {
    let (limit, places) = (Limit::per_second(settings.rate), Arc::new(Places::new(settings.concurrency)));
    let patience = Patience { unread: settings.timeout, drain: settings.drain };
    let host = Arc::new(Host { settings, runtime, vault, limit, metrics: Metrics::default(), places, readiness: Readiness::default() });
    listen::serve(listener, routes::router(&host), patience, stop).await
}
