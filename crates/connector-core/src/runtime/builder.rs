//! How a runtime is set up: plain values, none of which is a type of the HTTP client.

use std::sync::Arc;

use crate::declare::connector::Connector;
use crate::embed::connections::Connections;
use crate::embed::ledger::Ledger;
use crate::runtime::catalogue::Catalogue;
use crate::runtime::spine::{Runtime, Spine};
use crate::value::error::{Error, ErrorKind};
use crate::wire::http::Http;
use crate::wire::transport::{Transport, TransportSettings};

/// A runtime to be set up.
#[derive(Default)]
pub struct Builder {
    connectors: Vec<&'static Connector>,
    connections: Option<Box<dyn Connections>>,
    ledger: Option<Box<dyn Ledger>>,
    transport: TransportSettings,
    http: Option<Http>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("connectors", &self.connectors.len()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// A runtime to be set up.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The connectors whose actions it can invoke.
    #[must_use]
    pub fn connectors(mut self, connectors: &[&'static Connector]) -> Self {
        self.connectors = connectors.to_vec();
        self
    }

    /// The connections that it may use.
    #[must_use]
    pub fn connections(mut self, connections: impl Connections + 'static) -> Self {
        self.connections = Some(Box::new(connections));
        self
    }

    /// Where outcomes are kept by idempotency key; without one, an invocation with a key is refused.
    #[must_use]
    pub fn ledger(mut self, ledger: impl Ledger + 'static) -> Self {
        self.ledger = Some(Box::new(ledger));
        self
    }

    /// How many bytes an answer may have; 64 MiB where it is not set.
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.transport.largest_answer = bytes;
        self
    }

    /// How many bytes a file may have that is sent, or fetched to where the caller wants it; 256 MiB where it is not set.
    #[must_use]
    pub fn largest_file(mut self, bytes: u64) -> Self {
        self.transport.largest_file = bytes;
        self
    }

    /// How many requests may be under way to one host; 64 where it is not set.
    #[must_use]
    pub fn connections_per_host(mut self, most: usize) -> Self {
        self.transport.per_host = most.max(1);
        self
    }

    /// A proxy for requests over https, as `http://proxy.example:3128`; what is meant for this machine never leaves it.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.transport.proxy = Some(url.into());
        self
    }

    /// Certificate authorities to trust beside the public ones, as PEM.
    #[must_use]
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.authorities = pem.into();
        self
    }

    /// The HTTP client to use, in place of one of its own; what is set of proxy, authorities and limits is that client's.
    #[must_use]
    pub fn http(mut self, http: &Http) -> Self {
        self.http = Some(http.clone());
        self
    }

    /// The runtime, or what is wrong with how it was set up.
    pub fn build(self) -> Result<Runtime, Error> {
        let connections = self.connections.ok_or_else(|| Error::new(ErrorKind::Bug, "The runtime was given no connections."))?;
        Ok(Runtime(Arc::new(Spine {
            catalogue: Arc::new(Catalogue::build(&self.connectors)?),
            connections,
            ledger: self.ledger,
            transport: match self.http {
                Some(http) => http.transport(),
                None => Arc::new(Transport::new(self.transport)?),
            },
        })))
    }
}
