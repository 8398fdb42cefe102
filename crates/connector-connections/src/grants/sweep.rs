//! Sweep: removes what expired, and revokes grants that no connection uses.

use std::time::Duration;

use connector_core::Error;
use connector_core::embed::FRESH;

use crate::grants::{leftover, removal};
use crate::state::context::Context;
use crate::state::rows::{connections, definitions, ended, installs, ledger, meter, register, used, visits};
use crate::value::lifetimes::KEY_LIFETIME;

/// Maximum difference between the clocks of two hosts.
const MAX_CLOCK_SKEW: Duration = Duration::from_hours(1);

/// Maximum time by which idempotency keys age from one sweep to the next, however far the machine's clock moved.
const LONGEST_STEP: Duration = Duration::from_hours(1);

/// Report of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepReport {
    /// Number of removed connections that nobody finished or confirmed in time.
    pub connections: usize,
    /// Number of grants that were given up, because the vendor did not revoke them within a day.
    pub not_revoked: usize,
}

/// Ends expired connections, deletes other expired rows, then revokes the leftovers that are due.
pub(crate) async fn sweep(context: &Context) -> Result<SweepReport, Error> {
    let now = context.now();
    let mut report = SweepReport::default();
    for row in context.store().rows(connections::select_expired(now)).await? {
        let id = row.text(0)?;
        match removal::end(context, id, vec![connections::delete_expired(id, now)], now).await {
            Ok(ended) => report.connections += usize::from(ended.is_some()),
            // A connection that another process locks must not stop the removal of the others.
            Err(error) => tracing::warn!(connection = id, %error, "an expired connection could not be removed yet"),
        }
    }
    let expired = vec![
        installs::delete_expired(now),
        // A host whose clock is behind accepts the same ticket a while longer.
        used::delete_expired(now - MAX_CLOCK_SKEW),
        ended::delete_expired(now),
        ledger::advance_clock(now, LONGEST_STEP),
        ledger::delete_expired(KEY_LIFETIME),
        visits::delete_expired(now),
        definitions::delete_expired(now - FRESH, now + MAX_CLOCK_SKEW, now),
        meter::delete_expired_hosts(now - MAX_CLOCK_SKEW),
        meter::delete_unused(now - MAX_CLOCK_SKEW * 2),
        register::delete_expired(now - MAX_CLOCK_SKEW),
        register::delete_expired_records(now - MAX_CLOCK_SKEW),
    ];
    context.store().run(expired).await?;
    report.not_revoked = leftover::revoke_due(context).await?;
    Ok(report)
}
