//! The permit to send one request.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::policy::pacing::hearing::Heard;
use crate::policy::pacing::queue::Ticket;
use crate::policy::pacing::window::PaceTime;
use crate::runtime::pacing::paced_line::{PacedLine, lock};
use crate::value::outcome::Budget;

/// A permit to send one request.
///
/// Dropped without a word, the request counts as one that the vendor may have counted.
pub(crate) struct Permit {
    pub(super) line: Arc<PacedLine>,
    pub(super) lane: usize,
    /// The time from which moments are counted.
    pub(super) start: Instant,
    pub(super) began: PaceTime,
    pub(super) is_sandbox: bool,
    pub(super) is_settled: bool,
    /// The ticket with which the request asks again if it is refused.
    pub(crate) ticket: Ticket,
    /// The time that the request waited.
    pub(crate) waited: Duration,
}

/// The limits as they are known after an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LimitsHeard {
    /// The daily budget, as far as it is known.
    pub(crate) budget: Option<Budget>,
    /// The time for which the vendor takes nothing from the connection, if it blocks it.
    pub(crate) pause: Option<Duration>,
}

impl Permit {
    /// Returns the number of the connection in this process.
    pub(crate) fn connection(&self) -> u64 {
        self.line.number
    }

    /// Records the head of the answer.
    pub(crate) fn hear<'a>(mut self, status: u16, header: impl Fn(&str) -> Option<&'a str>) -> LimitsHeard {
        self.is_settled = true;
        let now = self.start.elapsed();
        let heard = Heard::read(self.line.limits, status, header, self.is_sandbox);
        let budget = lock(&self.line.budget).hear(&heard.budget, now, SystemTime::now);
        let mut state = lock(&self.line.state);
        state.queue.hear(self.lane, &heard.window, heard.block, self.began, now);
        if heard.window.wait.is_some() || heard.block.is_some() {
            state.refuse_late(now);
        }
        state.grant(self.lane, now);
        LimitsHeard { budget, pause: heard.block.and_then(|_| state.queue.pause(now)) }
    }

    /// Gives the permit back: the request never left this host.
    pub(crate) fn withdraw(mut self) {
        self.is_settled = true;
        let mut state = lock(&self.line.state);
        state.queue.withdraw(self.lane);
        state.grant(self.lane, self.start.elapsed());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_settled {
            let now = self.start.elapsed();
            let mut state = lock(&self.line.state);
            state.queue.lose(self.lane, now);
            state.grant(self.lane, now);
        }
    }
}
