//! Rows of `connector_visit`: the hashes of sign-in links and sessions.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Inserts a link or a session of an owner.
pub(crate) fn insert(hash: String, kind: &str, owner: &str, expires: Moment) -> Statement {
    sql!("INSERT INTO connector_visit (hash, kind, owner, expires_at) VALUES ($1, $2, $3, $4)", hash, kind, owner, expires)
}

/// Selects the owner of a link or a session.
pub(crate) fn select_owner(hash: String, kind: &str, now: Moment) -> Statement {
    sql!("SELECT owner FROM connector_visit WHERE hash = $1 AND kind = $2 AND expires_at > $3", hash, kind, now)
}

/// Deletes a link and returns its owner.
pub(crate) fn take_link(hash: String, now: Moment) -> Statement {
    sql!("DELETE FROM connector_visit WHERE hash = $1 AND kind = 'link' AND expires_at > $2 RETURNING owner", hash, now)
}

/// Deletes a session.
pub(crate) fn delete_session(hash: String) -> Statement {
    sql!("DELETE FROM connector_visit WHERE hash = $1 AND kind = 'session'", hash)
}

/// Deletes the links and sessions that are too old.
pub(crate) fn delete_expired(now: Moment) -> Statement {
    sql!("DELETE FROM connector_visit WHERE expires_at <= $1", now)
}
