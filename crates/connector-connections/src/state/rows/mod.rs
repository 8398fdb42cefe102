//! Statements of each table, and the readers of their rows. No other file holds SQL of these tables.

pub(crate) mod api_keys;
pub(crate) mod connections;
pub(crate) mod ended;
pub(crate) mod installs;
pub(crate) mod ledger;
pub(crate) mod leftovers;
pub(crate) mod sealed;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod used;
pub(crate) mod visits;
