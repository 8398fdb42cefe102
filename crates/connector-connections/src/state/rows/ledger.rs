//! Rows of `connector_ledger`: idempotency keys and their sealed outcomes, and the clock by which they age.

use std::time::Duration;

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;

/// Columns that identify a claim: its key, and who holds it.
#[derive(Clone, Copy)]
pub(crate) struct Holding<'a> {
    pub(crate) entry: &'a str,
    pub(crate) holder: &'a str,
}

/// Claims a key. It returns no row if the key is claimed already.
pub(crate) fn claim(holding: Holding<'_>, owner: &str, call: &str, sealed_about: Vec<u8>, now: Moment, until: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_ledger (key, owner, call, holder, about, started_at, running_until, born) \
         SELECT $1, $2, $3, $4, $5, $6, $7, age FROM connector_ledger_clock WHERE name = 'ledger' ON CONFLICT DO NOTHING RETURNING 1",
        holding.entry,
        owner,
        call,
        holding.holder,
        sealed_about,
        now,
        until
    )
}

/// Selects the call of a key, its outcome, when it started and until when it counts as running.
pub(crate) fn select(entry: &str) -> Statement {
    sql!("SELECT call, answer, started_at, running_until FROM connector_ledger WHERE key = $1", entry)
}

/// Lets a claim count as running for longer. A claim that was given up stays so.
pub(crate) fn extend(holding: Holding<'_>, until: Moment) -> Statement {
    sql!(
        "UPDATE connector_ledger SET running_until = $3 WHERE key = $1 AND holder = $2 AND answer IS NULL AND running_until > 0",
        holding.entry,
        holding.holder,
        until
    )
}

/// Stores the sealed outcome of a claim, and the record that it made.
///
/// It misses a key that another call holds, or that has an outcome.
pub(crate) fn finish(holding: Holding<'_>, sealed_outcome: Vec<u8>, record: Option<&str>) -> Statement {
    sql!(
        "UPDATE connector_ledger SET answer = $3, record = $4, running_until = 0 WHERE key = $1 AND holder = $2 AND answer IS NULL RETURNING 1",
        holding.entry,
        holding.holder,
        sealed_outcome,
        record
    )
    .expect_row()
}

/// Frees a key that has no outcome.
pub(crate) fn release(holding: Holding<'_>) -> Statement {
    sql!("DELETE FROM connector_ledger WHERE key = $1 AND holder = $2 AND answer IS NULL", holding.entry, holding.holder)
}

/// Gives a claim up: from now on its outcome counts as lost.
pub(crate) fn abandon(holding: Holding<'_>) -> Statement {
    sql!("UPDATE connector_ledger SET running_until = 0 WHERE key = $1 AND holder = $2 AND answer IS NULL", holding.entry, holding.holder)
}

/// Stores a sealed outcome that a person or a look-up found.
///
/// It misses a key that is running, has an outcome or is not there.
pub(crate) fn settle(entry: &str, sealed_outcome: Vec<u8>, record: Option<&str>, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_ledger SET answer = $2, record = $3, running_until = 0 \
         WHERE key = $1 AND answer IS NULL AND running_until <= $4 RETURNING 1",
        entry,
        sealed_outcome,
        record,
        now
    )
    .expect_row()
}

/// Frees a key whose outcome is lost. It misses a key that is running, has an outcome or is not there.
pub(crate) fn free(entry: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_ledger WHERE key = $1 AND answer IS NULL AND running_until <= $2 RETURNING 1", entry, now).expect_row()
}

/// Selects another key of an owner with the same call and no outcome.
pub(crate) fn select_twin(owner: &str, call: &str, entry: &str) -> Statement {
    sql!("SELECT 1 FROM connector_ledger WHERE call = $2 AND owner = $1 AND key <> $3 AND answer IS NULL LIMIT 1", owner, call, entry)
}

/// Selects the key under which a record was made.
pub(crate) fn select_record(owner: &str, record: &str) -> Statement {
    sql!("SELECT 1 FROM connector_ledger WHERE owner = $1 AND record = $2", owner, record)
}

/// Selects the keys of an owner, newest first; with `unknown_at`, those whose outcome is lost at that moment.
///
/// A row has what the key is about, when it started, until when it runs, and whether it has an outcome.
pub(crate) fn list(owner: &str, unknown_at: Option<Moment>, most: i64) -> Statement {
    sql!(
        "SELECT key, about, started_at, running_until, CASE WHEN answer IS NULL THEN 0 ELSE 1 END FROM connector_ledger \
         WHERE owner = $1 AND (CAST($2 AS BIGINT) IS NULL OR (answer IS NULL AND running_until <= CAST($2 AS BIGINT))) \
         ORDER BY started_at DESC, key LIMIT $3",
        owner,
        unknown_at,
        most
    )
}

/// Counts the keys of an owner.
pub(crate) fn count(owner: &str) -> Statement {
    sql!("SELECT COUNT(*) FROM connector_ledger WHERE owner = $1", owner)
}

/// Advances the clock by which keys age, by at most `most`.
///
/// It follows the machine's clock, and never further than that clock ran between two sweeps: a clock that jumps ends no key early.
pub(crate) fn advance_clock(now: Moment, most: Duration) -> Statement {
    sql!(
        "UPDATE connector_ledger_clock SET seen = CASE WHEN $1 > seen THEN $1 ELSE seen END, \
         age = age + CASE WHEN $1 <= seen THEN 0 WHEN $1 - seen > $2 THEN $2 ELSE $1 - seen END WHERE name = 'ledger'",
        now,
        Moment::from_micros(0) + most
    )
}

/// Deletes the keys that are too old.
pub(crate) fn delete_expired(kept_for: Duration) -> Statement {
    sql!(
        "DELETE FROM connector_ledger WHERE born <= (SELECT age FROM connector_ledger_clock WHERE name = 'ledger') - $1",
        Moment::from_micros(0) + kept_for
    )
}
