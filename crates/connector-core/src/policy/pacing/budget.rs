//! The daily budget of an account, as far as answers told it.

use std::time::{Duration, SystemTime};

use crate::policy::pacing::window::PaceTime;
use crate::value::outcome::Budget;

/// The pause between two requests that find out whether a spent budget was renewed.
const PROBE: Duration = Duration::from_mins(1);

/// The daily budget of an account. A header that is absent says nothing.
#[derive(Debug, Default)]
pub(crate) struct DailyBudget {
    told: Option<Budget>,
    spent: Option<Spent>,
}

/// A budget of which nothing is left.
#[derive(Clone, Copy, Debug)]
struct Spent {
    /// The time at which it is renewed, if the vendor named one.
    until: Option<PaceTime>,
    /// The time from which one more request may find out.
    probe: PaceTime,
}

/// The facts about a budget in the head of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BudgetFacts {
    pub(crate) left: Option<u64>,
    pub(crate) limit: Option<u64>,
    /// `true` if the request was refused, since nothing is left.
    pub(crate) is_refusal: bool,
    /// The time until it is renewed, if the vendor named one.
    pub(crate) wait: Option<Duration>,
}

/// The refusal of a call whose budget is spent: the time until it is renewed, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetSpent(pub(crate) Option<Duration>);

impl DailyBudget {
    /// Admits a call, or says until when there is nothing to spend.
    ///
    /// Where the vendor names no end, one call a minute finds out.
    pub(crate) fn admit(&mut self, cost: u32, now: PaceTime) -> Result<(), BudgetSpent> {
        let Some(spent) = self.spent.as_mut().filter(|_| cost > 0) else { return Ok(()) };
        match spent.until {
            Some(until) if now < until => Err(BudgetSpent(Some(until.saturating_sub(now)))),
            Some(_) => {
                self.spent = None;
                self.told = None;
                Ok(())
            }
            None if now < spent.probe => Err(BudgetSpent(None)),
            None => {
                spent.probe = now + PROBE;
                Ok(())
            }
        }
    }

    /// Records the facts of an answer, and returns what is known then.
    pub(crate) fn hear(&mut self, facts: &BudgetFacts, now: PaceTime, clock: impl FnOnce() -> SystemTime) -> Option<Budget> {
        if let Some(left) = facts.left {
            let resets_at = facts.wait.filter(|_| facts.is_refusal).and_then(|wait| clock().checked_add(wait));
            let known = self.told.filter(|_| left == 0).and_then(|known| known.resets_at);
            self.told = Some(Budget { left, limit: facts.limit, resets_at: resets_at.or(known) });
            self.spent = match (left, self.spent) {
                (0, _) if facts.is_refusal => Some(Spent { until: facts.wait.map(|wait| now + wait), probe: now + PROBE }),
                // The next request learns from its refusal when the budget is renewed.
                (0, None) => Some(Spent { until: None, probe: now }),
                (0, spent) => spent,
                _ => None,
            };
        }
        self.told
    }

    /// Checks that nothing is known that a later call needs.
    pub(crate) fn is_idle(&self) -> bool {
        self.spent.is_none()
    }
}
