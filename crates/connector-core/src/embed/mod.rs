//! Traits that an engine implements.

pub(crate) mod cache;
pub(crate) mod connections;
pub(crate) mod ledger;
pub(crate) mod memory;
pub(crate) mod memory_register;
pub(crate) mod meter;
pub(crate) mod observer;
pub(crate) mod register;
pub(crate) mod trace;

pub use cache::{Cache, CacheEntry, CacheKey, FRESH, READING};
pub use connections::{Connection, Connections, OneConnection};
pub use ledger::{Claim, Kept, KeyedCall, LEASE, Ledger};
pub use meter::{Lease, LeaseReport, Meter, MeteredWindow, PERMIT_LEASE};
pub use observer::{EndedCall, Observer, WordedRequest};
pub use register::{MATCH_LEASE, MATCH_MEMORY, MOST_MATCHES, MatchClaim, MatchEnding, MatchMemory, MatchRegister};
pub use trace::TraceContext;

pub use crate::value::access::{Access, Credential};
pub use crate::value::invocation::SendGuard;
pub use crate::value::redaction::Redaction;
