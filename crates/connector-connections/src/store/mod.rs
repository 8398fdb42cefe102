//! Where connections are kept. The statements are the same for both databases; a database runs them, and knows how to
//! hold one connection's lock across processes.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind};

/// A database, opened and brought up to date. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<dyn Database>);

/// What a database must do.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// Runs the statements in one transaction, which is undone where one misses the row that it expects.
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error>;
    /// Holds a connection's lock against every task and process, until it is released, dropped or its process ends.
    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error>;
    /// Removes what is left of the lock of a connection that is gone.
    fn unlink(&self, _id: &str) {}
    /// What it is, for people; no secret.
    fn name(&self) -> String;
    /// Waits for no other program, so that a test need not either.
    #[cfg(all(test, feature = "sqlite"))]
    fn impatient(&self) {}
}

/// A connection's lock. What is changed under it is changed through it.
#[async_trait]
pub(crate) trait Lock: Send {
    /// As [`Database::run`]; what it changed is kept when the lock is released.
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error>;
    /// Keeps what was changed, and gives the lock back.
    async fn release(self: Box<Self>) -> Result<(), Error>;
}

/// A lock whose failures are told as the store's.
struct Told(Box<dyn Lock>);

#[async_trait]
impl Lock for Told {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.0.run(batch).await.map_err(broken)
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.0.release().await.map_err(broken)
    }
}

/// The cause of a failure that is the store's own, in the words of the log.
#[derive(Clone, Debug)]
pub(crate) struct Broken(String);

impl Broken {
    pub(crate) fn of(error: &Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Logs why the store failed, and marks the failure as its own. That two want the same at once is none.
fn broken(failure: Error) -> Error {
    if failure.kind() == ErrorKind::Conflict {
        return failure;
    }
    // What a server says below the first line could quote a row.
    let causes = std::iter::successors(failure.source(), |&cause| cause.source());
    let words: Vec<String> = causes.filter_map(|cause| cause.to_string().lines().next().map(str::to_owned)).collect();
    let why = words.join(": ");
    tracing::error!(why, "{}", failure.message());
    failure.with_source(Broken(why))
}

/// One statement and its values, `$1` onwards.
#[derive(Clone)]
pub(crate) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
    /// Whether it must give or change exactly one row, which it then returns.
    one: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row that a statement gave.
#[derive(Debug)]
pub(crate) struct Row(Vec<Value>);

/// What came of a batch.
#[derive(Debug)]
pub(crate) enum Ran {
    /// All of it was carried out; the rows of each statement.
    All(Vec<Vec<Row>>),
    /// The statement at this place missed its row, and nothing was changed.
    Missed(usize),
}

/// A statement with its values.
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => {
        $crate::store::Statement::new($text, vec![$($crate::store::Value::from($value)),*])
    };
}
pub(crate) use sql;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.0.name())
    }
}

impl Store {
    /// A SQLite database in a file, which is made where there is none, for its owner alone.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(path: impl Into<std::path::PathBuf>) -> Result<Self, Error> {
        Self::migrated(Arc::new(sqlite::Sqlite::open(path.into()).await.map_err(broken)?)).await
    }

    /// A PostgreSQL database, as `postgres://user:word@host/name`: what several hosts share. It speaks TLS where
    /// the server does, unless `sslmode` says otherwise; authorities, as PEM, are trusted beside the public ones.
    #[cfg(feature = "postgres")]
    pub async fn postgres(url: &str, authorities: &[u8]) -> Result<Self, Error> {
        Self::migrated(Arc::new(postgres::Postgres::open(url, authorities).await.map_err(broken)?)).await
    }

    /// Whether a failure is the store's own, as where it cannot be reached or written: no caller can mend that.
    pub fn is_cause_of(error: &Error) -> bool {
        Broken::of(error).is_some()
    }

    pub(crate) async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        if batch.iter().flat_map(|statement| &statement.values).any(Value::holds_nul) {
            return Err(Error::new(ErrorKind::InvalidInput, "A name or an id cannot hold the character NUL."));
        }
        self.0.run(batch).await.map_err(broken)
    }

    /// The rows of one statement.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        self.run(vec![statement]).await?.only()
    }

    pub(crate) async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        Ok(Box::new(Told(self.0.lock(id).await.map_err(broken)?)))
    }

    pub(crate) fn unlink(&self, id: &str) {
        self.0.unlink(id);
    }

    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn impatient(&self) {
        self.0.impatient();
    }

    async fn migrated(database: Arc<dyn Database>) -> Result<Self, Error> {
        let store = Self(database);
        migrate(&store).await?;
        Ok(store)
    }
}

/// What made each version from the one before.
const MIGRATIONS: [&str; 3] = [include_str!("schema.sql"), include_str!("visits.sql"), include_str!("ended.sql")];

async fn migrate(store: &Store) -> Result<(), Error> {
    loop {
        let version = version(store).await?;
        let Some(next) = MIGRATIONS.get(version) else {
            if version == MIGRATIONS.len() {
                return Ok(());
            }
            return Err(Error::new(
                ErrorKind::Bug,
                format!(
                    "{} was written by a newer version: it has the form {version}, this program knows {}.",
                    store.0.name(),
                    MIGRATIONS.len()
                ),
            )
            .with_hint("Use the newer program; nothing was changed."));
        };
        let step = sql!(
            "UPDATE connector_setting SET value = $1 WHERE name = 'version' AND value = $2 RETURNING 1",
            (version + 1).to_string(),
            version.to_string()
        );
        let parts = next.split(";\n").filter(|part| !part.trim().is_empty()).map(|part| sql!(part));
        // Where another process was first, its step is seen on the next turn.
        store.run(std::iter::once(step.one()).chain(parts).collect()).await?;
    }
}

async fn version(store: &Store) -> Result<usize, Error> {
    const VERSION: &str = "SELECT value FROM connector_setting WHERE name = 'version'";
    // Where it stands already, nothing is written: this user may not be let, and another may be writing. That a new store
    // has no such table is no failure to log.
    let stands = match store.0.run(vec![sql!(VERSION)]).await {
        Ok(Ran::All(mut rows)) => rows.pop().and_then(|mut rows| rows.pop()),
        _ => None,
    };
    let row = match stands {
        Some(row) => row,
        None => first_version(store, VERSION).await?,
    };
    row.text(0)?.parse().map_err(|_| misread())
}

async fn first_version(store: &Store, version: &'static str) -> Result<Row, Error> {
    let batch = || {
        vec![
            sql!("CREATE TABLE IF NOT EXISTS connector_setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"),
            sql!("INSERT INTO connector_setting (name, value) VALUES ('version', '0') ON CONFLICT DO NOTHING"),
            sql!(version),
        ]
    };
    // Two that make the same table at once: one of them is told that it exists.
    let ran = match store.run(batch()).await {
        Err(error) if error.kind() == ErrorKind::Conflict => store.run(batch()).await?,
        ran => ran?,
    };
    ran.only()?.pop().ok_or_else(misread)
}

impl Statement {
    pub(crate) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values, one: false }
    }

    /// It must give exactly one row.
    pub(crate) fn one(mut self) -> Self {
        self.one = true;
        self
    }

    fn missed(&self, rows: &[Row]) -> bool {
        self.one && rows.len() != 1
    }
}

impl Value {
    /// PostgreSQL keeps no text with a NUL in it; what one database refuses, no other takes.
    fn holds_nul(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains('\0'))
    }
}

impl Ran {
    pub(crate) fn all(self) -> Result<Vec<Vec<Row>>, Error> {
        match self {
            Self::All(rows) => Ok(rows),
            Self::Missed(_) => Err(misread()),
        }
    }

    pub(crate) fn only(self) -> Result<Vec<Row>, Error> {
        Ok(self.all()?.pop().unwrap_or_default())
    }
}

impl Row {
    pub(crate) fn text(&self, at: usize) -> Result<&str, Error> {
        self.maybe_text(at)?.ok_or_else(misread)
    }

    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<&str>, Error> {
        match self.0.get(at) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, Error> {
        self.maybe_integer(at)?.ok_or_else(misread)
    }

    pub(crate) fn maybe_integer(&self, at: usize) -> Result<Option<i64>, Error> {
        match self.0.get(at) {
            Some(Value::Integer(integer)) => Ok(Some(*integer)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }

    pub(crate) fn maybe_bytes(&self, at: usize) -> Result<Option<&[u8]>, Error> {
        match self.0.get(at) {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }
}

pub(crate) fn misread() -> Error {
    Error::new(ErrorKind::Bug, "The store holds what this program did not write.")
}

/// Two wanted the same name, account or default at once.
fn taken() -> Error {
    Error::new(ErrorKind::Conflict, "Another connection was given this name or account at the same time.")
        .with_retry(connector_core::Retry::Later)
        .with_hint("Try again.")
}

/// Another has a connection's lock for longer than any refresh takes.
fn held() -> Error {
    Error::new(ErrorKind::TimedOut, "The connection is held by another program, which may stand still.").with_hint("Try again, or end it.")
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<crate::clock::Moment> for Value {
    fn from(value: crate::clock::Moment) -> Self {
        Self::Integer(value.0)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
