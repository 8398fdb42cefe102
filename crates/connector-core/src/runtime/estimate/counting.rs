//! Counts in the record of a call what it would send.

use std::sync::Arc;

use crate::policy::seconds::{LanePace, estimate_seconds};
use crate::runtime::estimate::planned::BatchPlan;
use crate::runtime::session::Session;
use crate::value::error::{Error, ErrorKind};
use crate::value::estimate::{Cost, CostBound, Estimate};
use crate::value::outcome::Answer;

/// The reason of a line that fails before its own request, though not for its own text alone.
const MAY_NOT_FAIL: &str = "It fails now, and may not once it is run, as where a line before it adds what it names.";

impl Session {
    /// Counts a request that the call would make.
    ///
    /// One that is sent for the estimate too is not the last: it is a read, which the call makes again.
    pub(in crate::runtime) fn plan_request(&self, cost: Cost, is_own: bool) {
        if self.is_estimate
            && let Some(planned) = &mut self.lock().planned
            && (planned.sends_own || !is_own)
        {
            planned.cost = planned.cost + cost;
        }
    }

    /// Counts what the call would spend beside.
    pub(in crate::runtime) fn plan_cost(&self, cost: Cost) {
        if let Some(planned) = &mut self.lock().planned {
            planned.cost = planned.cost + cost;
        }
    }

    /// Records how fast the requests of the connection may be sent.
    pub(in crate::runtime) fn record_paces(&self, paces: Vec<LanePace>) {
        if let Some(planned) = &mut self.lock().planned {
            planned.paces = paces;
        }
    }

    /// Returns what the call would spend, as far as it is counted.
    pub(in crate::runtime) fn count_planned(&self) -> Cost {
        self.lock().planned.as_ref().map(|planned| planned.cost).unwrap_or_default()
    }

    /// Takes back what was counted since, and returns it.
    pub(in crate::runtime) fn take_planned(&self, since: Cost) -> Cost {
        let mut state = self.lock();
        let Some(planned) = &mut state.planned else { return Cost::default() };
        let taken = planned.cost - since;
        planned.cost = since;
        taken
    }

    /// Records why the estimate is not certain.
    pub(in crate::runtime) fn doubt(&self, bound: CostBound, why: &'static str) {
        if !self.is_estimate {
            return;
        }
        let mut state = self.lock();
        let Some(planned) = &mut state.planned else { return };
        planned.bound = planned.bound.join(bound);
        if let Some(batch) = &planned.batch {
            batch.change_sums(|sums| sums.doubt(bound, why));
        }
        if !state.meta.warnings.iter().any(|known| known == why) {
            state.meta.warnings.push(why.to_owned());
        }
    }

    /// Checks that the call would read a list again that is kept, for the first time.
    pub(in crate::runtime) fn reads_again(&self, list: String) -> bool {
        self.lock().planned.as_mut().is_some_and(|planned| planned.refreshes && planned.lists.insert(list))
    }

    /// Checks that the call would send its own request.
    pub(in crate::runtime) fn sends_own(&self) -> bool {
        self.lock().planned.as_ref().is_none_or(|planned| planned.sends_own)
    }

    /// Returns the batch that the call is a line of.
    pub(in crate::runtime) fn batch(&self) -> Option<Arc<BatchPlan>> {
        if self.is_estimate { self.lock().planned.as_ref()?.batch.clone() } else { None }
    }

    /// Ends an estimate: what was counted is the answer.
    pub(in crate::runtime) fn end_estimate(&self, result: Result<Answer, Error>) -> Result<Answer, Error> {
        let state = &mut *self.lock();
        let Some(planned) = state.planned.take() else { return result };
        let connection = state.meta.connection.as_deref().unwrap_or_default();
        if let Some(batch) = &planned.batch {
            batch.change_sums(|sums| {
                sums.add(connection, planned.cost, &planned.paces);
                sums.uses_lists |= !state.meta.lookups.is_empty();
                sums.refreshes |= !planned.lists.is_empty();
                let depends_on_others = |error: &Error| state.meta.requests > 0 || !state.meta.lookups.is_empty() || !is_lasting(error);
                if result.as_ref().is_err_and(depends_on_others) {
                    sums.doubt(CostBound::Open, MAY_NOT_FAIL);
                }
            });
        }
        result.map(|_| {
            Answer::from_data(&Estimate::new(planned.cost, planned.bound, estimate_seconds(&planned.cost.lanes, &planned.paces, 1)))
        })
    }
}

/// Checks that a call fails for what it says itself, whenever it is made.
fn is_lasting(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInvocation
            | ErrorKind::UnknownAction
            | ErrorKind::InvalidInput
            | ErrorKind::NoConnection
            | ErrorKind::RemovedUpstream
            | ErrorKind::IdempotencyMismatch
            | ErrorKind::OutcomeUnknown
    )
}
