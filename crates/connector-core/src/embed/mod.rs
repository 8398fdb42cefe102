//! Traits that an engine implements.

pub(crate) mod connections;
pub(crate) mod ledger;
