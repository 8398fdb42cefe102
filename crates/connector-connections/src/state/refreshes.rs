//! Counts of the refreshes of tokens, by connector and result.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::value::refresh_count::RefreshCount;

/// The counts of the refreshes of one vault.
#[derive(Debug, Default)]
pub(crate) struct RefreshCounts(Mutex<BTreeMap<(String, &'static str), u64>>);

impl RefreshCounts {
    pub(crate) fn record(&self, connector: &str, result: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((connector.to_owned(), result)).or_default() += 1;
    }

    pub(crate) fn list(&self) -> Vec<RefreshCount> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((connector, result), count)| RefreshCount::new(connector.clone(), result, *count)).collect()
    }
}
