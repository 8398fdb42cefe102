//! Rows of `connector_ledger`: idempotency keys and their sealed outcomes.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Claims a key. It returns no row if the key is claimed already.
pub(crate) fn claim(entry: &str, call: &str, expires: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_ledger (key, call, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
        entry,
        call,
        expires
    )
}

/// Selects the call and the outcome of a key.
pub(crate) fn select(entry: &str) -> Statement {
    sql!("SELECT call, answer FROM connector_ledger WHERE key = $1", entry)
}

/// Stores the sealed outcome of a key. It misses a key that was not claimed.
pub(crate) fn finish(entry: &str, sealed_outcome: Vec<u8>) -> Statement {
    sql!("UPDATE connector_ledger SET answer = $2 WHERE key = $1 RETURNING 1", entry, sealed_outcome).expect_row()
}

/// Frees a key that has no outcome.
pub(crate) fn release(entry: &str) -> Statement {
    sql!("DELETE FROM connector_ledger WHERE key = $1 AND answer IS NULL", entry)
}

/// Deletes a key if it is too old.
pub(crate) fn delete_if_expired(entry: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_ledger WHERE key = $1 AND expires_at <= $2", entry, now)
}

/// Deletes the keys that are too old.
pub(crate) fn delete_expired(now: Moment) -> Statement {
    sql!("DELETE FROM connector_ledger WHERE expires_at <= $1", now)
}
