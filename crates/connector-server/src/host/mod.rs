//! The host: the parts that every request uses.

mod audit;
mod route;
mod settings;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use connector_connections::{App, Connection, Vault};
use connector_core::declare::Connector;
use connector_core::embed::TraceContext;
use connector_core::run::{Catalogue, Runtime};
use connector_core::{Error, ErrorKind};
use serde_json::Value;

use crate::wire::limit::RateLimit;
use crate::wire::metrics::Metrics;
use crate::wire::places::Places;
use crate::wire::refusal::Refusal;

pub use audit::{Audit, AuditCounts, AuditedCaller};
pub(crate) use route::{Audience, CONNECTION_HEADER, Route};
pub use settings::{Installs, Settings, parse_connection_header};

/// The last answer of the store: its time, and its error.
type Readiness = tokio::sync::Mutex<Option<(Instant, Option<(ErrorKind, String)>)>>;

/// A function that finds an example by connector and key.
type FindExample = Box<dyn Fn(&str, &str) -> Option<Value> + Send + Sync>;

/// A host to serve: a runtime, the vault of its owners' connections, and settings.
pub struct Host {
    pub(crate) settings: Settings,
    pub(crate) runtime: Runtime,
    pub(crate) vault: Vault,
    find_example: FindExample,
    /// The routes that the host describes.
    pub(crate) routes: Vec<&'static Route>,
    pub(crate) limit: RateLimit<u64>,
    pub(crate) metrics: Metrics,
    pub(crate) places: Arc<Places>,
    /// The bridge to the traces of callers, if spans are collected.
    pub(crate) bridge: Option<Box<dyn TraceContext>>,
    /// The audit of all calls, if one is kept.
    pub(crate) audit: Option<Box<dyn Audit>>,
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
            find_example: Box::new(|_, _| None),
            routes: Vec::new(),
            metrics: Metrics::default(),
            bridge: None,
            audit: None,
            openapi: OnceLock::new(),
            readiness: Readiness::default(),
        }
    }

    /// Adds examples to the descriptions of actions and data sources; `find` takes the connector's key and theirs.
    #[must_use]
    pub fn with_examples(mut self, find: impl Fn(&str, &str) -> Option<Value> + Send + Sync + 'static) -> Self {
        self.find_example = Box::new(find);
        self
    }

    /// Joins the traces of callers.
    ///
    /// A request with a `traceparent` continues its trace, and each response names its own.
    #[must_use]
    pub fn with_traces(mut self, bridge: impl TraceContext + 'static) -> Self {
        self.bridge = Some(Box::new(bridge));
        self
    }

    /// Keeps an audit of all calls. While it admits none, none is begun.
    #[must_use]
    pub fn with_audit(mut self, audit: impl Audit + 'static) -> Self {
        self.audit = Some(Box::new(audit));
        self
    }

    /// Finds the example of an action or data source of a connector.
    pub(crate) fn find_example(&self, connector: &str, key: &str) -> Option<Value> {
        (self.find_example)(connector, key)
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.runtime.catalogue()
    }

    /// Finds the connector that a caller names.
    pub(crate) fn find_connector(&self, named: &str) -> Result<&'static Connector, Refusal> {
        self.catalogue().find_connector(Some(named)).map_err(|error| {
            // The key is the caller's text, and messages are logged.
            Refusal::bad_request("There is no such connector.", error.hint().unwrap_or_default())
        })
    }

    /// Chooses the connector that is named, else the only one, else the only one among those that could be meant.
    ///
    /// `how` says how a caller names it.
    pub(crate) fn choose_connector(
        &self,
        named: Option<&str>,
        is_meant: impl Fn(&Connector) -> bool,
        how: &str,
    ) -> Result<&'static Connector, Refusal> {
        if let Some(named) = named {
            return self.find_connector(named);
        }
        let all = self.catalogue().connectors();
        let meant: Vec<&'static Connector> = all.iter().copied().filter(|connector| is_meant(connector)).collect();
        match (all, meant.as_slice()) {
            ([only], _) | (_, [only]) => Ok(only),
            (all, meant) => {
                let meant = if meant.is_empty() { all } else { meant };
                let keys: Vec<&str> = meant.iter().map(|connector| connector.key).collect();
                Err(Refusal::bad_request("Several connectors could be meant.", format!("Name one {how}: {}.", keys.join(" or "))))
            }
        }
    }

    /// Chooses the connector of a redirect that came without a state: the one whose redirect URI it used.
    pub(crate) fn choose_redirected(&self, named: Option<&str>) -> Result<&'static Connector, Refusal> {
        let parameter = named.map(|named| format!("connector={named}"));
        let is_used = |uri: &str| match (&parameter, uri.split_once('?')) {
            (Some(parameter), Some((_, query))) => query.split('&').any(|other| other == parameter),
            (None, query) => query.is_none_or(|(_, query)| !query.contains("connector=")),
            _ => false,
        };
        let is_meant = |connector: &Connector| {
            let uri = self.vault.app(connector.key).ok().and_then(App::redirect_uri);
            uri.is_some_and(is_used)
        };
        self.choose_connector(named, is_meant, "in the query of the redirect URI, as connector=KEY")
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

    /// Refuses to show a page if no vendor registered a client for this host. Its people cannot mend that.
    pub(crate) fn require_client(&self) -> Result<(), Refusal> {
        if self.apps().any(App::is_registered) {
            return Ok(());
        }
        let (message, hint) = ("Accounts cannot be connected here yet.", "Tell whoever sent you here.");
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::NoConnection, message, hint))
    }

    /// Builds the error for a host without a client at any vendor.
    pub(crate) fn explain_missing_client(&self) -> Error {
        let with_oauth = self.catalogue().connectors().iter().filter(|connector| connector.oauth().is_some());
        let vendors: Vec<&str> = with_oauth.map(|connector| connector.label).collect();
        if vendors.is_empty() {
            return Error::new(ErrorKind::NoConnection, "No vendor of this host has OAuth.")
                .with_hint("Connect an account by an API token.");
        }
        let message = format!("No app of {} is set up on this host.", vendors.join(" or "));
        Error::new(ErrorKind::NoConnection, message).with_hint(&self.settings.no_client_hint)
    }

    /// Builds the path of the page that begins an authorization. It names a connector where several could be meant.
    pub(crate) fn start_path(&self, connector: &Connector) -> String {
        match self.find_only(None) {
            Some(only) if only.key == connector.key => "/oauth/start".to_owned(),
            _ => format!("/oauth/start?connector={}", connector.key),
        }
    }

    /// Finds the connector that is named, else the only one whose accounts can connect here.
    pub(crate) fn find_only(&self, named: Option<&'static Connector>) -> Option<&'static Connector> {
        named.or_else(|| self.choose_connector(None, |connector| self.has_client(connector.key), "").ok())
    }

    /// Counts the requests of programs in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.settings.concurrency.saturating_sub(self.places.free())
    }

    /// Checks that calls can be carried out: the store answers, and the audit can be written.
    ///
    /// Anyone may ask; the store is asked once a second at most.
    pub(crate) async fn check_ready(&self) -> Result<(), Error> {
        const REMEMBERED: Duration = Duration::from_secs(1);
        self.audit.as_ref().map_or(Ok(()), |audit| audit.admit())?;
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
