//! The source of a sandbox's faults: it counts requests, and remembers who is refused for a while.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use crate::edge::caller::Caller;
use crate::edge::fault_choice::{ChosenFault, FaultCounts, FaultTarget, choose};
use crate::edge::fault_kind::{FAULT_WORDS, FaultKind};
use crate::edge::fault_spec::Faults;

/// A kind of fault, and the number of requests that had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultCount {
    /// The word for the fault, as in [`Faults`].
    pub fault: &'static str,
    /// Tells whether these requests were carried out all the same.
    pub is_carried_out: bool,
    /// The number of requests, with those that were refused until a spent budget or a block ended.
    pub count: u64,
}

/// The source of the faults of requests.
#[derive(Debug)]
pub(crate) struct FaultSource {
    faults: Faults,
    state: Mutex<FaultState>,
    made: [AtomicU64; FAULT_WORDS.len()],
}

#[derive(Debug, Default)]
struct FaultState {
    counts: FaultCounts,
    /// The end of each spent budget, by company.
    spent: HashMap<u64, OffsetDateTime>,
    /// The end of each block, by the digest of the token.
    blocked: HashMap<String, OffsetDateTime>,
}

impl FaultSource {
    /// Builds a source, unless there are no rules.
    pub(crate) fn new(faults: Faults) -> Option<Self> {
        (!faults.rules.is_empty()).then(|| Self { faults, state: Mutex::default(), made: [const { AtomicU64::new(0) }; FAULT_WORDS.len()] })
    }

    /// Takes the fault of a request. A company or a token that is refused for a while has no other.
    pub(crate) fn take(&self, target: FaultTarget, caller: Option<&Caller>, now: OffsetDateTime) -> Option<ChosenFault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match caller.and_then(|caller| state.find_refusal(caller, now)) {
            Some(refusal) => Some(refusal),
            None => choose(&self.faults, &mut state.counts, target).filter(|fault| state.begin_refusal(*fault, caller, now)),
        }?;
        self.made[fault.kind as usize].fetch_add(1, Ordering::Relaxed);
        Some(fault)
    }

    /// Lists the kinds of faults that were made.
    pub(crate) fn list_counts(&self) -> Vec<FaultCount> {
        let count = |kind: FaultKind| self.made[kind as usize].load(Ordering::Relaxed);
        let counts =
            FAULT_WORDS.iter().map(|word| FaultCount { fault: word.name, is_carried_out: word.is_carried_out, count: count(word.kind) });
        counts.filter(|made| made.count > 0).collect()
    }
}

impl FaultState {
    /// Finds the refusal that a caller is under, with the time that is left of it.
    fn find_refusal(&mut self, caller: &Caller, now: OffsetDateTime) -> Option<ChosenFault> {
        let left = |end: &OffsetDateTime| Some(*end - now).filter(|left| left.is_positive());
        if let Some(end) = self.blocked.get(&caller.token) {
            match left(end) {
                Some(duration) => return Some(ChosenFault { kind: FaultKind::HtmlForbidden, duration }),
                None => drop(self.blocked.remove(&caller.token)),
            }
        }
        if let Some(end) = self.spent.get(&caller.company) {
            match left(end) {
                Some(duration) => return Some(ChosenFault { kind: FaultKind::BudgetSpent, duration }),
                None => drop(self.spent.remove(&caller.company)),
            }
        }
        None
    }

    /// Begins the refusal of a fault that lasts. Without a caller there is nobody to refuse, and no fault.
    fn begin_refusal(&mut self, fault: ChosenFault, caller: Option<&Caller>, now: OffsetDateTime) -> bool {
        let end = now.checked_add(fault.duration.max(Duration::ZERO)).unwrap_or(now);
        match (fault.kind, caller) {
            (FaultKind::BudgetSpent, Some(caller)) => drop(self.spent.insert(caller.company, end)),
            (FaultKind::HtmlForbidden, Some(caller)) => drop(self.blocked.insert(caller.token.clone(), end)),
            (FaultKind::BudgetSpent | FaultKind::HtmlForbidden, None) => return false,
            _ => {}
        }
        true
    }
}
