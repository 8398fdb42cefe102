//! Outcomes by idempotency key, sealed: a write is carried out once across processes.

use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Claim, Error, ErrorKind, Ledger};

use crate::owner_vault::OwnerVault;
use crate::store::statement::{misread, sql};
use crate::value::random;

/// How long a key is kept.
const KEPT: Duration = Duration::from_hours(7 * 24);
/// How long an answer is kept whole.
const LONGEST: usize = 1 << 20;

impl OwnerVault {
    /// One owner's key never meets another's.
    fn entry(&self, key: &str) -> String {
        random::hash(&format!("{}:{}\n{key}", self.owner.len(), self.owner))
    }
}

#[async_trait]
impl Ledger for OwnerVault {
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error> {
        let inner = &self.vault.0;
        let (entry, call, now) = (self.entry(key), random::hash(call), inner.clock.now());
        let batch = vec![
            sql!("DELETE FROM connector_ledger WHERE key = $1 AND expires_at <= $2", &entry, now),
            sql!(
                "INSERT INTO connector_ledger (key, call, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
                &entry,
                &call,
                now + KEPT
            ),
            sql!("SELECT call, answer FROM connector_ledger WHERE key = $1", &entry),
        ];
        let mut rows = inner.store.run(batch).await?.into_all()?;
        let (found, made) = (rows.pop().unwrap_or_default(), rows.pop().unwrap_or_default());
        if !made.is_empty() {
            return Ok(Claim::Fresh);
        }
        let found = found.first().ok_or_else(misread)?;
        if found.text(0)? != call {
            return Ok(Claim::OtherCall);
        }
        Ok(match found.maybe_bytes(1)? {
            Some(sealed) => Claim::Finished(inner.keys.open(&entry, "answer", sealed)?.to_vec()),
            None => Claim::Unfinished,
        })
    }

    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error> {
        if answer.len() > LONGEST {
            let message = format!("it has {} bytes, and {LONGEST} are kept at most: the same call is refused, not answered.", answer.len());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let entry = self.entry(key);
        let ran = self.vault.0.write(None, |sealing| {
            let answer = sealing.seal(&entry, "answer", &answer)?;
            Ok(vec![sql!("UPDATE connector_ledger SET answer = $2 WHERE key = $1 RETURNING 1", &entry, answer).expect_row()])
        });
        ran.await?.into_all().map(|_| ()).map_err(|_| Error::new(ErrorKind::Bug, "The idempotency key was not claimed."))
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        let release = sql!("DELETE FROM connector_ledger WHERE key = $1 AND answer IS NULL", self.entry(key));
        self.vault.0.store.rows(release).await.map(|_| ())
    }
}
