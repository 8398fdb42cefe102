//! An engine in twenty lines, with a vault of its own and an action on a spawned task.
//!
//! `cargo run -p connector-host --example embed` uses a sandbox in memory; with PIPEDRIVE_DOMAIN and PIPEDRIVE_TOKEN set,
//! it uses that account.

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Access, Connection, Connections, Credential};
use connector_core::run::{Invocation, Runtime};
use serde_json::json;

/// The vault of the engine: the host of one account, and its token.
struct Vault(String, String);

#[async_trait]
impl Connections for Vault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("acme", &self.0).with_api_token())
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Access::new(&self.0, Credential::api_token(&self.1))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (domain, token) = find_account().await?;
    let runtime = Runtime::builder().connectors(&[&pipedrive_connector::CONNECTOR]).connections(Vault(domain, token)).build()?;

    let call = Invocation::new("getDeals").input(json!({"status": ["open"], "limit": 3})).id("step-1");
    let outcome = tokio::spawn(runtime.invoke(call)).await?;

    anstream::println!("{}", String::from_utf8(outcome.to_json())?);
    Ok(())
}

/// Finds the account of the environment, or starts a sandbox in memory.
async fn find_account() -> Result<(String, String), Box<dyn std::error::Error>> {
    if let (Ok(domain), Ok(token)) = (std::env::var("PIPEDRIVE_DOMAIN"), std::env::var("PIPEDRIVE_TOKEN")) {
        return Ok((domain, token));
    }
    let sandbox = pipedrive_sandbox::Sandbox::open(pipedrive_sandbox::Options::default())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let domain = format!("http://{}", listener.local_addr()?);
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
    Ok((domain, pipedrive_sandbox::DEMO_API_TOKEN.to_owned()))
}
