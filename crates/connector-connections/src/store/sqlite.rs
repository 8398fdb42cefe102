//! SQLite: one file for one machine. A connection's lock is a file, which the kernel frees whatever ends its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::time::Instant;

use super::{Database, Lock, Ran, Row, Statement, Value, held, taken};
use crate::files;

/// How long another program may hold the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long another may hold a connection's lock file: longer than a token endpoint is waited for.
const LOCK_PATIENCE: Duration = Duration::from_mins(1);
/// How often it is tried meanwhile. A thread that waited for it could not be called back.
const LOCK_TURN: Duration = Duration::from_millis(5);

#[derive(Clone)]
pub(super) struct Sqlite(Arc<Inner>);

struct Inner {
    path: PathBuf,
    locks: PathBuf,
    connection: Mutex<Connection>,
}

/// A lock file that is held, and the database that is changed meanwhile. No transaction is open: one would keep every
/// other writer waiting for a server far away.
struct Held {
    _file: File,
    database: Sqlite,
}

impl Sqlite {
    pub(super) async fn open(path: PathBuf) -> Result<Self, Error> {
        blocking(move || Self::open_here(&path)).await
    }

    fn open_here(path: &Path) -> Result<Self, Error> {
        let unwritable = |error: std::io::Error| {
            Error::new(ErrorKind::Bug, format!("The store {} cannot be made or opened: {error}.", path.display()))
                .with_hint("Check that its folder can be written by this user.")
        };
        files::private_folder(path.parent().unwrap_or(Path::new(""))).map_err(unwritable)?;
        // Made before SQLite would, so that nobody else may ever read it; its journals take the same mode.
        files::private(OpenOptions::new().read(true).append(true).create(true)).open(path).map_err(unwritable)?;
        if files::is_open_to_others(path).map_err(unwritable)? {
            tracing::warn!(store = %path.display(), "others of this machine may read or change the store: chmod 600 ends that");
        }
        // Two processes hold the same lock files, however each of them spells the path.
        let path = path.canonicalize().map_err(unwritable)?;
        let mut locks = path.clone().into_os_string();
        locks.push(".locks");
        let locks = PathBuf::from(locks);
        files::private_folder(&locks).map_err(unwritable)?;
        // Of two that turn a new file to its journal at once, SQLite would tell one that it is busy, and not wait.
        let turn =
            files::private(OpenOptions::new().write(true).create(true).truncate(false)).open(locks.join("open")).map_err(unwritable)?;
        turn.lock().map_err(unwritable)?;
        let connection = connect(&path).map_err(|error| failed(&path, error))?;
        Ok(Self(Arc::new(Inner { path, locks, connection: Mutex::new(connection) })))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A token that was stored must outlive a power cut: the one before it may be dead.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[async_trait]
impl Database for Sqlite {
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            // Nothing that panics leaves a transaction open: it is undone when it is dropped.
            let mut connection = inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            run(&mut connection, &batch).map_err(|error| failed(&inner.path, error))
        })
        .await
    }

    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        let path = self.0.locks.join(format!("{id}.lock"));
        let failed = |error: &std::io::Error| {
            Error::new(ErrorKind::Bug, format!("The lock file {} cannot be held: {error}.", path.display()))
                .with_hint("Check that its folder can be written by this user.")
        };
        let file =
            files::private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path).map_err(|error| failed(&error))?;
        let (until, mut turns) = (Instant::now() + LOCK_PATIENCE, tokio::time::interval(LOCK_TURN));
        loop {
            turns.tick().await;
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(Held { _file: file, database: self.clone() })),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {}
                Err(TryLockError::WouldBlock) => return Err(held()),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
    }

    fn unlink(&self, id: &str) {
        // Whoever waits for it still gets the lock of the unlinked file, and finds the connection gone.
        let _ = std::fs::remove_file(self.0.locks.join(format!("{id}.lock")));
    }

    fn name(&self) -> String {
        format!("The store {}", self.0.path.display())
    }

    #[cfg(test)]
    fn impatient(&self) {
        let connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.busy_timeout(Duration::ZERO).expect("it is set");
    }
}

#[async_trait]
impl Lock for Held {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.database.run(batch).await
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

fn run(connection: &mut Connection, batch: &[Statement]) -> rusqlite::Result<Ran> {
    if let [only] = batch {
        // One statement is a transaction of its own.
        let rows = rows(connection, only)?;
        return Ok(if only.missed(&rows) { Ran::Missed(0) } else { Ran::All(vec![rows]) });
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut all = Vec::with_capacity(batch.len());
    for (at, statement) in batch.iter().enumerate() {
        let rows = rows(&transaction, statement)?;
        if statement.missed(&rows) {
            return Ok(Ran::Missed(at));
        }
        all.push(rows);
    }
    transaction.commit()?;
    Ok(Ran::All(all))
}

fn rows(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    // Writers are one at a time here, so that no row needs a lock.
    let sql = statement.sql.split(" FOR UPDATE").next().unwrap_or_default();
    let sql = sql.split(" FOR SHARE").next().unwrap_or_default();
    let sql = sql.replace('$', "?").replace("BYTEA", "BLOB");
    let mut prepared = connection.prepare_cached(&sql)?;
    let columns = prepared.column_count();
    let mut rows = prepared.query(rusqlite::params_from_iter(&statement.values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Row((0..columns).map(|at| row.get_ref(at).map(value)).collect::<rusqlite::Result<_>>()?));
    }
    Ok(all)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // No column is a fraction; one that is would be misread where it is used.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn failed(path: &Path, error: rusqlite::Error) -> Error {
    let store = format!("The store {}", path.display());
    let bug = |what: &str, hint: &str| Error::new(ErrorKind::Bug, format!("{store} {what}")).with_hint(hint);
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => return taken(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(ErrorKind::TimedOut, format!("{store} is locked by another program.")).with_hint("Try again, or end that program.")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            bug("is no database, or is damaged.", "Restore it from a copy, or name another file.")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            bug("cannot be written.", "Check that its folder can be written by this user.")
        }
        Some(ErrorCode::DiskFull) => bug("has no room: the disk is full.", "Free some space, and try again."),
        _ => bug("failed.", "The log says why."),
    };
    failure.with_source(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(ErrorKind::Cancelled, "The store's work was stopped.").with_source(error)),
    }
}
