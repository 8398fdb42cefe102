//! The vault: connections and their secrets, as the store keeps them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Http, quote};
use tokio::sync::RwLock;

use crate::access::{Cache, Flights, of_version};
use crate::leftover;
use crate::oauth;
use crate::rows::{connection_columns, read_connection, write_metadata};
use crate::seal::keys::{Key, KeyRing};
use crate::store::Store;
use crate::store::database::Lock;
use crate::store::statement::{Ran, Statement, sql};
use crate::value::app::App;
use crate::value::clock::{Clock, Moment};
use crate::value::model::{Connection, Metadata, Revocation, Status};
use crate::value::names::check_name;
use crate::value::wording::{name_taken, no_connection};

/// Connections and their secrets. It is cheap to clone, and every clone shares one cache.
#[derive(Clone)]
pub struct Vault(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) keys: KeyRing,
    pub(crate) apps: Vec<App>,
    pub(crate) clock: Clock,
    pub(crate) http: Http,
    pub(crate) cache: Cache,
    pub(crate) flights: Flights,
    /// Read for as long as work is carried out that nobody may cut off.
    under_way: Arc<RwLock<()>>,
}

/// A vault to be opened.
#[derive(Debug)]
pub struct VaultBuilder {
    store: Store,
    keys: Vec<Key>,
    apps: Vec<App>,
    clock: Clock,
    http: Http,
}

/// How far the clocks of two hosts may be apart.
const CLOCKS_DIFFER: Duration = Duration::from_hours(1);

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepReport {
    /// Connections that nobody finished or confirmed in time.
    pub connections: usize,
    /// Grants that were given up: the vendor took them back neither at once nor within a day.
    pub not_revoked: usize,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("store", &self.0.store).field("apps", &self.0.apps).finish_non_exhaustive()
    }
}

impl VaultBuilder {
    /// A key that the store was sealed with before: it still opens what it sealed, until [`Vault::rekey`] is done.
    #[must_use]
    pub fn former_key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// An app that accounts connect through.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// What time it is; the machine's clock where it is not set.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The vault, or what is wrong with its store or key.
    pub async fn open(self) -> Result<Vault, Error> {
        let Self { store, keys, apps, clock, http } = self;
        let keys = KeyRing::new(keys);
        let inner =
            Inner { store, keys, apps, clock, http, cache: Cache::default(), flights: Flights::default(), under_way: Arc::default() };
        // A store that is new takes the key; any other says at once if it is not this one.
        let take = sql!("INSERT INTO connector_setting (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING", inner.keys.wanted().id());
        inner.store.rows(take).await?;
        inner.settle_key().await?;
        Ok(Vault(Arc::new(inner)))
    }
}

impl Vault {
    /// A vault over a store whose secrets a key seals; a client of HTTP reaches the vendors.
    pub fn builder(store: Store, key: Key, http: &Http) -> VaultBuilder {
        VaultBuilder { store, keys: vec![key], apps: Vec::new(), clock: Clock::system(), http: http.clone() }
    }

    /// The app of this key.
    pub fn app(&self, key: &str) -> Result<&App, Error> {
        self.0.app(key)
    }

    /// An owner's connections, oldest first; of one app and one status where these are given.
    pub async fn list(&self, owner: &str, app: Option<&str>, status: Option<Status>) -> Result<Vec<Connection>, Error> {
        let list = sql!(
            concat!(
                "SELECT ",
                connection_columns!(),
                " FROM connector_connection WHERE owner = $1 AND app = COALESCE($2, app) AND status = COALESCE($3, status) \
                 ORDER BY created_at, id"
            ),
            owner,
            app,
            status.map(Status::as_str)
        );
        self.0.store.rows(list).await?.iter().map(read_connection).collect()
    }

    /// One connection of an owner.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        self.0.get(owner, id).await
    }

    /// Gives a connection another name.
    pub async fn rename(&self, owner: &str, id: &str, name: &str) -> Result<Connection, Error> {
        let inner = &self.0;
        check_name(name)?;
        let rename = sql!(
            "UPDATE connector_connection SET name = $3, updated_at = $4 WHERE id = $1 AND owner = $2 RETURNING 1",
            id,
            owner,
            name,
            inner.clock.now()
        );
        let renamed = inner.store.rows(rename).await;
        inner.cache.forget();
        match renamed {
            Err(error) if error.kind() == ErrorKind::Conflict => Err(name_taken(name)),
            Err(error) => Err(error),
            Ok(_) => inner.get(owner, id).await,
        }
    }

    /// Makes a connection the one that a call uses which names none.
    pub async fn set_default(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        let inner = &self.0;
        let app = inner.get(owner, id).await?.app;
        let batch = vec![
            sql!("UPDATE connector_connection SET is_default = 0 WHERE owner = $1 AND app = $2 AND is_default = 1", owner, &app),
            sql!(
                "UPDATE connector_connection SET is_default = 1, updated_at = $3 \
                 WHERE id = $1 AND owner = $2 AND status <> 'PENDING' RETURNING 1",
                id,
                owner,
                inner.clock.now()
            )
            .expect_row(),
        ];
        let ran = inner.store.run(batch).await?;
        inner.cache.forget();
        match ran {
            Ran::All(_) => inner.get(owner, id).await,
            Ran::Missed(_) => {
                Err(Error::new(ErrorKind::Conflict, "A connection that is not finished cannot be the default.")
                    .with_hint("Finish it first."))
            }
        }
    }

    /// Removes a connection, and gives its grant back where nothing else lives by it.
    pub async fn remove(&self, owner: &str, id: &str) -> Result<Revocation, Error> {
        self.0.get(owner, id).await?;
        let delete = sql!("DELETE FROM connector_connection WHERE id = $1 AND owner = $2 RETURNING 1", id, owner);
        let ended = self.end(id, vec![delete.expect_row()]).await?;
        ended.ok_or_else(|| no_connection(id))
    }

    /// Asks the vendor whose a connection's credential is, and keeps what it says.
    pub async fn test(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        self.0.test(owner, id).await
    }

    /// Removes what nobody finished in time, and gives back what no connection lives by. To be called every minute or so.
    pub async fn sweep(&self) -> Result<SweepReport, Error> {
        self.0.sweep().await
    }

    /// Seals every secret with the key that the vault was opened with, in one transaction. Processes that are to run
    /// meanwhile and after it must hold both keys.
    pub async fn rekey(&self) -> Result<usize, Error> {
        crate::rekey::rekey(&self.0).await
    }

    /// Ends a connection, and gives its grant back; nothing, where the deletion finds it otherwise than it was.
    pub(crate) async fn end(&self, id: &str, delete: Vec<Statement>) -> Result<Option<Revocation>, Error> {
        let id = id.to_owned();
        self.apart(async move |inner| {
            if !inner.end(&id, delete, leftover::again(inner.clock.now())).await? {
                return Ok(None);
            }
            Ok(Some(inner.give_back(&id).await.unwrap_or_else(|error| {
                tracing::warn!(connection = id, %error, "a grant was not given back yet");
                Revocation::No
            })))
        })
        .await
    }

    /// Work that is carried out to its end whatever becomes of the caller: a code or a refresh token is worth one request.
    pub(crate) async fn apart<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.0.apart(work(Arc::clone(&self.0))).await
    }

    /// Waits until all such work is done, as a program does before it ends.
    pub async fn wait_until_idle(&self) {
        drop(self.0.under_way.write().await);
    }
}

impl Inner {
    pub(crate) async fn apart<T: Send + 'static>(&self, work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Result<T, Error> {
        let place = Arc::clone(&self.under_way).read_owned().await;
        let work = tokio::spawn(async move {
            let result = work.await;
            drop(place);
            result
        });
        match work.await {
            Ok(result) => result,
            Err(error) => Err(Error::new(ErrorKind::Cancelled, "The work was stopped.").with_source(error)),
        }
    }

    pub(crate) fn app(&self, key: &str) -> Result<&App, Error> {
        self.apps.iter().find(|app| app.key() == key).ok_or_else(|| {
            let known: Vec<&str> = self.apps.iter().map(App::key).collect();
            Error::new(ErrorKind::NoConnection, format!("There is no app {} on this host.", quote(key)))
                .with_hint(format!("There are: {}.", known.join(", ")))
        })
    }

    pub(crate) async fn list(&self, owner: &str) -> Result<Vec<Connection>, Error> {
        let list =
            sql!(concat!("SELECT ", connection_columns!(), " FROM connector_connection WHERE owner = $1 ORDER BY created_at, id"), owner);
        self.store.rows(list).await?.iter().map(read_connection).collect()
    }

    /// An owner's connections that were ever finished.
    pub(crate) async fn finished(&self, owner: &str) -> Result<Vec<Connection>, Error> {
        let list = sql!(
            concat!(
                "SELECT ",
                connection_columns!(),
                " FROM connector_connection WHERE owner = $1 AND status <> 'PENDING' ORDER BY created_at, id"
            ),
            owner
        );
        self.store.rows(list).await?.iter().map(read_connection).collect()
    }

    pub(crate) async fn get(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        let get = sql!(concat!("SELECT ", connection_columns!(), " FROM connector_connection WHERE id = $1 AND owner = $2"), id, owner);
        self.store.rows(get).await?.first().map_or_else(|| Err(no_connection(id)), read_connection)
    }

    /// Which of the keys the store is sealed with now.
    pub(crate) async fn settle_key(&self) -> Result<(), Error> {
        let rows = self.store.rows(sql!("SELECT value FROM connector_setting WHERE name = 'key'")).await?;
        self.keys.switch_to(rows.first().map_or(Ok(""), |row| row.text(0))?)
    }

    /// Writes what a key seals, while it is the store's: a batch that is sealed with another is not carried out.
    pub(crate) async fn write(
        &self,
        mut under: Option<&mut Box<dyn Lock>>,
        make: impl Fn(&Key) -> Result<Vec<Statement>, Error>,
    ) -> Result<Ran, Error> {
        loop {
            let key = self.keys.sealing();
            let guard = sql!("SELECT 1 FROM connector_setting WHERE name = 'key' AND value = $1 FOR SHARE", key.id());
            let mut batch = vec![guard.expect_row()];
            batch.extend(make(key)?);
            let ran = match &mut under {
                Some(lock) => lock.run(batch).await?,
                None => self.store.run(batch).await?,
            };
            match ran {
                Ran::All(mut rows) => {
                    rows.remove(0);
                    return Ok(Ran::All(rows));
                }
                // The key was changed meanwhile; one that is not held ends this.
                Ran::Missed(0) => self.settle_key().await?,
                Ran::Missed(at) => return Ok(Ran::Missed(at - 1)),
            }
        }
    }

    /// Takes a connection out of play in one step, its grant being a leftover: whoever confirms, renews or refreshes it
    /// meanwhile finds none. Whether it still was as the deletion expects it.
    async fn end(&self, id: &str, delete: Vec<Statement>, due: Moment) -> Result<bool, Error> {
        let mut lock = self.store.lock(id).await?;
        let connection = match self.target(id).await {
            Err(error) if error.kind() == ErrorKind::NoConnection => return Ok(false),
            connection => connection?,
        };
        let leftover = leftover::of_connection(&connection, self.clock.now(), due);
        let ran = self.write(Some(&mut lock), |_| Ok([vec![leftover.clone()], delete.clone()].concat())).await?;
        lock.release().await?;
        let ended = matches!(ran, Ran::All(_));
        if ended {
            self.store.unlink(id);
            self.cache.forget();
            self.flights.forget(id);
        }
        Ok(ended)
    }

    async fn sweep(&self) -> Result<SweepReport, Error> {
        let now = self.clock.now();
        let late = sql!("SELECT id FROM connector_connection WHERE status = 'PENDING' AND expires_at <= $1", now);
        let mut swept = SweepReport::default();
        for row in self.store.rows(late).await? {
            let id = row.text(0)?;
            let delete =
                sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND expires_at <= $2 RETURNING 1", id, now);
            match self.end(id, vec![delete.expect_row()], now).await {
                Ok(ended) => swept.connections += usize::from(ended),
                // One that somebody holds must not keep the rest.
                Err(error) => tracing::warn!(connection = id, %error, "a connection that nobody finished was not removed yet"),
            }
        }
        let rest = vec![
            sql!("DELETE FROM connector_install WHERE expires_at <= $1", now),
            // A host whose clock is behind takes the same ticket a while longer.
            sql!("DELETE FROM connector_used WHERE expires_at <= $1", now - CLOCKS_DIFFER),
            sql!("DELETE FROM connector_ended WHERE expires_at <= $1", now),
            sql!("DELETE FROM connector_ledger WHERE expires_at <= $1", now),
            sql!("DELETE FROM connector_visit WHERE expires_at <= $1", now),
        ];
        self.store.run(rest).await?;
        swept.not_revoked = self.give_back_what_is_due().await?;
        Ok(swept)
    }

    async fn test(self: &Arc<Self>, owner: &str, id: &str) -> Result<Connection, Error> {
        let connection = self.get(owner, id).await?;
        let app = self.app(&connection.app)?;
        let access = self.access(owner, id).await?;
        let said = match oauth::identity(&self.http, app, &access).await {
            Err(refused) if refused.kind() == ErrorKind::Unauthorized => match self.renew(owner, id, &access).await? {
                Some(fresh) => oauth::identity(&self.http, app, &fresh).await?,
                None => {
                    self.needs_reconnect(owner, id, &access).await?;
                    return Err(refused);
                }
            },
            said => said?,
        };
        let known = &connection.metadata;
        if (&said.company.id, &said.user.id) != (&known.company.id, &known.user.id) {
            return Err(Error::new(ErrorKind::Conflict, "The credential is another company's or user's than the connection was made for.")
                .with_hint("Remove the connection, and connect the account again."));
        }
        self.keep_said(owner, id, said).await
    }

    /// Keeps what the vendor says of an account; the scopes and the host stay those that came with the tokens of now.
    async fn keep_said(&self, owner: &str, id: &str, said: Metadata) -> Result<Connection, Error> {
        loop {
            let kept = self.read(owner, id).await?;
            let Metadata { scopes, api_domain, .. } = kept.metadata;
            let metadata = Metadata { scopes, api_domain, ..said.clone() };
            let keep = sql!(
                "UPDATE connector_connection SET metadata = $2, updated_at = $3 WHERE id = $1",
                id,
                write_metadata(&metadata),
                self.clock.now()
            );
            // Where somebody refreshes it meanwhile, what came with that is read.
            if let Ran::All(_) = self.store.run(vec![of_version(id, kept.version), keep]).await? {
                self.cache.forget();
                return self.get(owner, id).await;
            }
        }
    }
}
