//! Pipedrive's two rate limits: requests in two seconds for each token, and a daily budget for each company.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Date, Duration, OffsetDateTime};

use crate::edge::caller::Caller;
use crate::value::failure::Failure;

const WINDOW: Duration = Duration::seconds(2);
/// The limits in headers if none is set: those of an OAuth token on the smallest plan, with five seats.
const REPORTED_BURST: u32 = 80;
const REPORTED_BUDGET: u64 = 150_000;

/// The limits of a sandbox, and their use.
#[derive(Debug)]
pub(crate) struct Limits {
    burst: Option<u32>,
    budget: Option<u64>,
    usage: Mutex<Usage>,
}

/// The use of the limits so far.
#[derive(Debug, Default)]
struct Usage {
    /// The times of the latest requests, by the digest of their token.
    recent: HashMap<String, VecDeque<OffsetDateTime>>,
    day: Option<Date>,
    /// The tokens that were spent on that day, by company.
    spent: HashMap<u64, u64>,
}

/// The limits and what is left of them, as the headers of a response report them.
#[derive(Debug)]
pub(crate) struct LimitStatus {
    burst: u64,
    burst_left: u64,
    budget: u64,
    budget_left: u64,
    retry_after: u64,
}

impl Limits {
    pub(crate) fn new(burst: Option<u32>, budget: Option<u64>) -> Self {
        Self { burst, budget, usage: Mutex::default() }
    }

    /// Builds the status for a response to a request without a valid token.
    pub(crate) fn build_status(&self) -> LimitStatus {
        let burst = u64::from(self.burst.unwrap_or(REPORTED_BURST));
        let budget = self.budget.unwrap_or(REPORTED_BUDGET);
        LimitStatus { burst, burst_left: burst, budget, budget_left: budget, retry_after: WINDOW.whole_seconds().unsigned_abs() }
    }

    /// Counts a request of the caller's token, or refuses it if the limit is reached.
    pub(crate) fn count(&self, caller: &Caller, now: OffsetDateTime, status: &mut LimitStatus) -> Result<(), Failure> {
        let mut usage = self.lock_usage();
        status.budget_left = status.budget.saturating_sub(usage.spent.get(&caller.company).copied().unwrap_or(0));
        let recent = usage.recent.entry(caller.token.clone()).or_default();
        while recent.front().is_some_and(|&at| now - at >= WINDOW) {
            recent.pop_front();
        }
        let is_full = recent.len() as u64 >= status.burst;
        if is_full && self.burst.is_some() {
            status.burst_left = 0;
            return Err(Failure::over_limit());
        }
        // Without a limit nothing is refused, and one full window is enough to remember.
        if is_full {
            recent.pop_front();
        }
        recent.push_back(now);
        status.burst_left = status.burst.saturating_sub(recent.len() as u64);
        Ok(())
    }

    /// Takes an operation's cost from the company's daily budget, or refuses the request if too little is left.
    pub(crate) fn spend(&self, caller: &Caller, cost: u64, now: OffsetDateTime, status: &mut LimitStatus) -> Result<(), Failure> {
        let mut usage = self.lock_usage();
        if usage.day != Some(now.date()) {
            usage.day = Some(now.date());
            usage.spent.clear();
        }
        let spent = usage.spent.entry(caller.company).or_default();
        if self.budget.is_some_and(|budget| *spent + cost > budget) {
            let (hour, minute, second) = now.time().as_hms();
            let passed = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
            status.empty_budget((86_400 - passed).max(status.retry_after));
            return Err(Failure::over_limit());
        }
        *spent += cost;
        status.budget_left = status.budget.saturating_sub(*spent);
        Ok(())
    }

    fn lock_usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LimitStatus {
    /// Returns the headers that report the limits.
    pub(crate) fn headers(&self) -> [(&'static str, u64); 5] {
        [
            ("x-ratelimit-limit", self.burst),
            ("x-ratelimit-remaining", self.burst_left),
            ("x-ratelimit-reset", WINDOW.whole_seconds().unsigned_abs()),
            ("x-daily-ratelimit-token-limit", self.budget),
            ("x-daily-ratelimit-token-remaining", self.budget_left),
        ]
    }

    /// Returns the seconds after which a refused request can be repeated.
    pub(crate) fn retry_after(&self) -> u64 {
        self.retry_after
    }

    /// Leaves nothing of the window for these seconds.
    pub(crate) fn empty_window(&mut self, seconds: u64) {
        (self.burst_left, self.retry_after) = (0, seconds);
    }

    /// Leaves nothing of the budget for these seconds.
    pub(crate) fn empty_budget(&mut self, seconds: u64) {
        (self.budget_left, self.retry_after) = (0, seconds);
    }
}
