//! Rows of `connector_match` and `connector_match_record`: who works on a value, and which records had it lately.

use connector_core::Error;

use crate::store::statement::{Row, Statement, misread, sql};
use crate::value::clock::Moment;

/// Selects columns with the time: that of the caller, or without one that of the database.
macro_rules! select {
    ($now:literal, $columns:literal, $table:literal) => {
        concat!("SELECT ", $now, ", ", $columns, " FROM ", $table, " WHERE key = $1 FOR UPDATE")
    };
}

/// This is PostgreSQL alone: SQLite has the clock of the host.
macro_rules! select_by_database {
    ($columns:literal, $table:literal) => {
        select!("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", $columns, $table)
    };
}

/// Facts about a value.
#[derive(Debug)]
pub(crate) struct MatchRow {
    /// Time at which the row was read.
    pub(crate) now: Moment,
    pub(crate) holder: String,
    pub(crate) leased_until: Moment,
    /// End of the time for which it is not known whether a record with the value was added.
    pub(crate) unsure_until: Moment,
}

/// Record that had a value, with the time at which the row was read and until when it is kept.
#[derive(Debug)]
pub(crate) struct MatchRecordRow {
    pub(crate) now: Moment,
    pub(crate) record: String,
    pub(crate) kept_until: Moment,
}

/// Selects a value and its records, and locks the value until the transaction ends.
pub(crate) fn select_locked(key: &str, now: Option<Moment>) -> [Statement; 3] {
    let create =
        sql!("INSERT INTO connector_match (key, holder, leased_until, unsure_until) VALUES ($1, '', 0, 0) ON CONFLICT DO NOTHING", key);
    let [value, records] = select(key, now);
    [create, value.expect_row(), records]
}

/// Selects a value and its records.
pub(crate) fn select(key: &str, now: Option<Moment>) -> [Statement; 2] {
    match now {
        Some(now) => [
            sql!(select!("CAST($2 AS BIGINT)", "holder, leased_until, unsure_until", "connector_match"), key, now),
            sql!(select!("CAST($2 AS BIGINT)", "record, kept_until", "connector_match_record"), key, now),
        ],
        None => [
            sql!(select_by_database!("holder, leased_until, unsure_until", "connector_match"), key),
            sql!(select_by_database!("record, kept_until", "connector_match_record"), key),
        ],
    }
}

/// Reads a value.
pub(crate) fn read(rows: &[Row]) -> Result<Option<MatchRow>, Error> {
    let Some(row) = rows.first() else { return Ok(None) };
    let (now, holder) = (row.moment(0)?, row.text(1)?.to_owned());
    Ok(Some(MatchRow { now, holder, leased_until: row.moment(2)?, unsure_until: row.moment(3)? }))
}

/// Reads the records of a value.
pub(crate) fn read_records(rows: &[Row]) -> Result<Vec<MatchRecordRow>, Error> {
    let read = |row: &Row| Ok(MatchRecordRow { now: row.moment(0)?, record: row.text(1)?.to_owned(), kept_until: row.moment(2)? });
    rows.iter().map(read).collect()
}

/// Reads the result of a locked selection, in which the value is there.
pub(crate) fn require(rows: &[Row]) -> Result<MatchRow, Error> {
    read(rows)?.ok_or_else(misread)
}

/// Leases a value to a holder.
pub(crate) fn lease(key: &str, holder: &str, until: Moment) -> Statement {
    sql!("UPDATE connector_match SET holder = $2, leased_until = $3 WHERE key = $1", key, holder, until)
}

/// Ends the lease of a holder.
pub(crate) fn release(key: &str, holder: &str) -> Statement {
    sql!("UPDATE connector_match SET holder = '', leased_until = 0 WHERE key = $1 AND holder = $2", key, holder)
}

/// Stores until when it is not known whether a record with a value was added.
pub(crate) fn doubt(key: &str, until: Moment) -> Statement {
    sql!("UPDATE connector_match SET unsure_until = $2 WHERE key = $1", key, until)
}

/// Stores a record that has a value.
pub(crate) fn keep(key: &str, record: &str, until: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_match_record (key, record, kept_until) VALUES ($1, $2, $3) \
         ON CONFLICT (key, record) DO UPDATE SET kept_until = $3",
        key,
        record,
        until
    )
}

/// Deletes the values that nobody works on or doubts.
pub(crate) fn delete_expired(before: Moment) -> Statement {
    sql!("DELETE FROM connector_match WHERE leased_until <= $1 AND unsure_until <= $1", before)
}

/// Deletes the records that are remembered no longer.
pub(crate) fn delete_expired_records(before: Moment) -> Statement {
    sql!("DELETE FROM connector_match_record WHERE kept_until <= $1", before)
}
