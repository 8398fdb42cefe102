//! Rows of `connector_definition`: sealed lists that accounts define, and who reads them.

use std::time::Duration;

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Place of a list: its key, and whose it is.
#[derive(Clone, Copy)]
pub(crate) struct ListPlace<'a> {
    pub(crate) key: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) connection: &'a str,
}

/// Selects the sealed records of a list, and when they were read.
pub(crate) fn select(key: &str) -> Statement {
    sql!("SELECT records, read_at FROM connector_definition WHERE key = $1 AND records IS NOT NULL", key)
}

/// Claims the reading of a list. It returns no row while another process reads it.
///
/// A claim that ends much later than claims do was made before a clock was set back, and holds nobody up.
pub(crate) fn claim(place: ListPlace<'_>, holder: &str, now: Moment, span: Duration) -> Statement {
    sql!(
        "INSERT INTO connector_definition (key, owner, connection_id, size, read_at, holder, reading_until) \
         VALUES ($1, $2, $3, 0, 0, $4, $5) \
         ON CONFLICT (key) DO UPDATE SET holder = $4, reading_until = $5 \
         WHERE connector_definition.reading_until <= $6 OR connector_definition.reading_until > $7 RETURNING 1",
        place.key,
        place.owner,
        place.connection,
        holder,
        now + span,
        now,
        now + span * 2
    )
}

/// Stores the sealed records of a list, unless others are there that were read later.
pub(crate) fn store(place: ListPlace<'_>, sealed_records: Vec<u8>, read_at: Moment, now: Moment) -> Statement {
    let size = i64::try_from(sealed_records.len()).unwrap_or(i64::MAX);
    sql!(
        "INSERT INTO connector_definition (key, owner, connection_id, records, size, read_at, holder, reading_until) \
         VALUES ($1, $2, $3, $4, $5, $6, '', 0) \
         ON CONFLICT (key) DO UPDATE SET records = $4, size = $5, read_at = $6 \
         WHERE connector_definition.read_at <= $6 OR connector_definition.read_at > $7",
        place.key,
        place.owner,
        place.connection,
        sealed_records,
        size,
        read_at,
        now
    )
}

/// Ends the claim of a process.
pub(crate) fn release(key: &str, holder: &str) -> Statement {
    sql!("UPDATE connector_definition SET reading_until = 0 WHERE key = $1 AND holder = $2", key, holder)
}

/// Deletes the lists of an owner that were read first, where all together have more than so many bytes.
pub(crate) fn delete_beyond(owner: &str, most: i64) -> Statement {
    sql!(
        "DELETE FROM connector_definition WHERE records IS NOT NULL AND key IN (SELECT key FROM \
         (SELECT key, SUM(size) OVER (ORDER BY read_at DESC, key) AS total FROM connector_definition WHERE owner = $1) AS sized \
         WHERE total > CAST($2 AS BIGINT))",
        owner,
        most
    )
}

/// Deletes the lists of a connection.
pub(crate) fn delete_of(owner: &str, connection: &str) -> Statement {
    sql!("DELETE FROM connector_definition WHERE owner = $1 AND connection_id = $2", owner, connection)
}

/// Deletes the lists that nobody reads now, and that are too old or were stamped by a clock that was ahead.
pub(crate) fn delete_expired(before: Moment, after: Moment, now: Moment) -> Statement {
    sql!("DELETE FROM connector_definition WHERE (read_at < $1 OR read_at > $2) AND reading_until <= $3", before, after, now)
}

/// Deletes all lists: they are sealed with a key that is given up, and can be read again.
pub(crate) fn delete_all() -> Statement {
    sql!("DELETE FROM connector_definition")
}
