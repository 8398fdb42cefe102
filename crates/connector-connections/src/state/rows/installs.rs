//! Rows of `connector_install`: sealed codes of installs that nobody has claimed.

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Inserts an install. It misses if `most` are held already.
pub(crate) fn insert_if_room(handle_hash: &str, app: &str, sealed_code: Vec<u8>, expires: Moment, most: i64) -> Statement {
    sql!(
        "INSERT INTO connector_install (handle, app, code, expires_at) SELECT $1, $2, $3, $4 \
         WHERE (SELECT COUNT(*) FROM connector_install) < $5 RETURNING 1",
        handle_hash,
        app,
        sealed_code,
        expires,
        most
    )
    .expect_row()
}

/// Inserts an install that was taken before.
pub(crate) fn insert(handle_hash: &str, app: &str, sealed_code: Vec<u8>, expires: Moment) -> Statement {
    sql!("INSERT INTO connector_install (handle, app, code, expires_at) VALUES ($1, $2, $3, $4)", handle_hash, app, sealed_code, expires)
}

/// Deletes an install and returns it.
pub(crate) fn take(handle_hash: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_install WHERE handle = $1 AND expires_at > $2 RETURNING app, code, expires_at", handle_hash, now)
        .expect_row()
}

/// Deletes an install.
pub(crate) fn delete(handle_hash: &str) -> Statement {
    sql!("DELETE FROM connector_install WHERE handle = $1 RETURNING 1", handle_hash)
}

/// Deletes the installs that are too old.
pub(crate) fn delete_expired(now: Moment) -> Statement {
    sql!("DELETE FROM connector_install WHERE expires_at <= $1", now)
}
