//! The credential of a call: kept in memory for a moment, refreshed ahead of its end by one at a time, stored before use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connector_core::{Access, Credential, Error, Retry};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex as Turn;

use crate::oauth::{self, NoTokens};
use crate::rows::{read_metadata, write_metadata};
use crate::store::database::{Lock, StoreFailure};
use crate::store::statement::{Row, Statement, misread, sql};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata, Method, Reason, Status};
use crate::value::tokens::Tokens;
use crate::value::wording::no_connection;
use crate::vault::Inner;

/// For how long what was read is believed: another process may have removed, renewed or refused the connection since.
const FRESH: Duration = Duration::from_secs(2);
/// For how long a token that still lives is left alone after its refresh failed.
const REST: Duration = Duration::from_secs(30);
/// How many connections are remembered; beyond it all are forgotten.
const MOST: usize = 10_000;

/// What was read of the store a moment ago. Each change that this process makes ends all of it.
#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    credentials: HashMap<String, Remembered<Kept>>,
    lists: HashMap<String, Remembered<Arc<[Connection]>>>,
}

#[derive(Clone)]
struct Remembered<T> {
    what: T,
    generation: u64,
    read: Moment,
}

/// A connection's credential as the store keeps it.
#[derive(Clone)]
pub(crate) struct Kept {
    owner: String,
    app: String,
    pub(crate) metadata: Metadata,
    pub(crate) version: i64,
    pub(crate) access: Access,
    refresh: Option<SecretString>,
    refresh_at: Option<Moment>,
    expires_at: Option<Moment>,
}

/// The refreshes of this process, by connection.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

/// Who refreshes a connection, in this process: one at a time, and who waited meanwhile takes what came of it.
#[derive(Default)]
struct Flight {
    turn: Turn<Left>,
    attempts: AtomicU64,
    /// Until when a token that still lives is not refreshed, since the server failed a moment ago.
    rests_until: AtomicI64,
}

/// What an attempt leaves to the next one.
#[derive(Default)]
struct Left {
    /// Tokens that came for a version and could not be stored: the ones before them may be dead.
    unstored: Option<(i64, Tokens)>,
    failure: Option<Error>,
}

/// What a statement selects so that [`Inner::kept`] can read it.
macro_rules! kept_columns {
    () => {
        "SELECT c.owner, c.app, c.name, c.method, c.status, c.reason, c.metadata, \
         s.version, s.access_token, s.refresh_token, s.api_token, s.refresh_at, s.expires_at \
         FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id WHERE c.id = $1"
    };
}

impl Cache {
    /// Forgets everything: something was changed.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn credential(&self, id: &str, now: Moment) -> Option<Kept> {
        let known = self.known();
        known.credentials.get(id).filter(|kept| kept.holds(self.generation(), now)).map(|kept| kept.what.clone())
    }

    fn remember(&self, id: &str, kept: &Kept, generation: u64, read: Moment) {
        let mut known = self.known();
        if known.credentials.len() >= MOST {
            known.credentials.clear();
        }
        // A refresh token is read again when it is needed: memory holds it no longer than that.
        let what = Kept { refresh: None, ..kept.clone() };
        known.credentials.insert(id.to_owned(), Remembered { what, generation, read });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Remembered<T> {
    fn holds(&self, generation: u64, now: Moment) -> bool {
        // A clock that was set back says nothing of how long ago it was read.
        self.generation == generation && self.read <= now && now < self.read + FRESH
    }
}

impl Flights {
    fn of(&self, id: &str) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(id.to_owned()).or_default())
    }

    pub(crate) fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Flight {
    /// Whether a call whose token still lives goes on without a new one.
    fn can_wait(&self, now: Moment) -> bool {
        self.turn.try_lock().is_err() || now.as_micros() < self.rests_until.load(Ordering::SeqCst)
    }
}

impl Kept {
    /// Whether it is to be refreshed now.
    fn is_due(&self, now: Moment) -> bool {
        self.refresh_at.is_some_and(|at| at <= now)
    }

    /// Whether it can still be used.
    fn lives(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

impl Inner {
    /// An owner's connections that were ever finished, as they were a moment ago.
    pub(crate) async fn recent(&self, owner: &str) -> Result<Arc<[Connection]>, Error> {
        let (generation, now) = (self.cache.generation(), self.clock.now());
        if let Some(list) = self.cache.known().lists.get(owner).filter(|list| list.holds(generation, now)) {
            return Ok(Arc::clone(&list.what));
        }
        let list: Arc<[Connection]> = self.finished(owner).await?.into();
        let mut known = self.cache.known();
        if known.lists.len() >= MOST {
            known.lists.clear();
        }
        known.lists.insert(owner.to_owned(), Remembered { what: Arc::clone(&list), generation, read: now });
        Ok(list)
    }

    /// Where a connection's calls go, and with which credential.
    pub(crate) async fn access(self: &Arc<Self>, owner: &str, id: &str) -> Result<Access, Error> {
        let now = self.clock.now();
        let kept = match self.cache.credential(id, now).filter(|kept| kept.owner == owner) {
            Some(kept) => kept,
            None => self.read(owner, id).await?,
        };
        if !kept.is_due(now) {
            return Ok(kept.access);
        }
        let flight = self.flights.of(id);
        // It is refreshed ahead of its end: until then it serves, and no call waits for a server that is slow or down.
        if kept.lives(now) && flight.can_wait(now) {
            return Ok(kept.access);
        }
        match self.refreshed(id, kept.version, flight).await {
            Ok(fresh) => Ok(fresh.access),
            Err(error) if error.retry() == Retry::Later && kept.lives(self.clock.now()) => Ok(kept.access),
            Err(error) => Err(error),
        }
    }

    /// Another access than the one that was refused, or none: an API token has no other, unless it was replaced meanwhile.
    pub(crate) async fn renew(self: &Arc<Self>, owner: &str, id: &str, refused: &Access) -> Result<Option<Access>, Error> {
        let kept = self.read(owner, id).await?;
        if !is_same(&kept.access, refused) {
            // It was refreshed or replaced meanwhile.
            return self.access(owner, id).await.map(Some);
        }
        if kept.refresh.is_none() {
            return Ok(None);
        }
        self.refreshed(id, kept.version, self.flights.of(id)).await.map(|fresh| Some(fresh.access))
    }

    /// Says that a connection must be granted again, since this access was refused; not where it has another by now.
    pub(crate) async fn needs_reconnect(&self, owner: &str, id: &str, refused: &Access) -> Result<(), Error> {
        let kept = self.read(owner, id).await?;
        if is_same(&kept.access, refused) {
            self.store.run(vec![of_version(id, kept.version), failed(id, self.clock.now())]).await?;
            self.cache.forget();
        }
        Ok(())
    }

    pub(crate) async fn read(&self, owner: &str, id: &str) -> Result<Kept, Error> {
        let (generation, now) = (self.cache.generation(), self.clock.now());
        let rows = self.store.rows(sql!(concat!(kept_columns!(), " AND c.owner = $2"), id, owner)).await?;
        let kept = self.kept(id, rows.first())?;
        self.cache.remember(id, &kept, generation, now);
        Ok(kept)
    }

    fn kept(&self, id: &str, row: Option<&Row>) -> Result<Kept, Error> {
        let row = row.ok_or_else(|| no_connection(id))?;
        let (app, name) = (self.app(row.text(1)?)?, row.text(2)?);
        let method = Method::from_word(row.text(3)?).ok_or_else(misread)?;
        let reason = row.maybe_text(5)?.and_then(Reason::from_word);
        Status::from_word(row.text(4)?).ok_or_else(misread)?.check_usable(reason, name)?;
        let metadata = read_metadata(row.text(6)?)?;
        let secret = |at: usize, column: &str| -> Result<Option<SecretString>, Error> {
            row.maybe_bytes(at)?.map(|sealed| self.secret(id, column, sealed)).transpose()
        };
        let credential = match method {
            Method::OAuth2 => secret(8, "access_token")?.map(Credential::Bearer),
            Method::ApiKey => secret(10, "api_token")?.map(Credential::ApiToken),
        };
        let origin = metadata.api_domain.as_deref().ok_or_else(misread)?;
        Ok(Kept {
            owner: row.text(0)?.to_owned(),
            app: app.key().to_owned(),
            version: row.integer(7)?,
            access: app.access(origin, credential.ok_or_else(misread)?)?,
            refresh: secret(9, "refresh_token")?,
            refresh_at: row.maybe_moment(11)?,
            expires_at: row.maybe_moment(12)?,
            metadata,
        })
    }

    pub(crate) fn secret(&self, id: &str, column: &str, sealed: &[u8]) -> Result<SecretString, Error> {
        let opened = self.keys.open(id, column, sealed)?;
        Ok(String::from_utf8(opened.to_vec()).map_err(|_| misread())?.into())
    }

    /// A credential that is newer than this version. What is under way is carried to its end, whatever becomes of the
    /// caller: a refresh token may be worth one request, and its answer is the only other one.
    async fn refreshed(self: &Arc<Self>, id: &str, stale: i64, flight: Arc<Flight>) -> Result<Kept, Error> {
        let (inner, id, before) = (Arc::clone(self), id.to_owned(), flight.attempts.load(Ordering::SeqCst));
        self.apart(async move {
            let mut left = flight.turn.lock().await;
            let now = inner.clock.now();
            if let Some(kept) = inner.cache.credential(&id, now).filter(|kept| kept.version > stale && !kept.is_due(now)) {
                return Ok(kept);
            }
            if flight.attempts.load(Ordering::SeqCst) != before
                && let Some(failure) = &left.failure
            {
                return Err(same(failure));
            }
            reached("waits");
            let mut kept = inner.refresh_locked(&id, stale, &mut left.unstored).await;
            // A server of the store that went meanwhile may be back: before another host asks with the token of before.
            if kept.is_err() && left.unstored.is_some() {
                kept = inner.refresh_locked(&id, stale, &mut left.unstored).await;
            }
            left.failure = kept.as_ref().err().map(same);
            if kept.is_err() {
                flight.rests_until.store((inner.clock.now() + REST).as_micros(), Ordering::SeqCst);
            }
            flight.attempts.fetch_add(1, Ordering::SeqCst);
            kept
        })
        .await
    }

    /// Refreshes a connection under its lock, if nobody else did.
    async fn refresh_locked(&self, id: &str, stale: i64, unstored: &mut Option<(i64, Tokens)>) -> Result<Kept, Error> {
        let mut lock = self.store.lock(id).await?;
        reached("locked");
        let kept = self.kept_under(id, &mut lock).await?;
        // Only what is read under the lock counts, and only the time after the wait for it.
        if kept.version != stale && !kept.is_due(self.clock.now()) {
            lock.release().await?;
            return Ok(kept);
        }
        let app = self.app(&kept.app)?;
        let Some(token) = &kept.refresh else {
            return self.gone(id, kept.version, lock).await;
        };
        let tokens = match unstored.take().filter(|(version, _)| *version == kept.version) {
            Some((_, tokens)) => Ok(tokens),
            None => {
                reached("asks");
                oauth::refresh(&self.http, app, token).await
            }
        };
        reached("answered");
        match tokens {
            Ok(tokens) => self.store_tokens(id, &kept, app, tokens, unstored, lock).await,
            Err(NoTokens::Refused(error)) => {
                tracing::warn!(connection = id, %error, "a grant is gone");
                self.gone(id, kept.version, lock).await
            }
            Err(NoTokens::Failed(error)) => {
                lock.release().await?;
                Err(error)
            }
        }
    }

    /// Stores tokens before anyone uses them. Where the store does not take them, they wait in the turn for the next
    /// one, and the old ones stand.
    async fn store_tokens(
        &self,
        id: &str,
        kept: &Kept,
        app: &App,
        tokens: Tokens,
        unstored: &mut Option<(i64, Tokens)>,
        mut lock: Box<dyn Lock>,
    ) -> Result<Kept, Error> {
        let mut metadata = kept.metadata.clone();
        metadata.scopes = tokens.scopes.clone().or(metadata.scopes);
        // A token whose host is none of the vendor's is worth nothing, and the connection keeps the host that it has.
        let domain = tokens.api_domain.as_deref().filter(|domain| app.access(domain, tokens.to_credential()).is_ok());
        metadata.api_domain = domain.map(str::to_owned).or(metadata.api_domain);
        let now = self.clock.now();
        let (refresh_at, expires_at) = (tokens.refresh_at(now), tokens.expires_at(now));
        let written = self
            .write(Some(&mut lock), |key| {
                let refresh = tokens.refresh.as_ref().map(|token| key.seal_text(id, "refresh_token", token)).transpose()?;
                let tokens = sql!(
                    "UPDATE connector_secret SET version = version + 1, access_token = $3, refresh_token = COALESCE($4, refresh_token), \
                     refresh_at = $5, expires_at = $6 WHERE connection_id = $1 AND version = $2 RETURNING 1",
                    id,
                    kept.version,
                    key.seal_text(id, "access_token", &tokens.access)?,
                    refresh,
                    refresh_at,
                    expires_at
                );
                let account = sql!("UPDATE connector_connection SET metadata = $2 WHERE id = $1", id, write_metadata(&metadata));
                Ok(vec![tokens.expect_row(), account])
            })
            .await;
        reached("written");
        // Where the row was changed meanwhile, what stands there is newer than what came.
        let stored = self.kept_under(id, &mut lock).await;
        if let Err(error) = written.and(lock.release().await) {
            *unstored = Some((kept.version, tokens));
            return Err(error.with_retry(Retry::Later));
        }
        reached("stored");
        self.cache.forget();
        let (generation, stored) = (self.cache.generation(), stored?);
        self.cache.remember(id, &stored, generation, now);
        Ok(stored)
    }

    /// The grant is gone, unless someone renewed the connection meanwhile.
    async fn gone(&self, id: &str, version: i64, mut lock: Box<dyn Lock>) -> Result<Kept, Error> {
        let wiped = sql!(
            "UPDATE connector_secret SET version = version + 1, access_token = NULL, refresh_token = NULL \
             WHERE connection_id = $1 AND version = $2 RETURNING 1",
            id,
            version
        );
        lock.run(vec![wiped.expect_row(), failed(id, self.clock.now())]).await?;
        // What it says now is the answer: that it must be connected again, or who renewed it.
        let kept = self.kept_under(id, &mut lock).await;
        lock.release().await?;
        self.cache.forget();
        kept
    }

    async fn kept_under(&self, id: &str, lock: &mut Box<dyn Lock>) -> Result<Kept, Error> {
        let rows = lock.run(vec![sql!(kept_columns!(), id)]).await?.into_last()?;
        self.kept(id, rows.first())
    }
}

/// It misses where the secret is another by now; none replaces it until the batch is done.
pub(crate) fn of_version(id: &str, version: i64) -> Statement {
    sql!("SELECT 1 FROM connector_secret WHERE connection_id = $1 AND version = $2 FOR UPDATE", id, version).expect_row()
}

fn is_same(one: &Access, other: &Access) -> bool {
    let secret = |access: &Access| match access.credential() {
        Credential::Bearer(secret) | Credential::ApiToken(secret) => secret.expose_secret().to_owned(),
    };
    secret(one) == secret(other)
}

fn failed(id: &str, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET status = 'FAILED', reason = 'needsReconnect', updated_at = $2 WHERE id = $1 AND status = 'ACTIVE'",
        id,
        now
    )
}

/// The same failure, for another who waited for it.
fn same(failure: &Error) -> Error {
    let mut same = Error::new(failure.kind(), failure.message()).with_retry(failure.retry());
    if let Some(hint) = failure.hint() {
        same = same.with_hint(hint);
    }
    if let Some(broken) = StoreFailure::find(failure) {
        same = same.with_source(broken.clone());
    }
    match failure.upstream() {
        Some(upstream) => same.with_upstream(upstream.clone()),
        None => same,
    }
}

/// Where a test may end the process.
#[cfg(all(test, feature = "sqlite"))]
fn reached(step: &str) {
    crate::tests::processes::reached(step);
}

#[cfg(not(all(test, feature = "sqlite")))]
fn reached(_step: &str) {}
