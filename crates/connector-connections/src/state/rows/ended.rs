//! Rows of `connector_ended`: the ends of unfinished connections, for callers that ask for their progress.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;
use crate::value::lifetimes::LINK_LIFETIME;
use crate::value::model::Connection;

/// Records that a connection ended: another was renewed in its place, or it was declined.
pub(crate) fn insert(begun: &Connection, renewed: Option<&String>, now: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_ended (id, owner, renewed, expires_at) VALUES ($1, $2, $3, $4)",
        &begun.id,
        &begun.owner,
        renewed,
        now + LINK_LIFETIME
    )
}

/// Selects the id of the connection that was renewed in place of one.
pub(crate) fn select_renewed(owner: &str, id: &str) -> Statement {
    sql!("SELECT renewed FROM connector_ended WHERE id = $1 AND owner = $2", id, owner)
}

/// Deletes the rows that are too old.
pub(crate) fn delete_expired(now: Moment) -> Statement {
    sql!("DELETE FROM connector_ended WHERE expires_at <= $1", now)
}
