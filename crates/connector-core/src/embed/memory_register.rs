//! The register of a runtime that was given none: values in memory, for as long as the process lives.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use crate::embed::register::{MATCH_LEASE, MATCH_MEMORY, MOST_MATCHES, MatchClaim, MatchEnding, MatchMemory, MatchRegister};
use crate::value::error::{Error, ErrorKind};

/// The most values that are kept.
const MOST_VALUES: usize = 100_000;

/// A register in memory. It ends with its process, whose upserts end with it.
#[derive(Default)]
pub(crate) struct MemoryRegister(Mutex<Values>);

/// The values, by their digests.
#[derive(Default)]
struct Values(HashMap<String, KeptValue>);

/// The facts about one value. The clock is one that nobody can set.
#[derive(Default)]
struct KeptValue {
    /// The holder of the lease, and its end.
    lease: Option<(String, Instant)>,
    /// The end of the time for which it is not known whether a record was added.
    unsure_until: Option<Instant>,
    /// The records that had the value, and until when they are remembered.
    records: Vec<(String, Instant)>,
}

impl KeptValue {
    fn is_held_by(&self, holder: &str, now: Instant) -> bool {
        self.lease.as_ref().is_some_and(|(known, until)| known == holder && *until > now)
    }

    fn is_held_by_another(&self, holder: &str, now: Instant) -> bool {
        self.lease.as_ref().is_some_and(|(known, until)| known != holder && *until > now)
    }

    fn is_over(&self, now: Instant) -> bool {
        let is_past = |until: &Instant| *until <= now;
        self.lease.as_ref().is_none_or(|(_, until)| is_past(until))
            && self.unsure_until.as_ref().is_none_or(is_past)
            && self.records.iter().all(|(_, until)| is_past(until))
    }

    fn remember(&mut self, record: &str, now: Instant) {
        self.records.retain(|(known, until)| known != record && *until > now);
        if self.records.len() < MOST_MATCHES {
            self.records.push((record.to_owned(), now + MATCH_MEMORY));
        }
        self.unsure_until = None;
    }
}

impl Values {
    fn lease(&mut self, claim: &MatchClaim, now: Instant) -> Result<Option<MatchMemory>, Error> {
        if claim.values.iter().any(|value| self.0.get(value).is_some_and(|kept| kept.is_held_by_another(&claim.holder, now))) {
            return Ok(None);
        }
        if self.0.len() >= MOST_VALUES {
            self.0.retain(|_, kept| !kept.is_over(now));
        }
        if self.0.len() >= MOST_VALUES {
            return Err(Error::new(ErrorKind::RateLimited, "The memory has no room for the values of another upsert.")
                .with_hint("Nothing was sent. Records are remembered for ten minutes: try again later."));
        }
        for value in &claim.values {
            self.0.entry(value.clone()).or_default().lease = Some((claim.holder.clone(), now + MATCH_LEASE));
        }
        Ok(Some(self.remember(&claim.values, now)))
    }

    /// Returns what is remembered of values.
    fn remember(&self, values: &[String], now: Instant) -> MatchMemory {
        let mut memory = MatchMemory::default();
        for kept in values.iter().filter_map(|value| self.0.get(value)) {
            memory.unsure_for = memory.unsure_for.max(kept.unsure_until.and_then(|until| until.checked_duration_since(now)));
            for (record, _) in kept.records.iter().filter(|(_, until)| *until > now) {
                if !memory.records.contains(record) {
                    memory.records.push(record.clone());
                }
            }
        }
        memory
    }

    fn extend(&mut self, claim: &MatchClaim, now: Instant) {
        for value in &claim.values {
            if let Some(kept) = self.0.get_mut(value).filter(|kept| kept.is_held_by(&claim.holder, now)) {
                kept.lease = Some((claim.holder.clone(), now + MATCH_LEASE));
            }
        }
    }

    fn begin_add(&mut self, claim: &MatchClaim, now: Instant) -> bool {
        let is_held = claim.values.iter().all(|value| self.0.get(value).is_some_and(|kept| kept.is_held_by(&claim.holder, now)));
        if is_held {
            claim.all().for_each(|value| self.0.entry(value.clone()).or_default().unsure_until = Some(now + MATCH_MEMORY));
        }
        is_held
    }

    fn end(&mut self, claim: &MatchClaim, ending: &MatchEnding, now: Instant) {
        for value in claim.all() {
            let Some(kept) = self.0.get_mut(value) else {
                if let MatchEnding::Record(record) = ending {
                    self.0.entry(value.clone()).or_default().remember(record, now);
                }
                continue;
            };
            match ending {
                // A record is there, whoever holds the value by now.
                MatchEnding::Record(record) => kept.remember(record, now),
                MatchEnding::NotAdded if !kept.is_held_by_another(&claim.holder, now) => kept.unsure_until = None,
                MatchEnding::NotAdded | MatchEnding::AsBefore => {}
            }
            kept.lease.take_if(|(holder, _)| *holder == claim.holder);
            if kept.is_over(now) {
                self.0.remove(value);
            }
        }
    }
}

impl MemoryRegister {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MatchRegister for MemoryRegister {
    async fn lease(&self, claim: &MatchClaim) -> Result<Option<MatchMemory>, Error> {
        self.lock().lease(claim, Instant::now())
    }

    async fn peek(&self, values: &[String]) -> Result<MatchMemory, Error> {
        Ok(self.lock().remember(values, Instant::now()))
    }

    async fn extend(&self, claim: &MatchClaim) -> Result<(), Error> {
        self.lock().extend(claim, Instant::now());
        Ok(())
    }

    async fn begin_add(&self, claim: &MatchClaim) -> Result<bool, Error> {
        Ok(self.lock().begin_add(claim, Instant::now()))
    }

    async fn end(&self, claim: &MatchClaim, ending: &MatchEnding) -> Result<(), Error> {
        self.lock().end(claim, ending, Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn claim(values: &[&str], beside: &[&str]) -> MatchClaim {
        let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        MatchClaim::new(own(values), own(beside))
    }

    fn memory(records: &[&str], unsure_for: Option<Duration>) -> MatchMemory {
        MatchMemory::new(records.iter().map(|record| (*record).to_owned()).collect(), unsure_for)
    }

    fn lease(values: &mut Values, claim: &MatchClaim, now: Instant) -> Option<MatchMemory> {
        values.lease(claim, now).expect("there is room")
    }

    #[test]
    fn value_has_one_holder_until_its_lease_ends() {
        let (mut values, start) = (Values::default(), Instant::now());
        let (first, second) = (claim(&["a", "b"], &[]), claim(&["b", "c"], &[]));
        assert_eq!(lease(&mut values, &first, start), Some(memory(&[], None)));
        assert_eq!(lease(&mut values, &second, start), None, "one of its values is held");
        assert_eq!(lease(&mut values, &claim(&["c"], &[]), start), Some(memory(&[], None)), "nothing of the other was leased");
        values.extend(&first, start + MATCH_LEASE / 2);
        assert_eq!(lease(&mut values, &claim(&["a"], &[]), start + MATCH_LEASE), None, "it was extended");
        let late = start + MATCH_LEASE * 2;
        assert_eq!(lease(&mut values, &second, late), Some(memory(&[], None)));
        assert!(!values.begin_add(&first, late), "a holder whose lease is over adds nothing");
        values.extend(&first, late);
        values.end(&first, &MatchEnding::AsBefore, late);
        assert_eq!(lease(&mut values, &claim(&["b"], &[]), late), None, "the end of an earlier holder frees nothing");
    }

    #[test]
    fn record_is_remembered_for_ten_minutes_under_all_of_its_values() {
        let (mut values, start) = (Values::default(), Instant::now());
        let first = claim(&["a"], &["b"]);
        lease(&mut values, &first, start);
        assert!(values.begin_add(&first, start));
        values.end(&first, &MatchEnding::Record("7".to_owned()), start);
        for value in ["a", "b"] {
            assert_eq!(values.remember(&[value.to_owned()], start), memory(&["7"], None));
        }
        let again = claim(&["a", "b"], &[]);
        assert_eq!(
            lease(&mut values, &again, start + MATCH_MEMORY.saturating_sub(MATCH_LEASE)),
            Some(memory(&["7"], None)),
            "it is there once"
        );
        values.end(&again, &MatchEnding::AsBefore, start + MATCH_MEMORY);
        assert_eq!(values.0.len(), 0, "what is over is removed");
    }

    #[test]
    fn value_of_very_many_records_remembers_some_of_them() {
        let (mut values, now) = (Values::default(), Instant::now());
        for record in 0..2 * MOST_MATCHES {
            values.end(&claim(&[], &["a"]), &MatchEnding::Record(record.to_string()), now);
        }
        assert_eq!(values.remember(&["a".to_owned()], now).records.len(), MOST_MATCHES);
    }

    #[test]
    fn record_that_may_have_been_added_is_remembered_until_it_certainly_was_not() {
        let (mut values, start) = (Values::default(), Instant::now());
        let lost = claim(&["a"], &["b"]);
        lease(&mut values, &lost, start);
        assert!(values.begin_add(&lost, start));
        // Its process dies.
        let next = claim(&["b"], &[]);
        assert_eq!(lease(&mut values, &next, start), Some(memory(&[], Some(MATCH_MEMORY))));
        values.end(&next, &MatchEnding::AsBefore, start);
        let later = start + MATCH_LEASE;
        assert_eq!(values.remember(&["a".to_owned()], later), memory(&[], Some(MATCH_MEMORY.saturating_sub(MATCH_LEASE))));
        let sure = claim(&["a"], &["b"]);
        lease(&mut values, &sure, later);
        assert!(values.begin_add(&sure, later));
        values.end(&sure, &MatchEnding::NotAdded, later);
        assert_eq!(values.remember(&["a".to_owned(), "b".to_owned()], later), memory(&[], None));
    }
}
