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
mod routes;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderName;
use connector_connections::Vault;
use connector_core::{Error, Runtime};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use limit::Limit;
use metrics::Metrics;
use oauth::Cookies;
use routes::Route;

pub(crate) use oauth::Installs;

use crate::connectors::CONNECTORS;

/// How the host is to be.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The header that names the connection to the gateway.
    pub(crate) connection_header: HeaderName,
    /// Requests to the gateway that a key may make in a second; 0 means any number.
    pub(crate) rate: u32,
    /// How many bytes a body may have.
    pub(crate) max_body: usize,
    /// How long a request may take that is no invocation.
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

/// What every request stands on.
struct Host {
    settings: Settings,
    runtime: Runtime,
    vault: Vault,
    limit: Limit<u64>,
    metrics: Metrics,
    places: Arc<Semaphore>,
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
        self.settings.concurrency.saturating_sub(self.places.available_permits())
    }

    async fn ready(&self) -> Result<(), Error> {
        self.vault.list("", None, None).await.map(|_| ())
    }
}

/// Serves until `stop` ends.
pub(crate) async fn serve(
    listener: TcpListener,
    settings: Settings,
    runtime: Runtime,
    vault: Vault,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (limit, places) = (Limit::per_second(settings.rate), Arc::new(Semaphore::new(settings.concurrency)));
    let drain = settings.drain;
    let host = Arc::new(Host { settings, runtime, vault, limit, metrics: Metrics::default(), places });
    listen::serve(listener, routes::router(&host), drain, stop).await
}
