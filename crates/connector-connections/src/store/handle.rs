//! Handle of an open store, whose failures are logged and marked as the store's.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind};

use crate::store::database::{Database, Decision, Lock, StoreFailure, mark_failure};
use crate::store::migrations::migrate;
#[cfg(feature = "postgres")]
use crate::store::postgres::Postgres;
#[cfg(feature = "sqlite")]
use crate::store::sqlite::Sqlite;
use crate::store::statement::{Ran, Row, Statement};

/// Database that is open and up to date. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<dyn Database>);

/// Lock that marks its failures as the store's.
struct MarkingLock(Box<dyn Lock>);

#[async_trait]
impl Lock for MarkingLock {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.0.run(batch).await.map_err(mark_failure)
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.0.release().await.map_err(mark_failure)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.0.name())
    }
}

impl Store {
    /// Opens a SQLite database in a file, which is created for its owner alone if it does not exist.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(path: impl Into<std::path::PathBuf>) -> Result<Self, Error> {
        Self::open(Sqlite::open(path.into()).await).await
    }

    /// Opens a PostgreSQL database, as `postgres://user:password@host/name`, which several hosts can share.
    ///
    /// It uses TLS if the server does, unless `sslmode` says otherwise. Authorities are given as PEM and trusted beside the
    /// public ones.
    #[cfg(feature = "postgres")]
    pub async fn postgres(url: &str, authorities: &[u8]) -> Result<Self, Error> {
        Self::open(Postgres::open(url, authorities).await).await
    }

    /// Checks whether the store itself failed, so that the caller cannot mend it.
    ///
    /// It fails, for example, if it cannot be reached or written.
    pub fn is_cause_of(error: &Error) -> bool {
        StoreFailure::find(error).is_some()
    }

    /// Checks whether hosts on several machines can share the store.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Runs statements in one transaction, which is undone if one misses the row that it requires.
    pub(crate) async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        if batch.iter().any(Statement::holds_nul) {
            return Err(Error::new(ErrorKind::InvalidInput, "A name or an id cannot hold the character NUL."));
        }
        self.0.run(batch).await.map_err(mark_failure)
    }

    /// Runs the first statements, and in the same transaction those that follow from their rows.
    pub(crate) async fn run_in_turn(&self, first: Vec<Statement>, decide: Decision) -> Result<Ran, Error> {
        self.0.run_in_turn(first, decide).await.map_err(mark_failure)
    }

    /// Runs one statement and returns its rows.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        self.run(vec![statement]).await?.into_last()
    }

    /// Locks a connection against every task and process.
    pub(crate) async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        Ok(Box::new(MarkingLock(self.0.lock(id).await.map_err(mark_failure)?)))
    }

    /// Removes the leftovers of the lock of a deleted connection.
    pub(crate) fn unlink(&self, id: &str) {
        self.0.unlink(id);
    }

    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn stop_waiting(&self) {
        self.0.stop_waiting();
    }

    async fn open<D: Database + 'static>(opened: Result<D, Error>) -> Result<Self, Error> {
        let database = opened.map_err(mark_failure)?;
        migrate(&database).await?;
        Ok(Self(Arc::new(database)))
    }
}
