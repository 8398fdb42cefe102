//! The accounts, the store, the apps and the HTTP client that a command works with.

pub(crate) mod accounts;
pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod cache;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod sandbox;
pub(crate) mod store;
pub(crate) mod stored;
