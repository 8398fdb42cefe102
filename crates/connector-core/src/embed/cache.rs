//! Definitions by account, so that a list which an account defines is read once an hour over all processes.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::value::error::Error;

/// The time for which definitions count as fresh.
pub const FRESH: Duration = Duration::from_hours(1);

/// The time for which a claim to read definitions holds. After that its process is taken for dead.
pub const READING: Duration = Duration::from_secs(10);

/// A store of lists that accounts define: fields with their options, stages, users.
///
/// A runtime keeps what it read in memory, for as long as it lives. A cache is for what several processes share.
/// A cache that fails costs calls and nothing else: the list is read from the vendor then.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Mutex, PoisonError};
///
/// use async_trait::async_trait;
/// use connector_core::Error;
/// use connector_core::embed::{Cache, CacheEntry, CacheKey};
///
/// /// The cache of a single process: a list, or `None` while it is read.
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<CacheKey, Option<CacheEntry>>>);
///
/// impl InMemory {
///     fn edit<T>(&self, edit: impl FnOnce(&mut HashMap<CacheKey, Option<CacheEntry>>) -> T) -> T {
///         edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
///     }
/// }
///
/// #[async_trait]
/// impl Cache for InMemory {
///     async fn load(&self, key: &CacheKey) -> Result<Option<CacheEntry>, Error> {
///         Ok(self.edit(|entries| entries.get(key).cloned().flatten()))
///     }
///
///     async fn claim(&self, key: &CacheKey) -> Result<bool, Error> {
///         Ok(self.edit(|entries| entries.insert(key.clone(), None) != Some(None)))
///     }
///
///     async fn store(&self, key: &CacheKey, entry: &CacheEntry) -> Result<(), Error> {
///         self.edit(|entries| entries.insert(key.clone(), Some(entry.clone())));
///         Ok(())
///     }
///
///     async fn release(&self, key: &CacheKey) -> Result<(), Error> {
///         self.edit(|entries| entries.retain(|other, entry| other != key || entry.is_some()));
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Cache: Send + Sync {
    /// Returns the owner of the entries. A runtime keeps what it read apart by owner.
    fn owner(&self) -> String {
        String::new()
    }
    /// Returns the entry of a key, however old it is.
    async fn load(&self, key: &CacheKey) -> Result<Option<CacheEntry>, Error>;
    /// Claims the reading of an entry for [`READING`]. Of several callers at once, one gets `true`.
    async fn claim(&self, key: &CacheKey) -> Result<bool, Error>;
    /// Stores an entry that was read, and ends the claim.
    async fn store(&self, key: &CacheKey, entry: &CacheEntry) -> Result<(), Error>;
    /// Ends the claim of a caller that read nothing.
    async fn release(&self, key: &CacheKey) -> Result<(), Error>;
}

/// The place of a list in a cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CacheKey {
    /// The connector.
    pub connector: String,
    /// The id of the connection, or its name if that identifies it.
    pub connection: String,
    /// The host of the account: a connection that moves to another account shares nothing with it.
    pub origin: String,
    /// The action that lists the definitions.
    pub list: String,
}

/// A list as it was read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// The records of the list, as the text of a JSON array.
    pub text: Vec<u8>,
    /// The time at which it was read.
    pub read_at: SystemTime,
}

impl CacheKey {
    /// Builds the key of a list.
    pub fn new(connector: impl Into<String>, connection: impl Into<String>, origin: impl Into<String>, list: impl Into<String>) -> Self {
        Self { connector: connector.into(), connection: connection.into(), origin: origin.into(), list: list.into() }
    }
}

impl CacheEntry {
    /// Builds an entry from the text of a JSON array, and the time at which it was read.
    pub fn new(text: impl Into<Vec<u8>>, read_at: SystemTime) -> Self {
        Self { text: text.into(), read_at }
    }
}

impl std::fmt::Debug for CacheEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheEntry").field("bytes", &self.text.len()).field("read_at", &self.read_at).finish()
    }
}
