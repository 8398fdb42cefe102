//! The calls of one connection that wait for its limits.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::policy::pacing::share::Demand;
use crate::policy::pacing::window::{PaceTime, Window, WindowFacts};
use crate::value::options::Priority;

/// The first pause after a vendor blocked a connection. Each one without a success between is twice as long.
const PAUSE: Duration = Duration::from_mins(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(16);

/// The place of a request among those that wait: interactive ones first, then in the order of their arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket {
    pub(crate) priority: Priority,
    number: u64,
}

/// The windows of one connection, a lane for each kind of request, and the requests that wait.
#[derive(Debug)]
pub(crate) struct PaceQueue {
    lanes: Vec<LaneQueue>,
    next_number: u64,
    pause: Pause,
}

#[derive(Debug)]
struct LaneQueue {
    window: Window,
    /// The requests that wait, with the latest time at which each may be sent.
    waiting: BTreeMap<Ticket, PaceTime>,
    /// The number of interactive requests among them.
    interactive: usize,
}

/// The pause of a connection that the vendor blocks.
#[derive(Debug, Default)]
struct Pause {
    until: PaceTime,
    /// The pauses since the last success.
    number: u32,
    /// The requests that find out whether the block has ended.
    probes: u32,
}

/// The reply to a request that asks to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It may be sent now, and counts.
    Go,
    /// It waits under its ticket.
    Wait,
    /// It cannot be sent in time. It could be sent after this long.
    TooLate(Duration),
}

impl PaceQueue {
    /// Builds a line with these windows.
    pub(crate) fn new(windows: impl IntoIterator<Item = Window>) -> Self {
        let lanes = windows.into_iter().map(|window| LaneQueue { window, waiting: BTreeMap::new(), interactive: 0 }).collect();
        Self { lanes, next_number: 0, pause: Pause::default() }
    }

    /// Takes a new ticket, behind all others of its priority.
    pub(crate) fn take_ticket(&mut self, priority: Priority) -> Ticket {
        self.next_number += 1;
        Ticket { priority, number: self.next_number }
    }

    /// Asks to send a request not later than `latest`. A request that was refused by the limit keeps its ticket.
    pub(crate) fn ask(&mut self, lane: usize, ticket: Ticket, latest: PaceTime, now: PaceTime) -> Reply {
        let first = self.lanes[lane].waiting.keys().next();
        if first.is_none_or(|first| ticket < *first) && self.count_room(lane, now) > 0 {
            self.begin(lane, now);
            return Reply::Go;
        }
        let ahead = match ticket.priority {
            Priority::Interactive => self.lanes[lane].interactive,
            Priority::Batch => self.lanes[lane].waiting.len(),
        };
        let time = self.find_time(lane, ahead, now);
        if time + self.lanes[lane].window.latency() > latest {
            return Reply::TooLate(time.saturating_sub(now));
        }
        let lane = &mut self.lanes[lane];
        lane.waiting.insert(ticket, latest);
        lane.interactive += usize::from(ticket.priority == Priority::Interactive);
        Reply::Wait
    }

    /// Sends what may be sent now, in order.
    pub(crate) fn grant(&mut self, lane: usize, now: PaceTime) -> Vec<Ticket> {
        let mut granted = Vec::new();
        while !self.lanes[lane].waiting.is_empty() && self.count_room(lane, now) > 0 {
            let Some((ticket, _)) = self.lanes[lane].waiting.pop_first() else { break };
            self.lanes[lane].interactive -= usize::from(ticket.priority == Priority::Interactive);
            self.begin(lane, now);
            granted.push(ticket);
        }
        granted
    }

    /// Ends the wait of a request.
    pub(crate) fn leave(&mut self, lane: usize, ticket: Ticket) {
        let lane = &mut self.lanes[lane];
        if lane.waiting.remove(&ticket).is_some() {
            lane.interactive -= usize::from(ticket.priority == Priority::Interactive);
        }
    }

    /// Returns the request that is the next to be sent.
    pub(crate) fn first(&self, lane: usize) -> Option<Ticket> {
        self.lanes[lane].waiting.keys().next().copied()
    }

    /// Lists the requests that wait and can no longer be sent in time, with the time after which they could.
    pub(crate) fn list_late(&self, lane: usize, now: PaceTime) -> Vec<(Ticket, Duration)> {
        let time = self.find_time(lane, 0, now);
        let latency = self.lanes[lane].window.latency();
        let late = self.lanes[lane].waiting.iter().filter(|(_, latest)| time + latency > **latest);
        late.map(|(ticket, _)| (*ticket, time.saturating_sub(now))).collect()
    }

    /// Finds the next time at which something may be sent.
    pub(crate) fn find_change(&self, lane: usize, now: PaceTime) -> Option<PaceTime> {
        if now < self.pause.until { Some(self.pause.until) } else { self.lanes[lane].window.find_change(now) }
    }

    /// Finds the earliest time at which a request can be sent that has `ahead` others before it, if all goes well.
    pub(crate) fn find_time(&self, lane: usize, ahead: usize, now: PaceTime) -> PaceTime {
        self.lanes[lane].window.find_time(ahead, now).max(self.pause.until)
    }

    /// Records the answer of a request that was sent at `began`. A block ends with the first answer that is none.
    pub(crate) fn hear(&mut self, lane: usize, facts: &WindowFacts, block: Option<Block>, began: PaceTime, now: PaceTime) {
        self.lanes[lane].window.hear(facts, began, now);
        self.pause.probes = self.pause.probes.saturating_sub(1);
        match block {
            None if began >= self.pause.until => self.pause = Pause::default(),
            // Requests that were sent together are blocked together: that is one block.
            Some(Block { named }) if began >= self.pause.until => {
                let doubled = PAUSE.saturating_mul(1 << self.pause.number.min(10)).min(LONGEST_PAUSE);
                self.pause.until = now + named.unwrap_or_default().max(doubled);
                self.pause.number += 1;
            }
            _ => {}
        }
    }

    /// Records that a request never left this host.
    pub(crate) fn withdraw(&mut self, lane: usize) {
        self.lanes[lane].window.withdraw();
        self.pause.probes = self.pause.probes.saturating_sub(1);
    }

    /// Records that nothing is known about a request.
    pub(crate) fn lose(&mut self, lane: usize, now: PaceTime) {
        self.lanes[lane].window.lose(now);
        self.pause.probes = self.pause.probes.saturating_sub(1);
    }

    /// Returns the time for which the connection is paused.
    pub(crate) fn pause(&self, now: PaceTime) -> Option<Duration> {
        self.pause.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Sets the part of a lane's limit that this host may use, and the time at which the lease of it ends.
    pub(crate) fn lease(&mut self, lane: usize, share: u32, until: PaceTime) {
        self.lanes[lane].window.lease(share, until);
    }

    /// Lowers the part of a lane's limit that this host may use.
    pub(crate) fn lower_share(&mut self, lane: usize, share: u32) {
        self.lanes[lane].window.lower_share(share);
    }

    /// Takes a limit that another host was told.
    pub(crate) fn learn(&mut self, lane: usize, limit: u32) {
        self.lanes[lane].window.learn(limit);
    }

    /// Takes a pause that another host was told.
    pub(crate) fn pause_until(&mut self, until: PaceTime) {
        if until > self.pause.until {
            self.pause.until = until;
            self.pause.number = self.pause.number.max(1);
        }
    }

    /// Counts the requests of a lane that are in the window, and those that wait.
    pub(crate) fn count_demand(&self, lane: usize, now: PaceTime) -> Demand {
        let lane = &self.lanes[lane];
        Demand { inside: lane.window.count_now(now), waiting: u32::try_from(lane.waiting.len()).unwrap_or(u32::MAX) }
    }

    pub(crate) fn count_waiting(&self, lane: usize) -> usize {
        self.lanes[lane].waiting.len()
    }

    pub(crate) fn count_lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Returns the window of a lane.
    pub(crate) fn window(&self, lane: usize) -> &Window {
        &self.lanes[lane].window
    }

    /// Checks that nothing waits, is under way or is remembered.
    pub(crate) fn is_idle(&self, now: PaceTime) -> bool {
        now >= self.pause.until && self.lanes.iter().all(|lane| lane.waiting.is_empty() && lane.window.is_idle(now))
    }

    fn begin(&mut self, lane: usize, now: PaceTime) {
        self.lanes[lane].window.begin(now);
        self.pause.probes += u32::from(self.pause.number > 0);
    }

    /// Counts the requests that may be sent now. After a pause one finds out whether the block has ended.
    fn count_room(&mut self, lane: usize, now: PaceTime) -> u32 {
        let is_probing = self.pause.number > 0;
        if now < self.pause.until || (is_probing && self.pause.probes > 0) {
            return 0;
        }
        let room = self.lanes[lane].window.count_room(now);
        if is_probing { room.min(1) } else { room }
    }
}

/// A vendor's refusal to take anything from a connection for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The time that the vendor named, if it did.
    pub(crate) named: Option<Duration>,
}
