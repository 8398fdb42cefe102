//! The interface that both databases implement, and the failures that they share.

use std::error::Error as _;
use std::fmt;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Retry};

use crate::store::statement::{Ran, Row, Statement};

/// Statements that follow from the rows of those before them.
pub(crate) type Decision = Box<dyn FnOnce(Vec<Vec<Row>>) -> Result<Vec<Statement>, Error> + Send>;

/// Database that runs statements and locks connections across processes.
#[async_trait]
pub(super) trait Database: Send + Sync {
    /// Runs the statements in one transaction, which is undone if one misses the row that it requires.
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error>;
    /// Runs the first statements, and in the same transaction those that follow from their rows.
    async fn run_in_turn(&self, first: Vec<Statement>, decide: Decision) -> Result<Ran, Error>;
    /// Locks a connection against every task and process, until the lock is released or dropped or its process ends.
    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error>;
    /// Removes the leftovers of the lock of a deleted connection.
    fn unlink(&self, _id: &str) {}
    /// Checks whether hosts on several machines can share the database.
    fn is_shared(&self) -> bool {
        false
    }
    /// Returns a name for people, without secrets.
    fn name(&self) -> String;
    /// Stops waiting for other programs, so that a test need not wait.
    #[cfg(all(test, feature = "sqlite"))]
    fn stop_waiting(&self) {}
}

/// Lock of a connection. Changes under the lock are made through it.
#[async_trait]
pub(crate) trait Lock: Send {
    /// Runs statements as [`Database::run`] does. Changes are kept when the lock is released.
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error>;
    /// Keeps the changes, and releases the lock.
    async fn release(self: Box<Self>) -> Result<(), Error>;
}

/// Cause of a failure of the store, in the words of the log.
#[derive(Clone, Debug)]
pub(crate) struct StoreFailure(String);

impl StoreFailure {
    /// Finds the cause of an error that the store raised.
    pub(crate) fn find(error: &Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreFailure {}

/// Logs the cause of a failure and marks it as the store's. A conflict of two callers is no failure of the store.
pub(super) fn mark_failure(failure: Error) -> Error {
    if failure.kind() == ErrorKind::Conflict {
        return failure;
    }
    // Further lines of a server's message could quote a row.
    let causes = std::iter::successors(failure.source(), |&cause| cause.source());
    let lines: Vec<String> = causes.filter_map(|cause| cause.to_string().lines().next().map(str::to_owned)).collect();
    let why = lines.join(": ");
    tracing::error!(why, "{}", failure.message());
    failure.with_source(StoreFailure(why))
}

/// Builds the error for two callers that wanted the same name, account or default at once.
pub(super) fn conflict() -> Error {
    Error::new(ErrorKind::Conflict, "Another connection was given this name or account at the same time.")
        .with_retry(Retry::Later)
        .with_hint("Try again.")
}

/// Builds the error for a lock that another program holds for longer than any refresh takes.
pub(super) fn lock_timeout() -> Error {
    Error::new(ErrorKind::TimedOut, "The connection is locked by another program, which may be stuck.")
        .with_hint("Try again, or end that program.")
}
