//! The builder of a runtime. It takes plain values, none of which is a type of the HTTP client.

use std::sync::Arc;

use crate::declare::connector::Connector;
use crate::embed::cache::Cache;
use crate::embed::connections::{Connections, NoConnections};
use crate::embed::ledger::Ledger;
use crate::embed::memory::MemoryLedger;
use crate::embed::memory_register::MemoryRegister;
use crate::embed::meter::Meter;
use crate::embed::observer::Observer;
use crate::embed::register::MatchRegister;
use crate::policy::retry::Retries;
use crate::runtime::catalogue::Catalogue;
use crate::runtime::keyed::tether::Running;
use crate::runtime::naming::Keeper;
use crate::runtime::pacing::Pacer;
use crate::runtime::spine::{Runtime, Spine};
use crate::value::error::Error;
use crate::value::view::View;
use crate::wire::http::Http;
use crate::wire::transport::{Transport, TransportSettings};

/// A builder of a runtime.
#[derive(Default)]
pub struct Builder {
    connectors: Vec<&'static Connector>,
    connections: Option<Arc<dyn Connections>>,
    ledger: Option<Arc<dyn Ledger>>,
    register: Option<Arc<dyn MatchRegister>>,
    cache: Option<Arc<dyn Cache>>,
    meter: Option<Arc<dyn Meter>>,
    transport: TransportSettings,
    http: Option<Http>,
    view: View,
    retries: Retries,
    observer: Option<Arc<dyn Observer>>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("connectors", &self.connectors.len()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Begins to build a runtime.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Sets the connectors whose actions can be invoked.
    #[must_use]
    pub fn connectors(mut self, connectors: &[&'static Connector]) -> Self {
        self.connectors = connectors.to_vec();
        self
    }

    /// Sets the connections that calls may use. Without any, only an API that is open to all can be called.
    #[must_use]
    pub fn connections(mut self, connections: impl Connections + 'static) -> Self {
        self.connections = Some(Arc::new(connections));
        self
    }

    /// Sets the ledger of outcomes by idempotency key. Without one they are kept until the process ends.
    #[must_use]
    pub fn ledger(mut self, ledger: impl Ledger + 'static) -> Self {
        self.ledger = Some(Arc::new(ledger));
        self
    }

    /// Sets the register of values by which upserts look for records.
    ///
    /// Without one, two upserts add one record in this process alone.
    #[must_use]
    pub fn register(mut self, register: impl MatchRegister + 'static) -> Self {
        self.register = Some(Arc::new(register));
        self
    }

    /// Sets the cache of lists that accounts define. Without one each process reads them for itself, once an hour.
    #[must_use]
    pub fn cache(mut self, cache: impl Cache + 'static) -> Self {
        self.cache = Some(Arc::new(cache));
        self
    }

    /// Sets the meter by which several hosts share the limits of connections.
    ///
    /// Without one a host takes each limit for itself.
    #[must_use]
    pub fn meter(mut self, meter: impl Meter + 'static) -> Self {
        self.meter = Some(Arc::new(meter));
        self
    }

    /// Sets the view of a call where neither it nor its connection names one. The default is the record view.
    #[must_use]
    pub fn view(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// Sets how often a request that failed is sent again. [`Retries::none`] leaves it to the caller.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the observer that is told of each call once it ended.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Limits the bytes of a response. The default is 64 MiB.
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.transport.largest_answer = bytes;
        self
    }

    /// Limits the bytes of a file that is sent, or fetched to a sink. The default is 256 MiB.
    #[must_use]
    pub fn largest_file(mut self, bytes: u64) -> Self {
        self.transport.largest_file = bytes;
        self
    }

    /// Limits the open requests to one host. The default is 64.
    #[must_use]
    pub fn connections_per_host(mut self, most: usize) -> Self {
        self.transport.per_host = most.max(1);
        self
    }

    /// Sets a proxy for https, as `http://proxy.example:3128`. Requests to this machine do not use it.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.transport.proxy = Some(url.into());
        self
    }

    /// Adds certificate authorities to the public ones, as PEM.
    #[must_use]
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.authorities = pem.into();
        self
    }

    /// Uses an HTTP client that exists. Its own proxy, authorities and limits apply.
    #[must_use]
    pub fn http(mut self, http: &Http) -> Self {
        self.http = Some(http.clone());
        self
    }

    /// Builds the runtime, or explains what is wrong with the settings.
    pub fn build(self) -> Result<Runtime, Error> {
        let catalogue = Arc::new(Catalogue::build(&self.connectors)?);
        Ok(Runtime(Arc::new(Spine {
            keeper: Keeper::new(&catalogue, self.cache),
            catalogue,
            connections: self.connections.unwrap_or_else(|| Arc::new(NoConnections)),
            ledger: self.ledger.unwrap_or_else(|| Arc::new(MemoryLedger::default())),
            register: self.register.unwrap_or_else(|| Arc::new(MemoryRegister::default())),
            running: Running::default(),
            view: self.view,
            retries: self.retries,
            observer: self.observer,
            pacer: Arc::new(Pacer::new(self.meter)),
            transport: match self.http {
                Some(http) => http.transport(),
                None => Arc::new(Transport::new(self.transport)?),
            },
        })))
    }
}
