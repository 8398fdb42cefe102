//! Ledger of one owner: sealed outcomes by idempotency key, so that a write is carried out once across processes.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connector_core::embed::{Claim, Kept, KeyedCall, LEASE, Ledger};
use connector_core::run::{Answer, RawJson};
use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::owner_vault::OwnerVault;
use crate::state::rows::ledger::{self, Holding};
use crate::store::statement::{Ran, Row, misread};
use crate::value::clock::Moment;
use crate::value::random;

/// An idempotency key of an owner, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerKey {
    /// The key.
    pub key: String,
    /// The connector of the call.
    pub connector: String,
    /// The action of the call.
    pub action: String,
    /// The name that the connection had.
    pub connection: String,
    /// The moment at which the call began.
    pub started: Moment,
    /// The state of the call.
    pub state: KeyState,
}

/// State of the call under an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyState {
    /// The call is running.
    Running,
    /// The call succeeded, and its outcome is kept.
    Done,
    /// The call may have been carried out, and its outcome is lost.
    Unknown,
}

/// Finding of a person about a call whose outcome was lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Resolution {
    /// The call was carried out, and this is its data.
    Done(RawJson),
    /// The call was not carried out. The key is free again.
    NotDone,
}

/// Facts about a claim that are stored for people, sealed.
#[derive(Serialize, Deserialize)]
struct About {
    key: String,
    connector: String,
    action: String,
    connection: String,
}

impl OwnerVault {
    /// Computes the entry of a key. The owner is part of it, so that two owners never share an entry.
    pub(crate) fn entry(&self, key: &str) -> String {
        random::hash(&format!("{}:{}\n{key}", self.owner().len(), self.owner()))
    }

    /// Reads the state of a key: its call, its outcome, when it started and until when it runs.
    fn read_claim(&self, entry: &str, call: &str, row: &Row) -> Result<Claim, Error> {
        let context = self.vault().context();
        if row.text(0)? != call {
            return Ok(Claim::OtherCall);
        }
        if let Some(sealed) = row.maybe_bytes(1)? {
            return Ok(Claim::Finished(context.keys().open(entry, "answer", sealed)?.to_vec()));
        }
        if row.moment(3)? > context.now() {
            return Ok(Claim::Running);
        }
        let since = u64::try_from(row.moment(2)?.as_micros()).unwrap_or_default();
        Ok(Claim::unknown().since(SystemTime::UNIX_EPOCH + Duration::from_micros(since)))
    }

    /// Fails if the owner has as many keys as an owner may.
    async fn require_room(&self) -> Result<(), Error> {
        let (context, owner) = (self.vault().context(), self.owner());
        if context.key_room().take(owner) {
            return Ok(());
        }
        let rows = context.store().rows(ledger::count(owner)).await?;
        let count = rows.first().ok_or_else(misread)?.integer(0)?;
        if context.key_room().take_counted(owner, u64::try_from(count).unwrap_or_default()) {
            return Ok(());
        }
        let message =
            format!("There are {} idempotency keys of the last seven days, as many as one owner may have.", context.key_room().most());
        Err(Error::new(ErrorKind::RateLimited, message).with_hint("Nothing was sent. Try again when older keys have ended."))
    }

    /// Lists the owner's idempotency keys, newest first: all, or only those whose outcome was lost.
    pub async fn list_keys(&self, only_unknown: bool, most: u32) -> Result<Vec<LedgerKey>, Error> {
        let context = self.vault().context();
        let now = context.now();
        let rows = context.store().rows(ledger::list(self.owner(), only_unknown.then_some(now), most.into())).await?;
        rows.iter()
            .map(|row| {
                let about = context.keys().open(row.text(0)?, "about", row.bytes(1)?)?;
                let About { key, connector, action, connection } = serde_json::from_slice(&about).map_err(|_| misread())?;
                let state = match row.integer(4)? {
                    1 => KeyState::Done,
                    _ if row.moment(3)? > now => KeyState::Running,
                    _ => KeyState::Unknown,
                };
                Ok(LedgerKey { key, connector, action, connection, started: row.moment(2)?, state })
            })
            .collect()
    }

    /// Settles a key whose outcome was lost, as a person found out.
    pub async fn resolve_key(&self, key: &str, resolution: Resolution) -> Result<(), Error> {
        let (context, entry) = (self.vault().context(), self.entry(key));
        let now = context.now();
        let ran = match resolution {
            Resolution::Done(data) => {
                let answer = Answer::new(data).to_ledger();
                context.write(|key| Ok(vec![ledger::settle(&entry, key.seal(&entry, "answer", &answer)?, None, now)])).await?
            }
            Resolution::NotDone => context.store().run(vec![ledger::free(&entry, now)]).await?,
        };
        if let Ran::All(_) = ran {
            return Ok(());
        }
        let rows = context.store().rows(ledger::select(&entry)).await?;
        Err(match rows.first() {
            None => Error::new(ErrorKind::NotFound, format!("There is no idempotency key {}.", quote(key)))
                .with_hint("`connector ledger list` shows those that there are."),
            Some(row) if row.maybe_bytes(1)?.is_some() => {
                Error::new(ErrorKind::Conflict, format!("The outcome of the key {} is known.", quote(key)))
                    .with_hint("Nothing was changed: the same call under the key is answered with it.")
            }
            Some(_) => Error::new(ErrorKind::Conflict, format!("The call under the key {} is still running.", quote(key)))
                .with_hint("Nothing was changed: wait until it has ended."),
        })
    }
}

#[async_trait]
impl Ledger for OwnerVault {
    async fn claim(&self, call: &KeyedCall) -> Result<Claim, Error> {
        let context = self.vault().context();
        let (entry, digest) = (self.entry(&call.key), random::hash(&call.fingerprint));
        // Callers that wait for a call in flight look often: they only read.
        if let Some(row) = context.store().rows(ledger::select(&entry)).await?.first() {
            return self.read_claim(&entry, &digest, row);
        }
        self.require_room().await?;
        let about = About {
            key: call.key.clone(),
            connector: call.connector.clone(),
            action: call.action.clone(),
            connection: call.connection.clone(),
        };
        let about =
            serde_json::to_vec(&about).map_err(|error| Error::new(ErrorKind::Bug, "The call cannot be written.").with_source(error))?;
        let (holding, now) = (Holding { entry: &entry, holder: &call.holder }, context.now());
        let build = |key: &crate::seal::keys::Key| {
            let about = key.seal(&entry, "about", &about)?;
            Ok(vec![ledger::claim(holding, self.owner(), &digest, about, now, now + LEASE), ledger::select(&entry)])
        };
        loop {
            let mut rows = context.write(build).await?.into_all()?;
            let (found, claimed) = (rows.pop().unwrap_or_default(), rows.pop().unwrap_or_default());
            match found.first() {
                _ if !claimed.is_empty() => return Ok(Claim::Fresh),
                Some(row) => return self.read_claim(&entry, &digest, row),
                // In PostgreSQL the call that holds the key may free it between the two statements.
                None => {}
            }
        }
    }

    async fn peek(&self, call: &KeyedCall) -> Result<Option<Claim>, Error> {
        let (entry, digest) = (self.entry(&call.key), random::hash(&call.fingerprint));
        let rows = self.vault().context().store().rows(ledger::select(&entry)).await?;
        rows.first().map_or(Ok(Claim::Fresh), |row| self.read_claim(&entry, &digest, row)).map(Some)
    }

    async fn extend(&self, call: &KeyedCall) -> Result<(), Error> {
        let (context, entry) = (self.vault().context(), self.entry(&call.key));
        let holding = Holding { entry: &entry, holder: &call.holder };
        context.store().rows(ledger::extend(holding, context.now() + LEASE)).await.map(|_| ())
    }

    async fn finish(&self, call: &KeyedCall, kept: Kept) -> Result<(), Error> {
        let (context, entry) = (self.vault().context(), self.entry(&call.key));
        let holding = Holding { entry: &entry, holder: &call.holder };
        let record = kept.record.as_deref().map(random::hash);
        let finish = |record: Option<String>| {
            let (entry, answer) = (&entry, &kept.answer);
            context.write(move |key| Ok(vec![ledger::finish(holding, key.seal(entry, "answer", answer)?, record.as_deref())]))
        };
        let ran = match finish(record).await {
            // A look-up under another key took this record for its own. The outcome counts for more.
            Err(error) if error.kind() == ErrorKind::Conflict => finish(None).await?,
            ran => ran?,
        };
        ran.into_all().map(|_| ()).map_err(|_| Error::new(ErrorKind::Bug, "The idempotency key is not claimed by this call."))
    }

    async fn release(&self, call: &KeyedCall) -> Result<(), Error> {
        let entry = self.entry(&call.key);
        self.vault().context().store().rows(ledger::release(Holding { entry: &entry, holder: &call.holder })).await.map(|_| ())
    }

    async fn abandon(&self, call: &KeyedCall) -> Result<(), Error> {
        let entry = self.entry(&call.key);
        self.vault().context().store().rows(ledger::abandon(Holding { entry: &entry, holder: &call.holder })).await.map(|_| ())
    }

    async fn has_twin(&self, call: &KeyedCall) -> Result<bool, Error> {
        let (entry, digest) = (self.entry(&call.key), random::hash(&call.fingerprint));
        let rows = self.vault().context().store().rows(ledger::select_twin(self.owner(), &digest, &entry)).await?;
        Ok(!rows.is_empty())
    }

    async fn has_made(&self, record: &str) -> Result<bool, Error> {
        let rows = self.vault().context().store().rows(ledger::select_record(self.owner(), &random::hash(record))).await?;
        Ok(!rows.is_empty())
    }

    async fn settle(&self, call: &KeyedCall, kept: Kept) -> Result<bool, Error> {
        let (context, entry, now) = (self.vault().context(), self.entry(&call.key), self.vault().context().now());
        let record = kept.record.as_deref().map(random::hash);
        let build = |key: &crate::seal::keys::Key| {
            Ok(vec![ledger::settle(&entry, key.seal(&entry, "answer", &kept.answer)?, record.as_deref(), now)])
        };
        match context.write(build).await {
            // Another key has made the record.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            ran => Ok(matches!(ran?, Ran::All(_))),
        }
    }
}
