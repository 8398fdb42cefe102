//! What an engine brings along: a vault of its own, and a sandbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use connector_core::{Access, Connection, Connections, Credential, Error};
use pipedrive_sandbox::{Bearer, Options, Sandbox};
use tokio::net::TcpListener;

pub(crate) async fn sandbox(options: Options) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(pipedrive_sandbox::serve(listener, Sandbox::open(options).expect("a sandbox opens")));
    url
}

pub(crate) fn bearer(token: &str, scopes: &[&str]) -> Bearer {
    Bearer { token: token.to_owned(), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), user: None }
}

/// A vault whose token is stale until it is renewed.
pub(crate) struct Vault {
    pub(crate) url: String,
    pub(crate) renewed: Arc<AtomicU32>,
}

#[async_trait]
impl Connections for Vault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("vault", &self.url).as_sandbox())
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Access::new(&self.url, Credential::bearer("stale"))
    }

    async fn renew(&self, _connection: &Connection, refused: &Access) -> Result<Option<Access>, Error> {
        self.renewed.fetch_add(1, Ordering::Relaxed);
        Access::new(refused.origin(), Credential::bearer("fresh")).map(Some)
    }
}
