//! The ledger of a runtime that was given none: outcomes in memory, for as long as the process lives.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use crate::embed::ledger::{Claim, Kept, KeyedCall, Ledger};
use crate::value::error::{Error, ErrorKind};

/// The time for which a key is kept.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// The most keys that are kept.
const MOST_KEYS: usize = 100_000;

/// The most bytes of all answers together that are kept.
const MOST_BYTES: usize = 64 << 20;

/// A ledger in memory. It ends with its process, whose calls in flight are lost with it.
#[derive(Default)]
pub(crate) struct MemoryLedger(Mutex<Keys>);

#[derive(Default)]
struct Keys {
    entries: HashMap<String, KeptCall>,
    /// The bytes of all answers.
    bytes: usize,
    /// The time of the last search for keys that are too old.
    swept: Option<Instant>,
}

struct KeptCall {
    holder: String,
    fingerprint: String,
    /// A clock that nobody can set.
    claimed: Instant,
    /// The record that the call made.
    record: Option<String>,
    since: SystemTime,
    state: CallState,
}

enum CallState {
    Running,
    Abandoned,
    Finished(Vec<u8>),
}

impl MemoryLedger {
    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn claim(&mut self, call: &KeyedCall, now: Instant) -> Result<Claim, Error> {
        self.sweep(now);
        match self.peek(call, now) {
            Claim::Fresh => {}
            known => return Ok(known),
        }
        self.remove(&call.key);
        if self.entries.len() >= MOST_KEYS || self.bytes >= MOST_BYTES {
            return Err(Error::new(ErrorKind::RateLimited, "The ledger in memory has no room for another idempotency key.")
                .with_hint("Each key is kept for seven days. A store of connections has more room, and outlives the program."));
        }
        let (holder, fingerprint) = (call.holder.clone(), call.fingerprint.clone());
        let entry = KeptCall { holder, fingerprint, claimed: now, record: None, since: SystemTime::now(), state: CallState::Running };
        self.entries.insert(call.key.clone(), entry);
        Ok(Claim::Fresh)
    }

    /// Says what is known of a key.
    fn peek(&self, call: &KeyedCall, now: Instant) -> Claim {
        let entry = self.entries.get(&call.key).filter(|entry| now.saturating_duration_since(entry.claimed) < KEPT_FOR);
        match entry.map(|entry| (entry, &entry.state)) {
            None => Claim::Fresh,
            Some((entry, _)) if entry.fingerprint != call.fingerprint => Claim::OtherCall,
            Some((_, CallState::Finished(answer))) => Claim::Finished(answer.clone()),
            Some((_, CallState::Running)) => Claim::Running,
            Some((entry, CallState::Abandoned)) => Claim::unknown().since(entry.since),
        }
    }

    /// Removes the keys that are too old, at most once an hour.
    fn sweep(&mut self, now: Instant) {
        const PAUSE: Duration = Duration::from_hours(1);
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < PAUSE) {
            return;
        }
        self.swept = Some(now);
        let bytes = &mut self.bytes;
        self.entries.retain(|_, entry| {
            let is_kept = now.saturating_duration_since(entry.claimed) < KEPT_FOR;
            *bytes -= if is_kept { 0 } else { entry.state.size() };
            is_kept
        });
    }

    fn remove(&mut self, key: &str) {
        self.bytes -= self.entries.remove(key).map_or(0, |entry| entry.state.size());
    }

    fn end(&mut self, call: &KeyedCall, state: CallState) -> Result<(), Error> {
        let Some(entry) = self.entries.get_mut(&call.key).filter(|entry| entry.holder == call.holder) else {
            return Err(Error::new(ErrorKind::Bug, "The idempotency key is not claimed by this call."));
        };
        self.bytes += state.size();
        entry.state = state;
        Ok(())
    }
}

impl CallState {
    fn size(&self) -> usize {
        if let Self::Finished(answer) = self { answer.len() } else { 0 }
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn claim(&self, call: &KeyedCall) -> Result<Claim, Error> {
        self.lock().claim(call, Instant::now())
    }

    async fn peek(&self, call: &KeyedCall) -> Result<Option<Claim>, Error> {
        Ok(Some(self.lock().peek(call, Instant::now())))
    }

    async fn finish(&self, call: &KeyedCall, kept: Kept) -> Result<(), Error> {
        self.lock().end(call, CallState::Finished(kept.answer))?;
        self.lock().entries.entry(call.key.clone()).and_modify(|entry| entry.record = kept.record);
        Ok(())
    }

    async fn has_twin(&self, call: &KeyedCall) -> Result<bool, Error> {
        let is_open = |entry: &KeptCall| entry.fingerprint == call.fingerprint && !matches!(entry.state, CallState::Finished(_));
        Ok(self.lock().entries.iter().any(|(key, entry)| *key != call.key && is_open(entry)))
    }

    async fn has_made(&self, record: &str) -> Result<bool, Error> {
        Ok(self.lock().entries.values().any(|entry| entry.record.as_deref() == Some(record)))
    }

    async fn settle(&self, call: &KeyedCall, kept: Kept) -> Result<bool, Error> {
        let mut keys = self.lock();
        if keys.entries.values().any(|entry| entry.record.is_some() && entry.record == kept.record) {
            return Ok(false);
        }
        let Some(entry) = keys.entries.get_mut(&call.key).filter(|entry| matches!(entry.state, CallState::Abandoned)) else {
            return Ok(false);
        };
        entry.record = kept.record;
        entry.state = CallState::Finished(kept.answer);
        keys.bytes += keys.entries[&call.key].state.size();
        Ok(true)
    }

    async fn release(&self, call: &KeyedCall) -> Result<(), Error> {
        let mut keys = self.lock();
        if keys.entries.get(&call.key).is_some_and(|entry| entry.holder == call.holder && matches!(entry.state, CallState::Running)) {
            keys.remove(&call.key);
        }
        Ok(())
    }

    async fn abandon(&self, call: &KeyedCall) -> Result<(), Error> {
        self.lock().end(call, CallState::Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_key_for_seven_days_and_for_its_holder_alone() {
        let (mut keys, start) = (Keys::default(), Instant::now());
        let (call, again) = (KeyedCall::new("k", "print"), KeyedCall::new("k", "print"));
        let claim = |keys: &mut Keys, call: &KeyedCall, at| keys.claim(call, start + at).expect("there is room");
        assert_eq!(claim(&mut keys, &call, Duration::ZERO), Claim::Fresh);
        assert_eq!(claim(&mut keys, &again, Duration::ZERO), Claim::Running);
        assert_eq!(claim(&mut keys, &KeyedCall::new("k", "another"), Duration::ZERO), Claim::OtherCall);
        keys.end(&again, CallState::Finished(vec![1])).expect_err("another holder claimed it");
        keys.end(&call, CallState::Finished(vec![1, 2])).expect("it holds the key");
        let last = KEPT_FOR * 999 / 1000;
        assert_eq!((claim(&mut keys, &again, last), keys.bytes), (Claim::Finished(vec![1, 2]), 2));
        assert_eq!((claim(&mut keys, &again, KEPT_FOR), keys.bytes), (Claim::Fresh, 0));
        keys.end(&again, CallState::Abandoned).expect("it holds the key");
        assert!(matches!(claim(&mut keys, &call, KEPT_FOR), Claim::Unknown { since: Some(_) }));
        assert_eq!(claim(&mut keys, &KeyedCall::new("other", "print"), 3 * KEPT_FOR), Claim::Fresh);
        assert_eq!(keys.entries.len(), 1, "keys that are too old stay in memory");
    }

    #[test]
    fn full_ledger_refuses_new_keys_and_keeps_the_others() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let first = KeyedCall::new("first", "print");
        keys.claim(&first, now).expect("there is room");
        keys.end(&first, CallState::Finished(vec![0; MOST_BYTES])).expect("it holds the key");
        let refused = keys.claim(&KeyedCall::new("second", "print"), now).expect_err("it is full");
        assert_eq!(refused.kind(), ErrorKind::RateLimited);
        assert!(matches!(keys.claim(&first, now), Ok(Claim::Finished(_))), "a key was dropped, and its call would run twice");
    }
}
