//! Outcomes by idempotency key, so that no write is carried out twice.

use async_trait::async_trait;

use crate::value::error::Error;

/// A store of outcomes by idempotency key.
///
/// A key is claimed before anything is sent, and finished after success. It is released if nothing can have
/// been carried out. If a request may have been, the key stays claimed, so that no later call repeats it unseen.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Mutex, PoisonError};
///
/// use async_trait::async_trait;
/// use connector_core::Error;
/// use connector_core::embed::{Claim, Ledger};
///
/// /// The ledger of a single process: the call and the answer of each key.
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, (String, Option<Vec<u8>>)>>);
///
/// impl InMemory {
///     fn edit<T>(&self, edit: impl FnOnce(&mut HashMap<String, (String, Option<Vec<u8>>)>) -> T) -> T {
///         edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
///     }
/// }
///
/// #[async_trait]
/// impl Ledger for InMemory {
///     async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error> {
///         Ok(self.edit(|keys| match keys.get(key) {
///             None => {
///                 keys.insert(key.to_owned(), (call.to_owned(), None));
///                 Claim::Fresh
///             }
///             Some((claimed, _)) if claimed != call => Claim::OtherCall,
///             Some((_, Some(answer))) => Claim::Finished(answer.clone()),
///             Some((_, None)) => Claim::Unfinished,
///         }))
///     }
///
///     async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error> {
///         self.edit(|keys| keys.get_mut(key).map(|(_, finished)| finished.replace(answer)));
///         Ok(())
///     }
///
///     async fn release(&self, key: &str) -> Result<(), Error> {
///         self.edit(|keys| keys.remove(key));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let ledger = InMemory::default();
/// assert_eq!(ledger.claim("order-7", "create it").await?, Claim::Fresh);
/// ledger.finish("order-7", b"{}".to_vec()).await?;
/// assert_eq!(ledger.claim("order-7", "create it").await?, Claim::Finished(b"{}".to_vec()));
///
/// // A runtime takes it beside the connections: Runtime::builder().ledger(ledger).
/// # Ok(())
/// # }
/// ```
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
