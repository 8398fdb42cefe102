//! What an engine brings so that no write is carried out twice: outcomes by idempotency key.

use async_trait::async_trait;

use crate::value::error::Error;

/// Outcomes by idempotency key.
///
/// A key is claimed before anything is sent and finished after it went well. It is released where nothing can have
/// been carried out; where a request may have been, it stays claimed, so that no later call repeats it unseen.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Claims a key for a call; `call` is the same text for the same connection, action and input.
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error>;
    /// Keeps what the call of a claimed key answered.
    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error>;
    /// Gives a claimed key back.
    async fn release(&self, key: &str) -> Result<(), Error>;
}

/// What a ledger says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new, and now this call's.
    Fresh,
    /// The same call was finished, and answered this.
    Finished(Vec<u8>),
    /// The same call was claimed and not finished: it runs, or ended without a known outcome.
    Unfinished,
    /// The key belongs to another call.
    OtherCall,
}
