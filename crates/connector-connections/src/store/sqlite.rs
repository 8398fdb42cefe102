//! SQLite: one file for one machine.
//!
//! A connection's lock is a file lock, which the kernel frees however its process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::time::Instant;

use crate::seal::files;
use crate::store::database::{Database, Decision, Lock, conflict, lock_timeout};
use crate::store::statement::{Ran, Row, Statement, Value};

/// Time for which another program may lock the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for which another process may hold a connection's lock file. It exceeds the timeout of a token endpoint.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);
/// Interval of the attempts. A thread that blocked on the lock instead could not be cancelled.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// SQLite database. Clones share one connection.
#[derive(Clone)]
pub(super) struct Sqlite(Arc<SharedFile>);

struct SharedFile {
    path: PathBuf,
    locks: PathBuf,
    connection: Mutex<Connection>,
}

/// Locked file, and the database that is changed meanwhile.
///
/// No transaction is open: one would make every other writer wait for the vendor's server.
struct FileLock {
    _file: File,
    database: Sqlite,
}

impl Sqlite {
    pub(super) async fn open(path: PathBuf) -> Result<Self, Error> {
        run_blocking(move || Self::open_blocking(&path)).await
    }

    fn open_blocking(path: &Path) -> Result<Self, Error> {
        let unwritable = |error: std::io::Error| {
            Error::new(ErrorKind::Unreachable, format!("The store {} cannot be created or opened: {error}.", path.display()))
                .with_hint("Check that its folder can be written by this user, and that its disk is not full.")
        };
        files::create_private_folder(path.parent().unwrap_or(Path::new(""))).map_err(unwritable)?;
        // Created before SQLite does, so that nobody else can ever read it. Its journals take the same mode.
        files::make_private(OpenOptions::new().read(true).append(true).create(true)).open(path).map_err(unwritable)?;
        if files::is_open_to_others(path).map_err(unwritable)? {
            tracing::warn!(store = %path.display(), "other users of this machine can read or change the store: run chmod 600 on it");
        }
        // Canonical, so that all processes use the same lock files however they spell the path.
        let path = path.canonicalize().map_err(unwritable)?;
        let mut locks = path.clone().into_os_string();
        locks.push(".locks");
        let locks = PathBuf::from(locks);
        files::create_private_folder(&locks).map_err(unwritable)?;
        // If two processes switch a new file to the write-ahead log at once, SQLite fails one of them at once as busy.
        let opening = files::make_private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(locks.join("open"))
            .map_err(unwritable)?;
        opening.lock().map_err(unwritable)?;
        let connection = connect(&path).map_err(|error| explain(&path, error))?;
        Ok(Self(Arc::new(SharedFile { path, locks, connection: Mutex::new(connection) })))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A stored token must survive a power cut: the vendor may have ended the one before it.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[async_trait]
impl Database for Sqlite {
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        let file = Arc::clone(&self.0);
        run_blocking(move || {
            // A panic leaves no transaction open: it is undone when it is dropped.
            let mut connection = file.connection.lock().unwrap_or_else(PoisonError::into_inner);
            run_batch(&mut connection, &batch).map_err(|error| explain(&file.path, error))
        })
        .await
    }

    async fn run_in_turn(&self, first: Vec<Statement>, decide: Decision) -> Result<Ran, Error> {
        let file = Arc::clone(&self.0);
        run_blocking(move || {
            let mut connection = file.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let failed = |error| explain(&file.path, error);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
            let mut ran = run_all(&transaction, &first).map_err(failed)?;
            if let Ran::All(rows) = ran {
                ran = run_all(&transaction, &decide(rows)?).map_err(failed)?;
            }
            if matches!(ran, Ran::All(_)) {
                transaction.commit().map_err(failed)?;
            }
            Ok(ran)
        })
        .await
    }

    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        let path = self.0.locks.join(format!("{id}.lock"));
        let failed = |error: &std::io::Error| {
            Error::new(ErrorKind::Bug, format!("The lock file {} cannot be locked: {error}.", path.display()))
                .with_hint("Check that its folder can be written by this user.")
        };
        let file =
            files::make_private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path).map_err(|error| failed(&error))?;
        let (deadline, mut interval) = (Instant::now() + LOCK_TIMEOUT, tokio::time::interval(LOCK_INTERVAL));
        loop {
            interval.tick().await;
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(FileLock { _file: file, database: self.clone() })),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {}
                Err(TryLockError::WouldBlock) => return Err(lock_timeout()),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
    }

    fn unlink(&self, id: &str) {
        // A waiting process still gets the lock of the removed file, and then finds the connection gone.
        let _ = std::fs::remove_file(self.0.locks.join(format!("{id}.lock")));
    }

    fn name(&self) -> String {
        format!("The store {}", self.0.path.display())
    }

    #[cfg(test)]
    fn stop_waiting(&self) {
        let connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.busy_timeout(Duration::ZERO).expect("the timeout is set");
    }
}

#[async_trait]
impl Lock for FileLock {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.database.run(batch).await
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

fn run_batch(connection: &mut Connection, batch: &[Statement]) -> rusqlite::Result<Ran> {
    if let [only] = batch {
        // A single statement is a transaction of its own.
        let rows = run_statement(connection, only)?;
        return Ok(if only.is_missed(&rows) { Ran::Missed(0) } else { Ran::All(vec![rows]) });
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ran = run_all(&transaction, batch)?;
    if matches!(ran, Ran::All(_)) {
        transaction.commit()?;
    }
    Ok(ran)
}

/// Runs statements in a transaction, up to one that misses its row.
fn run_all(transaction: &Connection, batch: &[Statement]) -> rusqlite::Result<Ran> {
    let mut all = Vec::with_capacity(batch.len());
    for (at, statement) in batch.iter().enumerate() {
        let rows = run_statement(transaction, statement)?;
        if statement.is_missed(&rows) {
            return Ok(Ran::Missed(at));
        }
        all.push(rows);
    }
    Ok(Ran::All(all))
}

/// Runs a statement, translated from PostgreSQL's dialect.
fn run_statement(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    // SQLite has one writer at a time, so that no row needs a lock.
    let sql = statement.sql.split(" FOR UPDATE").next().unwrap_or_default();
    let sql = sql.split(" FOR SHARE").next().unwrap_or_default();
    let sql = sql.replace('$', "?").replace("BYTEA", "BLOB");
    let mut prepared = connection.prepare_cached(&sql)?;
    let columns = prepared.column_count();
    let mut rows = prepared.query(rusqlite::params_from_iter(&statement.values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Row((0..columns).map(|at| row.get_ref(at).map(read_value)).collect::<rusqlite::Result<_>>()?));
    }
    Ok(all)
}

fn read_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // No column is a fraction. If one is, its reader reports it.
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

/// Turns a failure of SQLite into an error that says what to do.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    let store = format!("The store {}", path.display());
    let bug = |what: &str, hint: &str| Error::new(ErrorKind::Bug, format!("{store} {what}")).with_hint(hint);
    let unwritable = |what: &str, hint: &str| Error::new(ErrorKind::Unreachable, format!("{store} {what}")).with_hint(hint);
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => return conflict(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(ErrorKind::TimedOut, format!("{store} is locked by another program.")).with_hint("Try again, or end that program.")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            bug("is no database, or is damaged.", "Restore it from a copy, or name another file.")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            unwritable("cannot be written.", "Check that its folder can be written by this user.")
        }
        Some(ErrorCode::DiskFull) => unwritable("has no room: the disk is full.", "Free some space, and try again."),
        _ => bug("failed.", "The log says why."),
    };
    failure.with_source(error)
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(ErrorKind::Cancelled, "The store's work was stopped.").with_source(error)),
    }
}
