//! Estimates: what a call would cost, before it is made.

use std::iter::Sum;
use std::ops::{Add, Mul, Sub};

use serde::Serialize;

/// A number of requests, and their cost in tokens of the daily budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The requests by their lane: those of one are counted together by the vendor.
    pub(crate) lanes: [u64; LANES],
    pub(crate) tokens: u64,
}

/// The lanes that are told apart. Those beyond count in the last one.
const LANES: usize = 4;

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
    /// Builds the cost of requests in a lane, with the tokens of all of them.
    pub(crate) fn in_lane(lane: usize, requests: u64, tokens: u64) -> Self {
        let mut lanes = [0; LANES];
        lanes[lane.min(LANES - 1)] = requests;
        Self { lanes, tokens }
    }

    /// Counts the requests.
    pub(crate) fn requests(&self) -> u64 {
        self.lanes.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn combine(self, other: Self, combine: fn(u64, u64) -> u64) -> Self {
        let lanes = std::array::from_fn(|lane| combine(self.lanes[lane], other.lanes[lane]));
        Self { lanes, tokens: combine(self.tokens, other.tokens) }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.combine(other, u64::saturating_add)
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.combine(other, u64::saturating_sub)
    }
}

impl Mul<u64> for Cost {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self { lanes: self.lanes.map(|count| count.saturating_mul(times)), tokens: self.tokens.saturating_mul(times) }
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
    /// Builds an estimate. The seconds are rounded to a tenth; what takes any time takes one at least.
    pub(crate) fn new(cost: Cost, bound: CostBound, seconds: f64) -> Self {
        let tenths = (seconds * 10.0).round().max(if seconds > 0.0 { 1.0 } else { 0.0 });
        Self {
            requests: cost.requests(),
            tokens: cost.tokens,
            seconds: tenths / 10.0,
            certain: bound == CostBound::Exact,
            bound: bound.as_str(),
        }
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
        let write = |bound| {
            serde_json::to_string(&Estimate::new(Cost::in_lane(0, 1, 5) + Cost::in_lane(9, 1, 5), bound, 0.449)).expect("it is JSON")
        };
        assert_eq!(write(CostBound::Exact), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":true}"#);
        assert_eq!(write(CostBound::Most), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":false,"bound":"most"}"#);
        assert_eq!(write(CostBound::Open), r#"{"requests":2,"tokens":10,"seconds":0.4,"certain":false}"#);
    }
}
