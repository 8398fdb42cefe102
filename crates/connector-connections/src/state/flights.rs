//! Refreshes that are under way in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_core::Error;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

use crate::value::clock::Moment;
use crate::value::tokens::Tokens;

/// Pause after a failed refresh, during which calls use a token that is still valid.
const PAUSE: Duration = Duration::from_secs(30);

/// Refreshes of this process, by connection.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

/// Refresh of a connection: one caller at a time, and the callers that waited share its result.
#[derive(Default)]
pub(crate) struct Flight {
    turn: AsyncMutex<LastAttempt>,
    attempts: AtomicU64,
    paused_until: AtomicI64,
}

/// Result that an attempt leaves to the next one.
#[derive(Default)]
pub(crate) struct LastAttempt {
    /// Tokens that came for a version and could not be stored. The ones before them may be dead.
    pub(crate) unstored: Option<(i64, Tokens)>,
    pub(crate) failure: Option<Error>,
}

impl Flights {
    /// Returns the flight of a connection, which all its callers share.
    pub(crate) fn join(&self, id: &str) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(id.to_owned()).or_default())
    }

    /// Forgets the flight of a deleted connection.
    pub(crate) fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Flight {
    /// Checks whether a caller whose token is still valid goes on without a refresh.
    pub(crate) fn can_wait(&self, now: Moment) -> bool {
        self.turn.try_lock().is_err() || now.as_micros() < self.paused_until.load(Ordering::SeqCst)
    }

    /// Waits for this caller's turn to refresh.
    pub(crate) async fn take_turn(&self) -> AsyncMutexGuard<'_, LastAttempt> {
        self.turn.lock().await
    }

    /// Returns the number of attempts that ended. If it rises while a caller waits, another one has tried to refresh.
    pub(crate) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::SeqCst)
    }

    /// Counts an attempt that ended.
    pub(crate) fn record_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::SeqCst);
    }

    /// Pauses refreshes of a token that is still valid.
    pub(crate) fn pause(&self, now: Moment) {
        self.paused_until.store((now + PAUSE).as_micros(), Ordering::SeqCst);
    }
}
