//! The lists that accounts define, kept beside the ledger of the command line.

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Cache, CacheEntry, CacheKey};

use crate::setup::ledger::LocalLedger;
use crate::terminal::arguments::LOCAL_OWNER;

/// A cache of definitions that is opened by the first call that needs a list.
#[derive(Clone)]
pub(crate) struct LocalCache(LocalLedger);

impl LocalCache {
    /// Builds the cache in the store or the file of a ledger.
    pub(crate) fn beside(ledger: LocalLedger) -> Self {
        Self(ledger)
    }
}

#[async_trait]
impl Cache for LocalCache {
    fn owner(&self) -> String {
        LOCAL_OWNER.to_owned()
    }

    async fn load(&self, key: &CacheKey) -> Result<Option<CacheEntry>, Error> {
        self.0.vault().await?.load(key).await
    }

    async fn claim(&self, key: &CacheKey) -> Result<bool, Error> {
        self.0.vault().await?.claim(key).await
    }

    async fn store(&self, key: &CacheKey, entry: &CacheEntry) -> Result<(), Error> {
        self.0.vault().await?.store(key, entry).await
    }

    async fn release(&self, key: &CacheKey) -> Result<(), Error> {
        self.0.vault().await?.release(key).await
    }
}
