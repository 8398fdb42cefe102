//! Traits that an engine implements.

pub(crate) mod connections;
pub(crate) mod ledger;

pub use connections::{Connection, Connections, OneConnection};
pub use ledger::{Claim, Ledger};

pub use crate::value::access::{Access, Credential};
pub use crate::value::redaction::Redaction;
