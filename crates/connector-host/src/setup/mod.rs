//! The accounts, the store, the apps and the HTTP client that a command works with.

pub(crate) mod accounts;
pub(crate) mod app;
pub(crate) mod audit;
#[cfg(feature = "otel")]
pub(crate) mod bridge;
pub(crate) mod cache;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod register;
pub(crate) mod sandbox;
pub(crate) mod settings_file;
pub(crate) mod store;
pub(crate) mod stored;
#[cfg(feature = "otel")]
pub(crate) mod telemetry;
pub(crate) mod traces;
