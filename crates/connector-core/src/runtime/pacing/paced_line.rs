//! The line of one connection, and the calls that wait in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::declare::connector::Connector;
use crate::declare::limits::Limits;
use crate::embed::connections::Connection;
use crate::embed::meter::{Meter, MeteredWindow};
use crate::policy::pacing::budget::DailyBudget;
use crate::policy::pacing::queue::{PaceQueue, Reply, Ticket};
use crate::policy::pacing::window::PaceTime;
use crate::value::options::Priority;

/// The line of one connection, and the calls that wait in it.
pub(super) struct PacedLine {
    pub(super) origin: String,
    /// The number of the connection in this process, from 1.
    pub(super) number: u64,
    pub(super) limits: &'static Limits,
    pub(super) budget: Arc<Mutex<DailyBudget>>,
    pub(super) state: Mutex<LineState>,
    /// The permits that hosts share, if they do.
    pub(super) leasing: Option<Leasing>,
}

/// The permits of a connection that hosts share: a lease for each lane.
pub(super) struct Leasing {
    pub(super) meter: Arc<dyn Meter>,
    pub(super) lanes: Vec<LeasedLane>,
}

/// The lease of one lane.
pub(super) struct LeasedLane {
    pub(super) window: MeteredWindow,
    /// Wakes the task of the lane: a request waits.
    pub(super) wanted: Notify,
}

/// The queue of a connection, and its calls that wait.
pub(super) struct LineState {
    pub(super) queue: PaceQueue,
    /// The lanes for which a task leases permits.
    pub(super) leased: Vec<bool>,
    /// `true` once this host gave its permits back.
    pub(super) is_ended: bool,
    waiters: HashMap<Ticket, Arc<Waiter>>,
}

/// A call that waits.
#[derive(Default)]
struct Waiter {
    verdict: Mutex<Option<Verdict>>,
    changed: Notify,
}

/// The reply to a request that asks to be sent.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    /// The request may be sent, and counts.
    Go,
    /// The same, after it waited.
    GoAfterWait,
    /// It cannot be sent in time. It could be sent after this long.
    TooLate(Duration),
    /// The answer that tells the limit did not come in time.
    Untold,
}

/// A request that asks to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) connector: &'static Connector,
    pub(crate) connection: &'a Connection,
    pub(crate) path: &'a str,
    pub(crate) cost: u32,
    pub(crate) priority: Priority,
    /// The deadline of the caller.
    pub(crate) until: Instant,
    /// The ticket of a request that was sent before and refused: it keeps its place.
    pub(crate) ticket: Option<Ticket>,
}

/// The place of a call that waits. Its drop ends the wait.
pub(super) struct Seat<'a> {
    line: &'a PacedLine,
    lane: usize,
    ticket: Ticket,
    waiter: Arc<Waiter>,
}

impl Leasing {
    pub(super) fn new(meter: Arc<dyn Meter>, windows: impl IntoIterator<Item = MeteredWindow>) -> Self {
        Self { meter, lanes: windows.into_iter().map(|window| LeasedLane { window, wanted: Notify::new() }).collect() }
    }
}

impl LineState {
    pub(super) fn new(queue: PaceQueue) -> Self {
        Self { leased: vec![false; queue.count_lanes()], is_ended: false, queue, waiters: HashMap::new() }
    }

    /// Sends what may be sent now, and has the first of those who wait look at the clock.
    pub(super) fn grant(&mut self, lane: usize, now: PaceTime) {
        if !self.waiters.is_empty() {
            self.grant_as(None, lane, now);
        }
    }

    /// Sends what may be sent now, on behalf of one who waits and looks at the clock anyway.
    fn grant_as(&mut self, who: Option<Ticket>, lane: usize, now: PaceTime) {
        for ticket in self.queue.grant(lane, now) {
            self.decide(ticket, Verdict::GoAfterWait);
        }
        let first = self.queue.first(lane).filter(|first| Some(*first) != who);
        if let Some(first) = first.and_then(|ticket| self.waiters.get(&ticket)) {
            first.changed.notify_one();
        }
    }

    /// Refuses those who wait and can no longer be sent in time.
    pub(super) fn refuse_late(&mut self, now: PaceTime) {
        for lane in 0..self.queue.count_lanes() {
            for (ticket, wait) in self.queue.list_late(lane, now) {
                self.queue.leave(lane, ticket);
                self.decide(ticket, Verdict::TooLate(wait));
            }
        }
    }

    fn decide(&mut self, ticket: Ticket, verdict: Verdict) {
        if let Some(waiter) = self.waiters.remove(&ticket) {
            *lock(&waiter.verdict) = Some(verdict);
            waiter.changed.notify_one();
        }
    }
}

impl PacedLine {
    /// Asks to send a request not later than `latest`. One that has to wait gets a seat. Times count from `start`.
    pub(super) fn ask(&self, lane: usize, ask: Ask<'_>, latest: PaceTime, start: Instant) -> (Ticket, Result<Verdict, Seat<'_>>) {
        let mut state = lock(&self.state);
        let ticket = ask.ticket.unwrap_or_else(|| state.queue.take_ticket(ask.priority));
        let reply = match state.queue.ask(lane, ticket, latest, start.elapsed()) {
            Reply::Go => Ok(Verdict::Go),
            Reply::TooLate(wait) => Ok(Verdict::TooLate(wait)),
            Reply::Wait => Err(self.seat(&mut state, lane, ticket)),
        };
        (ticket, reply)
    }

    /// Gives a call that has to wait its place.
    fn seat(&self, state: &mut LineState, lane: usize, ticket: Ticket) -> Seat<'_> {
        let waiter = Arc::new(Waiter::default());
        state.waiters.insert(ticket, Arc::clone(&waiter));
        Seat { line: self, lane, ticket, waiter }
    }
}

impl Seat<'_> {
    /// Waits until the request may be sent, or cannot be sent in time. Moments count from `start`.
    pub(super) async fn wait(self, start: Instant, latest: PaceTime) -> Verdict {
        loop {
            let wake = {
                let now = start.elapsed();
                let mut state = lock(&self.line.state);
                if self.is_first(&state) {
                    state.grant_as(Some(self.ticket), self.lane, now);
                }
                if let Some(verdict) = lock(&self.waiter.verdict).take() {
                    return verdict;
                }
                let too_late = latest.saturating_sub(state.queue.window(self.lane).latency());
                if now >= too_late && state.queue.window(self.lane).is_untold() {
                    return Verdict::Untold;
                }
                if now >= too_late {
                    let wait = state.queue.find_time(self.lane, 0, now).saturating_sub(now);
                    return Verdict::TooLate(wait.max(Duration::from_millis(1)));
                }
                let change = state.queue.find_change(self.lane, now).filter(|change| self.is_first(&state) && *change > now);
                change.map_or(too_late, |change| change.min(too_late))
            };
            tokio::select! {
                () = self.waiter.changed.notified() => {}
                () = tokio::time::sleep_until(start + wake) => {}
            }
        }
    }

    fn is_first(&self, state: &LineState) -> bool {
        state.queue.first(self.lane) == Some(self.ticket)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.line.state);
        if state.waiters.remove(&self.ticket).is_some() {
            state.queue.leave(self.lane, self.ticket);
        } else if matches!(lock(&self.waiter.verdict).take(), Some(Verdict::GoAfterWait)) {
            // It was let go, and its caller has left.
            state.queue.withdraw(self.lane);
        } else {
            return;
        }
        // Those behind it look at the clock themselves now.
        if let Some(first) = state.queue.first(self.lane).and_then(|ticket| state.waiters.get(&ticket)) {
            first.changed.notify_one();
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds a lock, and counts are useful even then.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
