//! Rows of `connector_meter` and `connector_permit`: windows that hosts share, and what each host leases of them.

use connector_core::Error;

use crate::state::permits::HostClaim;
use crate::store::statement::{Row, Statement, misread, sql};
use crate::value::clock::Moment;

/// Selects a window with its hosts, and the time: a row for each host, and one if there is none.
macro_rules! select {
    ($now:literal) => {
        concat!(
            "SELECT ",
            $now,
            ", m.permits, m.is_told, m.blocked_until, p.holder, p.held, p.wanted, p.told, p.wanted_until, p.held_until \
             FROM connector_meter m LEFT JOIN connector_permit p ON p.key = m.key WHERE m.key = $1"
        )
    };
}

/// Window, as the rows of its table say.
#[derive(Debug)]
pub(crate) struct MeterRow {
    /// Limit of the window, zero in a new row.
    pub(crate) permits: u32,
    pub(crate) is_told: bool,
    pub(crate) blocked_until: Moment,
}

/// Lease of a host.
#[derive(Debug)]
pub(crate) struct PermitRow {
    pub(crate) holder: String,
    pub(crate) claim: HostClaim,
    /// Limit that answers told the host.
    pub(crate) told: Option<u32>,
    pub(crate) wanted_until: Moment,
    pub(crate) held_until: Moment,
}

/// Selects a window and its hosts, with the time, and locks the window until the transaction ends.
///
/// Without a time, the clock of the database tells it.
pub(crate) fn select_locked(key: &str, now: Option<Moment>) -> Vec<Statement> {
    vec![
        sql!(
            "INSERT INTO connector_meter (key, permits, is_told, blocked_until, used_at) VALUES ($1, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
            key
        ),
        sql!("SELECT 1 FROM connector_meter WHERE key = $1 FOR UPDATE", key).expect_row(),
        match now {
            Some(now) => sql!(select!("CAST($2 AS BIGINT)"), key, now),
            // This is PostgreSQL alone: SQLite has the clock of the host.
            None => sql!(select!("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"), key),
        },
    ]
}

/// Reads the time, the window, and its hosts.
pub(crate) fn read(rows: &[Row]) -> Result<(Moment, MeterRow, Vec<PermitRow>), Error> {
    let first = rows.first().ok_or_else(misread)?;
    let window = MeterRow { permits: read_count(first, 1)?, is_told: first.integer(2)? == 1, blocked_until: first.moment(3)? };
    let mut hosts = Vec::new();
    for row in rows {
        let Some(holder) = row.maybe_text(4)? else { continue };
        let claim = HostClaim { held: read_count(row, 5)?, wanted: read_count(row, 6)? };
        let told = row.maybe_integer(7)?.map(|_| read_count(row, 7)).transpose()?;
        hosts.push(PermitRow { holder: holder.to_owned(), claim, told, wanted_until: row.moment(8)?, held_until: row.moment(9)? });
    }
    Ok((first.moment(0)?, window, hosts))
}

fn read_count(row: &Row, at: usize) -> Result<u32, Error> {
    u32::try_from(row.integer(at)?).map_err(|_| misread())
}

/// Stores a window.
pub(crate) fn update(key: &str, window: &MeterRow, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_meter SET permits = $2, is_told = $3, blocked_until = $4, used_at = $5 WHERE key = $1",
        key,
        i64::from(window.permits),
        i64::from(window.is_told),
        window.blocked_until,
        now
    )
}

/// Stores the lease of a host.
pub(crate) fn lease(key: &str, host: &PermitRow) -> Statement {
    sql!(
        "INSERT INTO connector_permit (key, holder, held, wanted, told, wanted_until, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (key, holder) DO UPDATE SET held = $3, wanted = $4, told = $5, wanted_until = $6, held_until = $7",
        key,
        &host.holder,
        i64::from(host.claim.held),
        i64::from(host.claim.wanted),
        host.told.map(i64::from),
        host.wanted_until,
        host.held_until
    )
}

/// Deletes the hosts of all windows whose leases are over.
pub(crate) fn delete_expired_hosts(before: Moment) -> Statement {
    sql!("DELETE FROM connector_permit WHERE held_until <= $1", before)
}

/// Deletes the windows that nobody used since.
pub(crate) fn delete_unused(before: Moment) -> Statement {
    sql!("DELETE FROM connector_meter WHERE used_at <= $1", before)
}
