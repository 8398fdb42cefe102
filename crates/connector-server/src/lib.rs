//! The runtime over HTTP: actions, connections and a gateway for programs, and pages for people.
//!
//! People connect accounts, confirm installs and sign in on the pages.
//! A program hands a [`Host`] its runtime, its vault and its [`Settings`], and serves it on a listener. This crate reads
//! no environment variable and names no vendor: the connectors are those of the runtime.
//!
//! ```no_run
//! # async fn embed(runtime: connector_core::run::Runtime, vault: connector_connections::Vault) -> std::io::Result<()> {
//! use connector_server::{Host, Settings};
//!
//! let mut settings = Settings::default();
//! settings.public_url = "https://connect.example".to_owned();
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8030").await?;
//! let host = Host::new(settings, runtime.clone(), vault.clone());
//! let deadline = connector_server::serve(listener, host, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
//!
//! // Writes under an idempotency key outlive their callers. Responses of the vendor that are on their way are still stored.
//! runtime.wait_until_idle().await;
//! let _ = tokio::time::timeout_at(deadline, vault.wait_until_idle()).await;
//! # Ok(()) }
//! ```

mod api;
mod conduct;
mod host;
mod pages;
mod routes;
mod wire;

pub use host::{Audit, AuditCounts, AuditedCaller, Host, Installs, Settings, parse_connection_header};
pub use routes::serve;
