//! Limits that all hosts of a store share: each host leases a part of the window of a connection.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Lease, LeaseReport, Meter, MeteredWindow, PERMIT_LEASE};

use crate::state::context::Context;
use crate::state::permits::{HostClaim, share_permits};
use crate::state::rows::meter::{self, MeterRow, PermitRow};
use crate::store::statement::{Row, Statement, misread};
use crate::value::clock::Moment;
use crate::value::random;
use crate::vault::Vault;

/// Windows for which a host counts as one that wants permits. One that waits asks again within each.
const WANTED_FOR: u32 = 4;

/// Host that settles a window, and what it reports.
struct Settlement {
    key: String,
    holder: String,
    report: LeaseReport,
    /// Time of the host, by which it tells the time of a block.
    here: Moment,
}

#[async_trait]
impl Meter for Vault {
    async fn settle(&self, window: &MeteredWindow, report: &LeaseReport) -> Result<Lease, Error> {
        let context = self.context();
        let settlement = Settlement::new(context, window, report);
        let first = meter::select_locked(&settlement.key, context.shared_now());
        let leased = Arc::new(OnceLock::new());
        let decided = Arc::clone(&leased);
        let decide = move |mut rows: Vec<Vec<Row>>| {
            let (lease, statements) = settlement.decide(&rows.pop().unwrap_or_default())?;
            drop(decided.set(lease));
            Ok(statements)
        };
        context.store().run_in_turn(first, Box::new(decide)).await?.into_all()?;
        leased.get().cloned().ok_or_else(misread)
    }
}

impl Settlement {
    fn new(context: &Context, window: &MeteredWindow, report: &LeaseReport) -> Self {
        Self { key: find_key(window), holder: context.holder().to_owned(), report: report.clone(), here: context.now() }
    }

    /// Decides what the host gets, from the rows of the window.
    fn decide(&self, rows: &[Row]) -> Result<(Lease, Vec<Statement>), Error> {
        let report = &self.report;
        let (now, known, hosts) = meter::read(rows)?;
        let (mine, others): (Vec<_>, Vec<_>) = hosts.iter().partition(|host| host.holder == self.holder);
        let others: Vec<HostClaim> = others.into_iter().map(|host| find_claim(host, now, report.length)).collect();
        let window = self.merge(&known, mine.first().and_then(|host| host.told), now);
        let share = share_permits(window.permits, HostClaim { held: report.held, wanted: report.wanted }, &others);
        let host = PermitRow {
            holder: self.holder.clone(),
            claim: HostClaim { held: share.held, wanted: report.held.saturating_add(report.wanted).saturating_sub(share.held) },
            told: report.is_told.then_some(report.limit),
            wanted_until: now + report.length * WANTED_FOR,
            held_until: now + find_lease(report),
        };
        let blocked_for = window.blocked_until.since(now);
        let blocked_until = (!blocked_for.is_zero()).then(|| write_time(self.here + blocked_for));
        let lease = Lease::new(share.held, window.permits).beside(share.hosts, share.wanted_by_others).blocked_until(blocked_until);
        let lease = if window.is_told { lease.mark_told() } else { lease };
        Ok((lease, vec![meter::update(&self.key, &window, now), meter::lease(&self.key, &host)]))
    }

    /// Adds what the host was told to what is known of the window.
    ///
    /// A limit counts that no answer told the host before: another one may have heard of a new limit since.
    fn merge(&self, known: &MeterRow, told_before: Option<u32>, now: Moment) -> MeterRow {
        let report = &self.report;
        let is_news = report.is_told && told_before != Some(report.limit);
        let is_kept = known.is_told && !is_news;
        let blocked_until = report.blocked_until.map(|until| now + read_moment(until).since(self.here));
        MeterRow {
            permits: if is_kept { known.permits } else { report.limit },
            is_told: is_kept || report.is_told,
            blocked_until: blocked_until.map_or(known.blocked_until, |until| until.max(known.blocked_until)),
        }
    }
}

/// Finds the time for which permits are those of a host.
///
/// A request that was sent at the end of a lease counts for another window. One of a host that ends may have its answer within a window.
fn find_lease(report: &LeaseReport) -> Duration {
    if report.is_last { report.length * 2 } else { PERMIT_LEASE + report.length }
}

/// Finds what another host holds and wants at a moment.
///
/// A lease that ends much later than leases do was made before a clock was set back, and holds nobody up.
fn find_claim(host: &PermitRow, now: Moment, length: Duration) -> HostClaim {
    let counts = |until: Moment, longest: Duration| until > now && until <= now + longest * 2;
    HostClaim {
        held: if counts(host.held_until, PERMIT_LEASE + length) { host.claim.held } else { 0 },
        wanted: if counts(host.wanted_until, length * WANTED_FOR) { host.claim.wanted } else { 0 },
    }
}

fn read_moment(time: SystemTime) -> Moment {
    Moment::from_micros(0) + time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn write_time(moment: Moment) -> SystemTime {
    SystemTime::UNIX_EPOCH + moment.since(Moment::from_micros(0))
}

/// Computes the key of a window. The parts are hashed, so that no table holds the address of an account.
fn find_key(window: &MeteredWindow) -> String {
    let lane = window.lane.to_string();
    let parts = [&window.connector, &window.connection, &window.origin, &lane];
    // With its length before it, no part runs into the next.
    random::hash(&parts.map(|part| format!("{}:{part}", part.len())).concat())
}
