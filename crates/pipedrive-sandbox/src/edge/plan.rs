//! Pipedrive's plans, with the limits that each one has.

use std::fmt;
use std::str::FromStr;

/// The tokens that each seat adds to the daily budget of a company, before the multiplier of its plan.
const TOKENS_OF_SEAT: u64 = 30_000;

/// A plan of Pipedrive, by which a company's limits follow from its documents.
///
/// ```
/// use pipedrive_sandbox::Plan;
/// assert_eq!("growth".parse::<Plan>().map_err(|error| error.to_string()), Ok(Plan::Growth));
/// assert_eq!(Plan::Growth.daily_budget(5), 300_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Lite, once Essential.
    Lite,
    /// Growth, once Advanced.
    Growth,
    /// Premium, once Power.
    Premium,
    /// Ultimate, once Enterprise.
    Ultimate,
}

/// The reason for which a text names no plan.
#[derive(Debug)]
pub struct PlanError(String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no plan: write lite, growth, premium or ultimate", self.0)
    }
}

impl std::error::Error for PlanError {}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        Ok(match text {
            "lite" => Self::Lite,
            "growth" => Self::Growth,
            "premium" => Self::Premium,
            "ultimate" => Self::Ultimate,
            _ => return Err(PlanError(text.to_owned())),
        })
    }
}

impl Plan {
    /// Returns the most requests that an API token may send in two seconds.
    pub(crate) fn burst_limit(self) -> u32 {
        match self {
            Self::Lite => 20,
            Self::Growth => 40,
            Self::Premium => 100,
            Self::Ultimate => 120,
        }
    }

    /// Returns the tokens that a company of this plan may spend in a day.
    pub fn daily_budget(self, seats: u32) -> u64 {
        let multiplier = match self {
            Self::Lite => 1,
            Self::Growth => 2,
            Self::Premium => 5,
            Self::Ultimate => 7,
        };
        TOKENS_OF_SEAT * multiplier * u64::from(seats)
    }
}
