//! The requests that a vendor counts together within a window of time, and the room for more.

use std::collections::VecDeque;
use std::time::Duration;

use crate::policy::seconds::LanePace;

/// A time, counted from the start of the process or of a simulation.
pub(crate) type PaceTime = Duration;

/// The number of steps of a window in which requests leave it together. A finer clock would keep a longer list.
const STEPS: u32 = 64;

/// The requests of one credential that a vendor counts within the last seconds.
///
/// A request counts from the moment at which it may be sent, until a whole window has passed since its answer. The vendor counts it from
/// a moment between the two. So whatever the network does, the vendor never counts more than this window has room for.
#[derive(Debug)]
pub(crate) struct Window {
    limit: Limit,
    length: Duration,
    /// The part of the limit that this host may use, if hosts share it.
    share: Option<u32>,
    /// The time at which the lease of that part ends.
    leased_until: PaceTime,
    under_way: u32,
    /// The times at which answered requests leave, in order, with their number.
    leaving: VecDeque<(PaceTime, u32)>,
    /// The time before which nothing is sent.
    blocked_until: PaceTime,
    /// The time since which a request is under way without a pause.
    busy_since: PaceTime,
    /// The time from sending a request to the head of its answer, smoothed.
    latency: Duration,
}

/// The most requests of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// No answer has told it. The number is the smallest that the vendor documents.
    Untold(u32),
    /// Answers name none.
    None,
    Told(u32),
}

/// The facts about a window in the head of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowFacts {
    /// The most requests of a window.
    pub(crate) limit: Option<u32>,
    /// The requests for which there was room.
    pub(crate) left: Option<u32>,
    /// The length of the window, if it is not the documented one.
    pub(crate) length: Option<Duration>,
    /// The time for which nothing more is taken, if the request was refused by the limit.
    pub(crate) wait: Option<Duration>,
}

impl Window {
    /// Builds an empty window. Without a documented limit there is none until an answer tells one.
    pub(crate) fn new(length: Duration, documented: Option<u32>) -> Self {
        Self {
            limit: documented.map_or(Limit::None, Limit::Untold),
            length,
            share: None,
            leased_until: PaceTime::ZERO,
            under_way: 0,
            leaving: VecDeque::new(),
            blocked_until: PaceTime::ZERO,
            busy_since: PaceTime::ZERO,
            latency: Duration::ZERO,
        }
    }

    /// Counts the requests that may be sent now.
    pub(crate) fn count_room(&mut self, now: PaceTime) -> u32 {
        while self.leaving.front().is_some_and(|(at, _)| *at <= now) {
            self.leaving.pop_front();
        }
        if now < self.blocked_until {
            return 0;
        }
        let share = self.share.map_or(u32::MAX, |share| if now < self.leased_until { share } else { 0 });
        match self.limit {
            Limit::None => u32::MAX,
            Limit::Told(limit) => share.min(limit).saturating_sub(self.count_inside()),
            // The first answer tells the limit. If it takes longer than a window, the documented one counts.
            Limit::Untold(least) if self.under_way > 0 && now >= self.busy_since + self.length => {
                share.min(least).saturating_sub(self.count_inside())
            }
            Limit::Untold(_) => u32::from(self.under_way == 0).min(share),
        }
    }

    /// Finds the earliest time at which a request can be sent that has `ahead` others before it, if all goes well.
    pub(crate) fn find_time(&self, ahead: usize, now: PaceTime) -> PaceTime {
        let earliest = now.max(self.blocked_until);
        let Limit::Told(limit) = self.limit else { return earliest };
        // Hosts that share it may have room to give, which the next settlement tells.
        let limit = limit.max(1);
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        // Each place in the window is used again after a whole window.
        let (windows, mut place) = (ahead / limit, ahead % limit);
        let leaving = || self.leaving.iter().filter(|(at, _)| *at > now);
        let free = limit.saturating_sub(self.count_now(now));
        let mut time = earliest;
        if place >= free {
            place -= free;
            let leaves = leaving().find(|(_, number)| {
                let is_here = place < *number;
                place = place.saturating_sub(*number);
                is_here
            });
            // A request under way leaves a window after its answer.
            time = time.max(leaves.map_or(now + self.length, |(at, _)| *at));
        }
        time + self.length * windows
    }

    /// Finds the next time at which there may be room.
    pub(crate) fn find_change(&self, now: PaceTime) -> Option<PaceTime> {
        if now < self.blocked_until {
            return Some(self.blocked_until);
        }
        let leaves = self.leaving.front().map(|(at, _)| *at);
        let is_patient = matches!(self.limit, Limit::Untold(_)) && self.under_way > 0 && now < self.busy_since + self.length;
        let gives_up = is_patient.then(|| self.busy_since + self.length);
        leaves.into_iter().chain(gives_up).min()
    }

    /// Records that a request is sent.
    pub(crate) fn begin(&mut self, now: PaceTime) {
        if self.under_way == 0 {
            self.busy_since = now;
        }
        self.under_way += 1;
    }

    /// Records that a request never left this host.
    pub(crate) fn withdraw(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Records that nothing is known about a request: it may have been counted until now.
    pub(crate) fn lose(&mut self, now: PaceTime) {
        self.withdraw();
        self.leave_after(now + self.length, 1);
    }

    /// Records the answer of a request that was sent at `began`.
    pub(crate) fn hear(&mut self, facts: &WindowFacts, began: PaceTime, now: PaceTime) {
        if let Some(length) = facts.length {
            self.length = length;
        }
        self.lose(now);
        let took = now.saturating_sub(began);
        self.latency = if self.latency.is_zero() { took } else { self.latency.mul_f64(0.875) + took.mul_f64(0.125) };
        match (facts.limit, self.limit) {
            (Some(limit), _) => {
                self.limit = Limit::Told(limit);
                self.count_others(limit, facts.left.unwrap_or(limit), now);
            }
            (None, Limit::Untold(_)) if facts.wait.is_none() => self.limit = Limit::None,
            (None, _) => {}
        }
        if let Some(wait) = facts.wait {
            self.blocked_until = self.blocked_until.max(now + wait);
        }
    }

    /// Counts the requests of others under the same credential, which the vendor counted.
    fn count_others(&mut self, limit: u32, left: u32, now: PaceTime) {
        let elsewhere = self.share.map_or(0, |share| limit.saturating_sub(share));
        let others = limit.saturating_sub(left).saturating_sub(self.count_inside()).saturating_sub(elsewhere);
        if others > 0 {
            self.leave_after(now + self.length, others);
        }
    }

    fn leave_after(&mut self, at: PaceTime, number: u32) {
        let step = (self.length / STEPS).as_nanos().max(1);
        let at = Duration::from_nanos(u64::try_from(at.as_nanos().div_ceil(step) * step).unwrap_or(u64::MAX));
        match self.leaving.back_mut() {
            // A window that became shorter must not put the list out of order.
            Some((last, known)) if *last >= at => *known += number,
            _ => self.leaving.push_back((at, number)),
        }
    }

    fn count_inside(&self) -> u32 {
        self.under_way + self.leaving.iter().map(|(_, number)| number).sum::<u32>()
    }

    /// Returns the pace that the window allows, as far as it is known.
    pub(crate) fn pace(&self) -> LanePace {
        let limit = match self.limit {
            Limit::None => None,
            Limit::Untold(least) => Some(least),
            Limit::Told(limit) => Some(self.share.unwrap_or(limit).min(limit)),
        };
        LanePace { limit, window: self.length, latency: self.latency }
    }

    /// Sets the part of the limit that this host may use, and the time at which the lease of it ends.
    pub(crate) fn lease(&mut self, share: u32, until: PaceTime) {
        (self.share, self.leased_until) = (Some(share), until);
    }

    /// Lowers the part of the limit that this host may use.
    pub(crate) fn lower_share(&mut self, share: u32) {
        self.share = self.share.map(|known| known.min(share));
    }

    /// Takes a limit that another host was told.
    pub(crate) fn learn(&mut self, limit: u32) {
        if self.is_untold() {
            self.limit = Limit::Told(limit);
        }
    }

    /// Returns the limit, if there is one, and whether answers told it.
    pub(crate) fn limit(&self) -> Option<(u32, bool)> {
        match self.limit {
            Limit::Told(limit) => Some((limit, true)),
            Limit::Untold(least) => Some((least, false)),
            Limit::None => None,
        }
    }

    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// Counts the requests that are in the window now.
    pub(crate) fn count_now(&self, now: PaceTime) -> u32 {
        self.under_way + self.leaving.iter().filter(|(at, _)| *at > now).map(|(_, number)| number).sum::<u32>()
    }

    /// Checks that no answer has told the limit, or that there is none.
    pub(crate) fn is_untold(&self) -> bool {
        matches!(self.limit, Limit::Untold(_))
    }

    /// Returns the usual time to the head of an answer.
    pub(crate) fn latency(&self) -> Duration {
        self.latency
    }

    /// Checks that nothing is under way or counted, and nothing is blocked.
    pub(crate) fn is_idle(&self, now: PaceTime) -> bool {
        self.under_way == 0 && now >= self.blocked_until && self.leaving.back().is_none_or(|(at, _)| *at <= now)
    }
}
