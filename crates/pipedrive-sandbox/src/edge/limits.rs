//! Pipedrive's limits: windows of requests and of searches for each token, and a daily budget for each company.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use time::{Date, Duration, OffsetDateTime};

use crate::edge::caller::Caller;
use crate::edge::options::Options;
use crate::edge::plan::Plan;
use crate::value::failure::Failure;

/// The searches in a window that every plan allows, whatever else it allows.
const SEARCH_LIMIT: u32 = 10;
/// The limit of an OAuth token under a plan, in limits of an API token.
const OAUTH_FACTOR: u32 = 4;

/// The limits of a sandbox, and their use.
#[derive(Debug)]
pub(crate) struct Limits {
    window: Duration,
    api_token: Option<u32>,
    oauth: Option<u32>,
    search: Option<u32>,
    budget: Option<u64>,
    usage: Mutex<Usage>,
}

/// The requests that share a window: searches have one of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    General,
    Search,
}

const LANES: [Lane; 2] = [Lane::General, Lane::Search];

/// The use of the limits so far.
#[derive(Debug, Default)]
struct Usage {
    /// The windows of each lane, by the digest of the token.
    windows: HashMap<String, [Option<Window>; LANES.len()]>,
    day: Option<Date>,
    /// The tokens that were spent on that day, by company.
    spent: HashMap<u64, u64>,
}

/// The latest requests of a token in one lane.
#[derive(Debug)]
struct Window {
    recent: VecDeque<OffsetDateTime>,
    /// The end of the window in which the last refusal began.
    exceeded_until: Option<OffsetDateTime>,
    count: LimitCount,
}

/// The requests of one token that counted against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitCount {
    /// The id of the token's company.
    pub company: u64,
    /// The id of the token's user.
    pub user: u64,
    /// The requests that the limit is about: `general`, or `search` for searches, which have one of their own.
    pub lane: &'static str,
    /// The limit of requests in a window.
    pub limit: u32,
    /// The number of requests that the limit let through.
    pub taken: u64,
    /// The number of requests that it refused.
    pub refused: u64,
    /// The most requests that were let through within one window.
    pub fullest: u32,
    /// The number of windows, one after the other, in which requests were refused.
    pub exceeded: u64,
}

/// The limits of a request, as headers report them. Of a limit that is not set they report nothing.
#[derive(Debug, Default)]
pub(crate) struct LimitStatus {
    limit: Option<u32>,
    left: Option<u64>,
    reset: Option<Duration>,
    budget: Option<u64>,
    budget_left: Option<u64>,
    retry_after: Option<u64>,
}

impl Limits {
    pub(crate) fn new(options: &Options) -> Self {
        let plan = options.plan;
        let planned = plan.map(Plan::burst_limit);
        let api_token = options.burst_limit.or(planned);
        Self {
            window: Duration::try_from(options.burst_window).unwrap_or(Duration::MAX),
            api_token,
            oauth: options.burst_limit.or(planned.map(|limit| limit * OAUTH_FACTOR)),
            search: options.search_limit.or(api_token.map(|_| SEARCH_LIMIT)),
            budget: options.daily_budget.or(plan.map(|plan| plan.daily_budget(options.seats))),
            usage: Mutex::default(),
        }
    }

    fn find_limit(&self, caller: &Caller, lane: Lane) -> Option<u32> {
        match lane {
            Lane::Search => self.search,
            Lane::General if caller.is_api_token() => self.api_token,
            Lane::General => self.oauth,
        }
    }

    /// Builds the status of a request that has not been counted.
    pub(crate) fn build_status(&self, caller: &Caller, lane: Lane, now: OffsetDateTime) -> LimitStatus {
        let left = |budget: u64| budget.saturating_sub(*self.lock_usage().spent_on(now).entry(caller.company).or_default());
        LimitStatus {
            limit: self.find_limit(caller, lane),
            budget: self.budget,
            budget_left: self.budget.map(left),
            ..LimitStatus::default()
        }
    }

    /// Counts a request of the caller's token, or refuses it if the limit of its lane is reached.
    pub(crate) fn count(&self, caller: &Caller, lane: Lane, now: OffsetDateTime, status: &mut LimitStatus) -> Result<(), Failure> {
        *status = self.build_status(caller, lane, now);
        let Some(limit) = status.limit else { return Ok(()) };
        let mut usage = self.lock_usage();
        let windows = usage.windows.entry(caller.token.clone()).or_default();
        let window = windows[lane as usize].get_or_insert_with(|| Window::new(caller, lane, limit));
        let result = window.take(now, self.window);
        status.left = Some(u64::from(limit.saturating_sub(window.len())));
        status.reset = Some(self.window);
        if result.is_err() && self.window >= Duration::SECOND {
            // Whole seconds are all that the header can say. The window of a test can be shorter: there it is left out.
            status.retry_after = Some(round_up(self.window));
        }
        result
    }

    /// Takes an operation's cost from the company's daily budget, or refuses the request if too little is left.
    pub(crate) fn spend(&self, caller: &Caller, cost: u64, now: OffsetDateTime, status: &mut LimitStatus) -> Result<(), Failure> {
        let Some(budget) = self.budget else { return Ok(()) };
        let mut usage = self.lock_usage();
        let spent = usage.spent_on(now).entry(caller.company).or_default();
        if *spent + cost > budget {
            let (hour, minute, second) = now.time().as_hms();
            let passed = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
            status.empty_budget((86_400 - passed).max(round_up(self.window)));
            return Err(Failure::over_limit());
        }
        *spent += cost;
        status.budget_left = Some(budget - *spent);
        Ok(())
    }

    /// Lists the requests that counted against limits, by company, user and lane.
    pub(crate) fn list_counts(&self) -> Vec<LimitCount> {
        let usage = self.lock_usage();
        let mut counts: Vec<LimitCount> = usage.windows.values().flatten().flatten().map(|window| window.count).collect();
        counts.sort_by_key(|count| (count.company, count.user, count.lane));
        counts
    }

    fn lock_usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usage {
    /// Returns what was spent on the day of a time, by company.
    fn spent_on(&mut self, now: OffsetDateTime) -> &mut HashMap<u64, u64> {
        if self.day != Some(now.date()) {
            self.day = Some(now.date());
            self.spent.clear();
        }
        &mut self.spent
    }
}

impl Lane {
    /// Finds the lane of a request: that of searches for `…/search`, `…/itemSearch` and `…/itemSearch/field`.
    pub(crate) fn find(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let is_search = path.ends_with("/search") || path.ends_with("/itemSearch") || path.ends_with("/itemSearch/field");
        if is_search { Self::Search } else { Self::General }
    }

    fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Search => "search",
        }
    }
}

impl Window {
    fn new(caller: &Caller, lane: Lane, limit: u32) -> Self {
        let (company, user, lane) = (caller.company, caller.user, lane.name());
        let count = LimitCount { company, user, lane, limit, taken: 0, refused: 0, fullest: 0, exceeded: 0 };
        Self { recent: VecDeque::new(), exceeded_until: None, count }
    }

    fn len(&self) -> u32 {
        // Never more than the limit.
        u32::try_from(self.recent.len()).unwrap_or(u32::MAX)
    }

    /// Takes a request into the window, or refuses it if the window is full. What was refused takes no room.
    fn take(&mut self, now: OffsetDateTime, window: Duration) -> Result<(), Failure> {
        while self.recent.front().is_some_and(|&at| now - at >= window) {
            self.recent.pop_front();
        }
        if self.len() >= self.count.limit {
            self.count.refused += 1;
            if self.exceeded_until.is_none_or(|until| now >= until) {
                self.count.exceeded += 1;
                self.exceeded_until = now.checked_add(window);
            }
            return Err(Failure::over_limit());
        }
        self.recent.push_back(now);
        self.count.taken += 1;
        self.count.fullest = self.count.fullest.max(self.len());
        Ok(())
    }
}

impl LimitStatus {
    /// Returns the headers that report the limits.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        // The limit of a window says little without what is left of it.
        let limit = self.limit.filter(|_| self.left.is_some());
        [
            ("x-ratelimit-limit", limit.map(HeaderValue::from)),
            ("x-ratelimit-remaining", self.left.map(HeaderValue::from)),
            ("x-ratelimit-reset", self.reset.and_then(write_seconds)),
            ("x-daily-ratelimit-token-limit", self.budget.map(HeaderValue::from)),
            ("x-daily-ratelimit-token-remaining", self.budget_left.map(HeaderValue::from)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Returns the seconds after which a refused request can be repeated.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// Leaves nothing of the window for this time. A limit that is not set is not made up.
    pub(crate) fn empty_window(&mut self, time: Duration) {
        (self.left, self.reset, self.retry_after) = (Some(0), Some(time), Some(round_up(time)));
    }

    /// Leaves nothing of the budget for these seconds.
    pub(crate) fn empty_budget(&mut self, seconds: u64) {
        (self.budget_left, self.retry_after) = (Some(0), Some(seconds));
    }
}

/// Rounds a time up to whole seconds.
pub(crate) fn round_up(time: Duration) -> u64 {
    time.whole_seconds().unsigned_abs() + u64::from(time.subsec_nanoseconds() > 0)
}

/// Writes a time in seconds: a whole number where it is one, else with decimals.
fn write_seconds(time: Duration) -> Option<HeaderValue> {
    HeaderValue::from_str(&time.as_seconds_f64().to_string()).ok()
}
