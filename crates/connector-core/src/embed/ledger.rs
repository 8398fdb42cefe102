//! Outcomes by idempotency key, so that no write is carried out twice.

use async_trait::async_trait;

use crate::value::error::Error;

/// A store of outcomes by idempotency key.
///
/// A key is claimed before anything is sent, and finished after success. It is released if nothing can have
/// been carried out. If a request may have been, the key stays claimed, so that no later call repeats it unseen.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Claims a key for a call. `call` is the same text for the same connection, action and input.
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error>;
    /// Stores the answer of the call that claimed a key.
    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error>;
    /// Releases a claimed key.
    async fn release(&self, key: &str) -> Result<(), Error>;
}

/// The state of a key in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The key is new, and is now claimed for this call.
    Fresh,
    /// The same call was finished with this answer.
    Finished(Vec<u8>),
    /// The same call claimed the key and has not finished: it runs, or ended without a known outcome.
    Unfinished,
    /// The key belongs to another call.
    OtherCall,
}
