//! Estimates: what a call would cost, before it is made.

use std::iter::Sum;
use std::ops::{Add, Mul, Sub};

use serde::Serialize;

/// A number of requests, and their cost in tokens of the daily budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) tokens: u64,
}

/// The relation of an estimate to what the call will cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CostBound {
    /// It costs just that.
    #[default]
    Exact,
    /// It costs that or less.
    Most,
    /// It costs that or more.
    Least,
    /// It may cost less or more.
    Open,
}

/// An estimate, as an outcome shows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    requests: u64,
    tokens: u64,
    seconds: f64,
    certain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<&'static str>,
}

impl Cost {
    /// Builds the cost of one request.
    pub(crate) fn of_request(tokens: u32) -> Self {
        Self { requests: 1, tokens: tokens.into() }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { requests: self.requests.saturating_add(other.requests), tokens: self.tokens.saturating_add(other.tokens) }
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { requests: self.requests.saturating_sub(other.requests), tokens: self.tokens.saturating_sub(other.tokens) }
    }
}

impl Mul<u64> for Cost {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self { requests: self.requests.saturating_mul(times), tokens: self.tokens.saturating_mul(times) }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Self::add)
    }
}

impl CostBound {
    /// Returns the bound of a sum of two estimates.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact, bound) | (bound, Self::Exact) => bound,
            (one, other) if one == other => one,
            _ => Self::Open,
        }
    }

    /// Returns the word in an outcome. An estimate that is certain, and one that may be off either way, has none.
    const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Exact | Self::Open => None,
            Self::Most => Some("most"),
            Self::Least => Some("least"),
        }
    }
}

impl Estimate {
    /// Builds an estimate. The seconds are rounded to a tenth.
    pub(crate) fn new(cost: Cost, bound: CostBound, seconds: f64) -> Self {
        let Cost { requests, tokens } = cost;
        Self { requests, tokens, seconds: (seconds * 10.0).round() / 10.0, certain: bound == CostBound::Exact, bound: bound.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_is_as_certain_as_all_its_parts() {
        use CostBound::{Exact, Least, Most, Open};
        for (one, other, sum) in [
            (Exact, Exact, Exact),
            (Exact, Most, Most),
            (Least, Exact, Least),
            (Most, Most, Most),
            (Least, Least, Least),
            (Most, Least, Open),
            (Open, Exact, Open),
            (Open, Most, Open),
        ] {
            assert_eq!((one.join(other), other.join(one)), (sum, sum), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn estimate_has_tenths_of_seconds_and_names_its_bound() {
        let write = |bound| serde_json::to_string(&Estimate::new(Cost::of_request(5) * 2, bound, 0.449)).expect("it is JSON");
        assert_eq!(write(CostBound::Exact), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":true}"#);
        assert_eq!(write(CostBound::Most), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":false,"bound":"most"}"#);
        assert_eq!(write(CostBound::Open), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":false}"#);
    }
}
