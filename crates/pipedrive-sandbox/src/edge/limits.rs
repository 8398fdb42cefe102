//! Pipedrive's two limits: requests in two seconds for each token, and the daily budget of a company.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Date, Duration, OffsetDateTime};

use crate::edge::caller::Caller;
use crate::value::failure::Failure;

const WINDOW: Duration = Duration::seconds(2);
/// Reported if no limit is set: the smallest plan's limit for OAuth tokens, and its budget for five seats.
const REPORTED_BURST: u32 = 80;
const REPORTED_BUDGET: u64 = 150_000;

#[derive(Debug)]
pub(crate) struct Limits {
    burst: Option<u32>,
    budget: Option<u64>,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    recent: HashMap<String, VecDeque<OffsetDateTime>>,
    day: Option<Date>,
    /// By company.
    spent: HashMap<u64, u64>,
}

/// The use of the limits, as an answer's headers report it.
#[derive(Debug)]
pub(crate) struct Standing {
    burst: u64,
    burst_left: u64,
    budget: u64,
    budget_left: u64,
    until_midnight: u64,
}

impl Limits {
    pub(crate) fn new(burst: Option<u32>, budget: Option<u64>) -> Self {
        Self { burst, budget, used: Mutex::default() }
    }

    /// The standing of a request without a valid token.
    pub(crate) fn untouched(&self) -> Standing {
        let burst = u64::from(self.burst.unwrap_or(REPORTED_BURST));
        let budget = self.budget.unwrap_or(REPORTED_BUDGET);
        Standing { burst, burst_left: burst, budget, budget_left: budget, until_midnight: 0 }
    }

    /// Counts a request of a token, or refuses it.
    pub(crate) fn count(&self, caller: &Caller, now: OffsetDateTime, standing: &mut Standing) -> Result<(), Failure> {
        let mut used = self.used();
        standing.budget_left = standing.budget.saturating_sub(used.spent.get(&caller.company).copied().unwrap_or(0));
        let recent = used.recent.entry(caller.token.clone()).or_default();
        while recent.front().is_some_and(|&at| now - at >= WINDOW) {
            recent.pop_front();
        }
        let full = recent.len() as u64 >= standing.burst;
        if full && self.burst.is_some() {
            standing.burst_left = 0;
            return Err(Failure::over_limit());
        }
        // If nothing is refused, a full window is enough to remember.
        if full {
            recent.pop_front();
        }
        recent.push_back(now);
        standing.burst_left = standing.burst.saturating_sub(recent.len() as u64);
        Ok(())
    }

    /// Takes an operation's cost from the day's budget of the company, or refuses it.
    pub(crate) fn spend(&self, caller: &Caller, cost: u64, now: OffsetDateTime, standing: &mut Standing) -> Result<(), Failure> {
        let mut used = self.used();
        if used.day != Some(now.date()) {
            used.day = Some(now.date());
            used.spent.clear();
        }
        let spent = used.spent.entry(caller.company).or_default();
        if self.budget.is_some_and(|budget| *spent + cost > budget) {
            standing.budget_left = 0;
            let (hour, minute, second) = now.time().as_hms();
            let passed = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
            standing.until_midnight = 86_400 - passed;
            return Err(Failure::over_limit());
        }
        *spent += cost;
        standing.budget_left = standing.budget.saturating_sub(*spent);
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    pub(crate) fn headers(&self) -> [(&'static str, u64); 5] {
        [
            ("x-ratelimit-limit", self.burst),
            ("x-ratelimit-remaining", self.burst_left),
            ("x-ratelimit-reset", WINDOW.whole_seconds().unsigned_abs()),
            ("x-daily-ratelimit-token-limit", self.budget),
            ("x-daily-ratelimit-token-remaining", self.budget_left),
        ]
    }

    pub(crate) fn retry_after(&self) -> u64 {
        self.until_midnight.max(WINDOW.whole_seconds().unsigned_abs())
    }
}
