//! Context that all clones of a vault share: its store, keys, apps, clock and client.

use std::sync::Arc;

use connector_core::run::Http;
use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};
use secrecy::SecretString;
use tokio::sync::RwLock;

use crate::seal::keys::{Key, KeyRing};
use crate::state::cache::Cache;
use crate::state::flights::Flights;
use crate::state::key_room::KeyRoom;
use crate::state::refreshes::RefreshCounts;
use crate::state::rows::settings;
use crate::store::Store;
use crate::store::database::Lock;
use crate::store::statement::{Ran, Statement, misread};
use crate::value::app::App;
use crate::value::clock::{Clock, Moment};
use crate::value::random;

/// Shared context of a vault.
pub(crate) struct Context {
    store: Store,
    keys: KeyRing,
    apps: Vec<App>,
    clock: Clock,
    http: Http,
    cache: Cache,
    flights: Flights,
    refreshes: RefreshCounts,
    /// Rooms for idempotency keys.
    key_room: KeyRoom,
    /// Name of this vault among the processes that share the store.
    holder: String,
    /// Read-locked while work runs that must not be cut off.
    under_way: Arc<RwLock<()>>,
}

impl Context {
    /// Opens a store with its keys.
    ///
    /// A new store takes the first key. A store that was sealed with none of the keys is reported at once.
    pub(crate) async fn open(
        store: Store,
        keys: Vec<Key>,
        apps: Vec<App>,
        clock: Clock,
        http: Http,
        key_room: KeyRoom,
    ) -> Result<Self, Error> {
        let keys = KeyRing::new(keys);
        let (cache, flights, refreshes, under_way) = Default::default();
        let holder = random::generate_id()?;
        let context = Self { store, keys, apps, clock, http, cache, flights, refreshes, key_room, holder, under_way };
        context.store.rows(settings::insert_key(context.keys.wanted().id())).await?;
        context.update_key().await?;
        Ok(context)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) fn apps(&self) -> &[App] {
        &self.apps
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn flights(&self) -> &Flights {
        &self.flights
    }

    pub(crate) fn refreshes(&self) -> &RefreshCounts {
        &self.refreshes
    }

    pub(crate) fn key_room(&self) -> &KeyRoom {
        &self.key_room
    }

    pub(crate) fn holder(&self) -> &str {
        &self.holder
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Returns the time for what hosts share, or nothing if the clock of the database has to tell it.
    pub(crate) fn shared_now(&self) -> Option<Moment> {
        (self.clock.is_fixed() || !self.store.is_shared()).then(|| self.now())
    }

    /// Finds the app of a connector; the error names those that there are.
    pub(crate) fn app(&self, key: &str) -> Result<&App, Error> {
        self.apps.iter().find(|app| app.key() == key).ok_or_else(|| {
            let known: Vec<&str> = self.apps.iter().map(App::key).collect();
            Error::new(ErrorKind::NoConnection, format!("There is no app {} on this host.", quote(key)))
                .with_hint(format!("There are: {}.", known.join(", ")))
        })
    }

    /// Opens a sealed text of a column of a record.
    pub(crate) fn open_secret(&self, record: &str, column: &str, sealed: &[u8]) -> Result<SecretString, Error> {
        let opened = self.keys.open(record, column, sealed)?;
        Ok(String::from_utf8(opened.to_vec()).map_err(|_| misread())?.into())
    }

    /// Reads which key the store is sealed with, and seals with it from now on.
    pub(crate) async fn update_key(&self) -> Result<(), Error> {
        let rows = self.store.rows(settings::select_key()).await?;
        self.keys.switch_to(rows.first().map_or(Ok(""), |row| row.text(0))?)
    }

    /// Runs statements that hold sealed secrets.
    ///
    /// They run only while the store has the key that sealed them. If it was changed, they are built and run again.
    pub(crate) async fn write(&self, build: impl Fn(&Key) -> Result<Vec<Statement>, Error>) -> Result<Ran, Error> {
        self.write_within(None, build).await
    }

    /// Runs statements that hold sealed secrets under a connection's lock, as [`Self::write`] does.
    pub(crate) async fn write_locked(
        &self,
        lock: &mut Box<dyn Lock>,
        build: impl Fn(&Key) -> Result<Vec<Statement>, Error>,
    ) -> Result<Ran, Error> {
        self.write_within(Some(lock), build).await
    }

    async fn write_within(
        &self,
        mut lock: Option<&mut Box<dyn Lock>>,
        build: impl Fn(&Key) -> Result<Vec<Statement>, Error>,
    ) -> Result<Ran, Error> {
        loop {
            let key = self.keys.sealing();
            let mut batch = vec![settings::require_key(key.id())];
            batch.extend(build(key)?);
            let ran = match &mut lock {
                Some(lock) => lock.run(batch).await?,
                None => self.store.run(batch).await?,
            };
            match ran {
                Ran::All(mut rows) => {
                    rows.remove(0);
                    return Ok(Ran::All(rows));
                }
                // The store's key was changed. If this process does not have the new one, it fails here.
                Ran::Missed(0) => self.update_key().await?,
                Ran::Missed(at) => return Ok(Ran::Missed(at - 1)),
            }
        }
    }

    /// Runs work to its end even if the caller goes away: a code or a refresh token is valid for one request.
    pub(crate) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let under_way = Arc::clone(&self.under_way).read_owned().await;
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(under_way);
            result
        });
        match task.await {
            Ok(result) => result,
            Err(error) => Err(Error::new(ErrorKind::Cancelled, "The work was stopped.").with_source(error)),
        }
    }

    /// Waits until all work that must not be cut off has ended.
    pub(crate) async fn wait_until_idle(&self) {
        drop(self.under_way.write().await);
    }
}
