//! The host: the parts that every request uses.

mod route;
mod settings;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use connector_connections::{App, Connection, Vault};
use connector_core::{Catalogue, Error, ErrorKind, Runtime};
use serde_json::Value;

use crate::wire::limit::RateLimit;
use crate::wire::metrics::Metrics;
use crate::wire::places::Places;
use crate::wire::refusal::Refusal;

pub(crate) use route::{Audience, CONNECTION_HEADER, Route};
pub use settings::{Installs, Settings, parse_connection_header};

/// The last answer of the store: its time, and its error.
type Readiness = tokio::sync::Mutex<Option<(Instant, Option<(ErrorKind, String)>)>>;

/// A host to serve: a runtime, the vault of its owners' connections, and settings.
pub struct Host {
    pub(crate) settings: Settings,
    pub(crate) runtime: Runtime,
    pub(crate) vault: Vault,
    pub(crate) find_example: fn(&str) -> Option<Value>,
    /// The routes that the host describes.
    pub(crate) routes: Vec<&'static Route>,
    pub(crate) limit: RateLimit<u64>,
    pub(crate) metrics: Metrics,
    pub(crate) places: Arc<Places>,
    pub(crate) openapi: OnceLock<Value>,
    readiness: Readiness,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("settings", &self.settings).field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

impl Host {
    /// Builds a host that serves the catalogue of a runtime for every owner of a vault.
    ///
    /// The connections of the runtime itself are never used.
    pub fn new(settings: Settings, runtime: Runtime, vault: Vault) -> Self {
        Self {
            limit: RateLimit::per_second(settings.rate),
            places: Arc::new(Places::new(settings.concurrency)),
            settings,
            runtime,
            vault,
            find_example: |_| None,
            routes: Vec::new(),
            metrics: Metrics::default(),
            openapi: OnceLock::new(),
            readiness: Readiness::default(),
        }
    }

    /// Adds examples to the descriptions of actions and data sources; `find` takes a key.
    #[must_use]
    pub fn with_examples(mut self, find: fn(&str) -> Option<Value>) -> Self {
        self.find_example = find;
        self
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.runtime.catalogue()
    }

    /// Finds the key of the connector that is named, else of the only one.
    pub(crate) fn connector_key<'a>(&self, named: Option<&'a str>) -> Result<&'a str, Refusal> {
        match named {
            Some(key) => Ok(key),
            None => Ok(self.catalogue().find_connector(None)?.key),
        }
    }

    /// Finds the name of a connection's vendor. Without a connection, it is the one of the only connector.
    pub(crate) fn vendor_name(&self, connection: Option<&Connection>) -> &'static str {
        let label = |key: &str| Some(self.catalogue().find_connector(Some(key)).ok()?.label);
        let only = || self.catalogue().find_connector(None).map_or("the vendor", |connector| connector.label);
        connection.and_then(|connection| label(&connection.app)).unwrap_or_else(only)
    }

    /// Lists the apps that accounts can connect through.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &App> {
        self.catalogue().connectors().iter().filter_map(|connector| self.vault.app(connector.key).ok())
    }

    /// Checks whether accounts of a connector can connect by OAuth.
    pub(crate) fn has_client(&self, app: &str) -> bool {
        self.vault.app(app).is_ok_and(App::is_registered)
    }

    /// Refuses a request if no vendor registered a client for this host.
    pub(crate) fn require_client(&self) -> Result<(), Refusal> {
        if self.apps().any(App::is_registered) {
            return Ok(());
        }
        let vendors: Vec<&str> = self.catalogue().connectors().iter().map(|connector| connector.label).collect();
        let message = format!("No app of {} is set up on this host.", vendors.join(" or "));
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::NoConnection, message, &self.settings.no_client_hint))
    }

    /// Counts the requests of programs in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.settings.concurrency.saturating_sub(self.places.free())
    }

    /// Checks that the store answers. Anyone may ask; the store is asked once a second at most.
    pub(crate) async fn check_ready(&self) -> Result<(), Error> {
        const REMEMBERED: Duration = Duration::from_secs(1);
        let mut last = self.readiness.lock().await;
        if let Some((time, failure)) = &*last
            && time.elapsed() < REMEMBERED
        {
            return failure.as_ref().map_or(Ok(()), |(kind, message)| Err(Error::new(*kind, message.clone())));
        }
        let listed = self.vault.list("", None, None).await;
        *last = Some((Instant::now(), listed.as_ref().err().map(|error| (error.kind(), error.message().to_owned()))));
        listed.map(|_| ())
    }
}
