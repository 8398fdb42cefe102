//! Rows of `connector_used`: tickets that were used.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Marks a ticket as used. It returns no row if the ticket was used before.
pub(crate) fn insert(nonce_hash: String, expires: Moment) -> Statement {
    sql!("INSERT INTO connector_used (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1", nonce_hash, expires)
}

/// Deletes the marks that are too old.
pub(crate) fn delete_expired(now: Moment) -> Statement {
    sql!("DELETE FROM connector_used WHERE expires_at <= $1", now)
}
