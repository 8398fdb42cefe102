//! Ledger of one owner: sealed outcomes by idempotency key, so that a write is carried out once across processes.

use std::time::Duration;

use async_trait::async_trait;
use connector_core::embed::{Claim, Ledger};
use connector_core::{Error, ErrorKind};

use crate::owner_vault::OwnerVault;
use crate::state::rows::ledger;
use crate::store::statement::misread;
use crate::value::random;

/// Time for which a key is kept.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);
/// Maximum length of an outcome that is kept.
const MAX_OUTCOME: usize = 1 << 20;

impl OwnerVault {
    /// Computes the entry of a key. The owner is part of it, so that two owners never share an entry.
    fn entry(&self, key: &str) -> String {
        random::hash(&format!("{}:{}\n{key}", self.owner().len(), self.owner()))
    }
}

#[async_trait]
impl Ledger for OwnerVault {
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error> {
        let context = self.vault().context();
        let (entry, call, now) = (self.entry(key), random::hash(call), context.now());
        let batch = vec![ledger::delete_if_expired(&entry, now), ledger::claim(&entry, &call, now + KEPT_FOR), ledger::select(&entry)];
        let mut rows = context.store().run(batch).await?.into_all()?;
        let (found, claimed) = (rows.pop().unwrap_or_default(), rows.pop().unwrap_or_default());
        if !claimed.is_empty() {
            return Ok(Claim::Fresh);
        }
        let found = found.first().ok_or_else(misread)?;
        if found.text(0)? != call {
            return Ok(Claim::OtherCall);
        }
        Ok(match found.maybe_bytes(1)? {
            Some(sealed) => Claim::Finished(context.keys().open(&entry, "answer", sealed)?.to_vec()),
            None => Claim::Unfinished,
        })
    }

    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error> {
        if answer.len() > MAX_OUTCOME {
            let message = format!("it has {} bytes of at most {MAX_OUTCOME}. The same call will be refused, not answered.", answer.len());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let entry = self.entry(key);
        let ran = self.vault().context().write(|key| Ok(vec![ledger::finish(&entry, key.seal(&entry, "answer", &answer)?)])).await?;
        ran.into_all().map(|_| ()).map_err(|_| Error::new(ErrorKind::Bug, "The idempotency key was not claimed."))
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.vault().context().store().rows(ledger::release(&self.entry(key))).await.map(|_| ())
    }
}
