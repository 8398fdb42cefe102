//! The permits that hosts share: a task for each lane in use leases them, renews them and gives them back.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tracing::warn;

use crate::embed::meter::{Lease, LeaseReport, PERMIT_LEASE};
use crate::policy::pacing::share::{Demand, choose_share};
use crate::policy::pacing::window::PaceTime;
use crate::runtime::pacing::paced_line::{LeasedLane, Leasing, PacedLine, lock};

/// The time in which a store settles a lease.
const PATIENCE: Duration = Duration::from_secs(2);

/// The mark of a lane whose task runs. If the task is dropped on its way, another one may begin.
struct RunningLease<'a> {
    line: &'a PacedLine,
    lane: usize,
    is_ended: bool,
}

/// Asks for permits of a lane, if hosts share them: wakes its task, or begins it. Times count from `start`.
pub(super) fn demand_permits(line: &Arc<PacedLine>, lane: usize, start: Instant) {
    let Some(leasing) = &line.leasing else { return };
    let is_first = {
        let mut state = lock(&line.state);
        if state.queue.window(lane).limit().is_none() {
            return;
        }
        !std::mem::replace(&mut state.leased[lane], true)
    };
    leasing.lanes[lane].wanted.notify_one();
    if is_first {
        tokio::spawn(keep_leased(Arc::downgrade(line), lane, start));
    }
}

impl RunningLease<'_> {
    /// Ends the task, unless a request has come since.
    fn try_end(&mut self) -> bool {
        let mut state = lock(&self.line.state);
        self.is_ended = state.queue.count_waiting(self.lane) == 0;
        state.leased[self.lane] = !self.is_ended;
        self.is_ended
    }
}

impl Drop for RunningLease<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            let mut state = lock(&self.line.state);
            state.leased[self.lane] = false;
            state.queue.lower_share(self.lane, 0);
        }
    }
}

/// Ends the leases of a connection: other hosts have the permits once the requests of this one left the window.
pub(super) async fn end_leases(line: &PacedLine, now: PaceTime) {
    let Some(leasing) = &line.leasing else { return };
    for (lane, leased) in leasing.lanes.iter().enumerate() {
        let report = {
            let mut state = lock(&line.state);
            state.is_ended = true;
            if !state.leased[lane] {
                continue;
            }
            state.queue.lower_share(lane, 0);
            let window = state.queue.window(lane);
            let Some((limit, _)) = window.limit() else { continue };
            LeaseReport::new(limit, window.length(), window.count_now(now), 0).mark_last()
        };
        settle(leasing, leased, &report).await;
    }
}

/// Settles a lease. A store that does not answer soon has failed.
async fn settle(leasing: &Leasing, lane: &LeasedLane, report: &LeaseReport) -> Option<Lease> {
    let settled = leasing.meter.settle(&lane.window, report);
    let why = match tokio::time::timeout(PATIENCE, settled).await {
        Ok(Ok(lease)) => return Some(lease),
        Ok(Err(error)) => error.kind().as_str(),
        Err(_) => "no answer",
    };
    warn!(why, "the limits that hosts share cannot be settled");
    None
}

/// Leases what a lane needs, until it needs nothing.
async fn keep_leased(line: Weak<PacedLine>, lane: usize, start: Instant) {
    let Some(line) = line.upgrade() else { return };
    let Some(leasing) = &line.leasing else { return };
    let mut running = RunningLease { line: &line, lane, is_ended: false };
    let (mut last, mut expires) = (Lease::new(0, 0), PaceTime::ZERO);
    loop {
        let now = start.elapsed();
        let Some((report, demand)) = write_report(&line, lane, &last, now) else {
            // There is nothing to share, now and later: the vendor told no limit, or this host has ended.
            running.is_ended = true;
            return;
        };
        match settle(leasing, &leasing.lanes[lane], &report).await {
            Some(lease) => {
                (last, expires) = (lease, now + PERMIT_LEASE);
                take_lease(&line, lane, &last, expires, start.elapsed());
            }
            // Until the lease ends, the permits are still those of this host.
            None if start.elapsed() >= expires => last.held = 0,
            None => {}
        }
        if demand.is_none() && last.held == 0 && running.try_end() {
            return;
        }
        // A host that waits for permits asks again soon; one that has what it needs renews them before they end.
        if demand.lacks(last.held) {
            tokio::time::sleep(report.length / 4).await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(report.length.min(PERMIT_LEASE / 4)) => {}
            () = leasing.lanes[lane].wanted.notified() => {}
        }
    }
}

/// Writes the report of a lane, and lowers its share if others want some of it.
///
/// There is none without a limit, and none of a host that has ended.
fn write_report(line: &PacedLine, lane: usize, last: &Lease, now: PaceTime) -> Option<(LeaseReport, Demand)> {
    let mut state = lock(&line.state);
    let (limit, is_told) = state.queue.window(lane).limit().filter(|_| !state.is_ended)?;
    let demand = state.queue.count_demand(lane, now);
    let share = choose_share(last, limit, demand);
    state.queue.lower_share(lane, share);
    // Permits of requests in the window cannot be given back before those have left.
    let held = share.max(demand.inside).min(last.held);
    let report = LeaseReport::new(limit, state.queue.window(lane).length(), held, demand.count_wanted(held, limit));
    let blocked = state.queue.pause(now).and_then(|pause| SystemTime::now().checked_add(pause));
    let report = report.blocked_until(blocked);
    Some((if is_told { report.mark_told() } else { report }, demand))
}

fn take_lease(line: &PacedLine, lane: usize, lease: &Lease, until: PaceTime, now: PaceTime) {
    let mut state = lock(&line.state);
    if state.is_ended {
        return;
    }
    state.queue.lease(lane, lease.held, until);
    if lease.is_told {
        state.queue.learn(lane, lease.limit);
    }
    let blocked = lease.blocked_until.and_then(|until| until.duration_since(SystemTime::now()).ok());
    if let Some(pause) = blocked.filter(|pause| *pause > Duration::ZERO) {
        state.queue.pause_until(now + pause);
        state.refuse_late(now);
    }
    state.grant(lane, now);
}
