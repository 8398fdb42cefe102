//! Lists that the accounts of one owner define, sealed, so that several processes read each of them once an hour.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Cache, CacheEntry, CacheKey, READING};

use crate::owner_vault::OwnerVault;
use crate::state::rows::definitions::{self, ListPlace};
use crate::value::clock::Moment;
use crate::value::random;

/// The largest list that is stored. A larger one is read by each process.
const MOST_BYTES: usize = 8 << 20;

/// The most bytes of all lists of an owner together. Beyond that the oldest are given up.
const MOST_BYTES_OF_OWNER: i64 = 256 << 20;

/// The name of the sealed column.
const RECORDS: &str = "records";

impl OwnerVault {
    /// Computes the key of a list's row. The owner is part of it, so that two owners never share a list.
    fn find_list(&self, key: &CacheKey) -> String {
        let parts = [self.owner(), &key.connector, &key.connection, &key.origin, &key.list];
        // With its length before it, no part runs into the next.
        random::hash(&parts.map(|part| format!("{}:{part}", part.len())).concat())
    }
}

#[async_trait]
impl Cache for OwnerVault {
    fn owner(&self) -> String {
        self.owner().to_owned()
    }

    async fn load(&self, key: &CacheKey) -> Result<Option<CacheEntry>, Error> {
        let (context, list) = (self.vault().context(), self.find_list(key));
        let rows = context.store().rows(definitions::select(&list)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let since = u64::try_from(row.moment(1)?.as_micros()).unwrap_or_default();
        let records = context.keys().open(&list, RECORDS, row.bytes(0)?)?;
        Ok(Some(CacheEntry::new(records.to_vec(), SystemTime::UNIX_EPOCH + Duration::from_micros(since))))
    }

    async fn claim(&self, key: &CacheKey) -> Result<bool, Error> {
        let (context, list) = (self.vault().context(), self.find_list(key));
        let place = ListPlace { key: &list, owner: self.owner(), connection: &key.connection };
        let rows = context.store().rows(definitions::claim(place, context.holder(), context.now(), READING)).await?;
        Ok(!rows.is_empty())
    }

    async fn store(&self, key: &CacheKey, entry: &CacheEntry) -> Result<(), Error> {
        let (context, list) = (self.vault().context(), self.find_list(key));
        let release = || definitions::release(&list, context.holder());
        if entry.text.len() > MOST_BYTES {
            return context.store().rows(release()).await.map(|_| ());
        }
        let place = ListPlace { key: &list, owner: self.owner(), connection: &key.connection };
        let read_at = entry.read_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let read_at = Moment::from_micros(0) + read_at;
        let build = |key: &crate::seal::keys::Key| {
            Ok(vec![
                definitions::store(place, key.seal(&list, RECORDS, &entry.text)?, read_at, context.now()),
                release(),
                definitions::delete_beyond(self.owner(), MOST_BYTES_OF_OWNER),
            ])
        };
        context.write(build).await.map(|_| ())
    }

    async fn release(&self, key: &CacheKey) -> Result<(), Error> {
        let (context, list) = (self.vault().context(), self.find_list(key));
        context.store().rows(definitions::release(&list, context.holder())).await.map(|_| ())
    }
}
