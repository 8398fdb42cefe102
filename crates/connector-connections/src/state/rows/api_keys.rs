//! Rows of `connector_key`: the hashes of the host's own API keys.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Inserts a key; one without an owner is the operator's.
pub(crate) fn insert(id: &str, hash: String, prefix: &str, name: &str, owner: Option<&str>, now: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_key (id, hash, prefix, name, owner, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        hash,
        prefix,
        name,
        owner,
        now
    )
}

/// Selects the keys of an owner, or the operator's, oldest first.
pub(crate) fn select_all(owner: Option<&str>) -> Statement {
    sql!(
        "SELECT id, name, prefix, owner, created_at FROM connector_key WHERE COALESCE(owner, '') = $1 AND (owner IS NULL) = ($2 = 1) \
         ORDER BY created_at, id",
        owner.unwrap_or_default(),
        i64::from(owner.is_none())
    )
}

/// Selects the owner of a key.
pub(crate) fn select_owner(hash: String) -> Statement {
    sql!("SELECT owner FROM connector_key WHERE hash = $1", hash)
}

/// Deletes a key of an owner, or of the operator.
pub(crate) fn delete(id: &str, owner: Option<&str>) -> Statement {
    sql!(
        "DELETE FROM connector_key WHERE id = $1 AND COALESCE(owner, '') = $2 AND (owner IS NULL) = ($3 = 1) RETURNING 1",
        id,
        owner.unwrap_or_default(),
        i64::from(owner.is_none())
    )
}
