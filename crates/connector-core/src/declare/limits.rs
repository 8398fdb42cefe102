//! The limits of a vendor: how its answers tell them, and which requests it counts together.

use std::time::Duration;

/// The limits of a vendor.
///
/// Calls wait for them, so that no caller sees a refusal which a little patience avoids. What is not declared is learnt from
/// `Retry-After` alone.
///
/// ```
/// use std::time::Duration;
///
/// use connector_core::declare::{Connector, Lane, Limits};
///
/// static CONNECTOR: Connector = Connector::new("harbour", "Harbour", "Work with ships.", "1.0.0").with_limits(
///     Limits::within(Duration::from_secs(10))
///         .with_window("x-limit", "x-remaining", "x-reset")
///         .with_lanes(&[Lane::new(|path| path.ends_with("/search"), 5, 5), Lane::rest(50, 100)]),
/// );
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The time in which requests count together.
    pub window: Duration,
    /// The headers about the window.
    pub headers: Option<WindowHeaders>,
    /// The headers about the daily budget.
    pub budget: Option<BudgetHeaders>,
    /// The kinds of requests that are counted apart. The first that takes a path counts it.
    pub lanes: &'static [Lane],
    /// `true` if a page of HTML under the status 403 blocks the connection for a while.
    pub blocks_by_page: bool,
    /// The cost of a request in tokens of the daily budget, by method and path, where the vendor documents it.
    pub cost: fn(method: &str, path: &str) -> Option<u32>,
}

/// The headers that tell the limit of a window, what is left of it, and its length in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowHeaders {
    /// The most requests of a window.
    pub limit: &'static str,
    /// The requests for which there is room.
    pub left: &'static str,
    /// The seconds until there is room for all.
    pub reset: &'static str,
}

/// The headers that tell the daily budget in tokens, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetHeaders {
    /// The tokens of a day.
    pub limit: &'static str,
    /// The tokens that are left.
    pub left: &'static str,
}

/// A kind of requests that the vendor counts apart from others.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Lane {
    /// Checks whether it counts requests to a path.
    pub takes: fn(path: &str) -> bool,
    /// The smallest documented limit of a window for a token or key that a person copied.
    pub least_by_token: u32,
    /// The smallest documented limit of a window for an access token of OAuth.
    pub least_by_oauth: u32,
}

impl Limits {
    /// The limits of a vendor that documents none.
    pub(crate) const NONE: Self =
        Self { window: Duration::from_secs(1), headers: None, budget: None, lanes: &[], blocks_by_page: false, cost: |_, _| None };

    /// Builds the limits of a vendor that counts requests within a time.
    pub const fn within(window: Duration) -> Self {
        Self { window, ..Self::NONE }
    }

    /// Sets the headers about the window.
    #[must_use]
    pub const fn with_window(mut self, limit: &'static str, left: &'static str, reset: &'static str) -> Self {
        self.headers = Some(WindowHeaders { limit, left, reset });
        self
    }

    /// Sets the headers about the daily budget.
    #[must_use]
    pub const fn with_budget(mut self, limit: &'static str, left: &'static str) -> Self {
        self.budget = Some(BudgetHeaders { limit, left });
        self
    }

    /// Sets the kinds of requests that are counted apart.
    #[must_use]
    pub const fn with_lanes(mut self, lanes: &'static [Lane]) -> Self {
        self.lanes = lanes;
        self
    }

    /// Marks a vendor that answers requests after abuse with a page of HTML under the status 403.
    #[must_use]
    pub const fn blocking_by_page(mut self) -> Self {
        self.blocks_by_page = true;
        self
    }

    /// Sets how the cost of a request is found.
    #[must_use]
    pub const fn with_cost(mut self, cost: fn(method: &str, path: &str) -> Option<u32>) -> Self {
        self.cost = cost;
        self
    }

    /// Finds the number of the lane that counts requests to a path. What no lane takes counts in the last one.
    pub(crate) fn find_lane(&self, path: &str) -> usize {
        let last = self.lanes.len().saturating_sub(1);
        self.lanes.iter().position(|lane| (lane.takes)(path)).unwrap_or(last)
    }
}

impl Lane {
    /// Builds the lane of the paths that a function picks, with the smallest documented limits.
    pub const fn new(takes: fn(path: &str) -> bool, least_by_token: u32, least_by_oauth: u32) -> Self {
        Self { takes, least_by_token, least_by_oauth }
    }

    /// Builds the lane of all other paths.
    pub const fn rest(least_by_token: u32, least_by_oauth: u32) -> Self {
        Self::new(|_| true, least_by_token, least_by_oauth)
    }
}
