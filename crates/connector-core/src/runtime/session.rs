//! The record of a call under way.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::embed::connections::Connection;
use crate::embed::observer::WordedRequest;
use crate::runtime::estimate::planned::PlannedCall;
use crate::runtime::keyed::tether::Tether;
use crate::runtime::naming::definitions::Freshness;
use crate::runtime::pacing::LimitsHeard;
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::file::Sink;
use crate::value::invocation::SendGuard;
use crate::value::options::DryRun;
use crate::value::outcome::{Answer, LookUp, Meta};
use crate::value::view::View;

/// The age at which an estimate reads a list again, though calls would take what is kept.
const ESTIMATED_AGE: Duration = Duration::from_mins(5);

/// The record of a call. It outlives the work, so that a timeout can say what was sent.
pub(crate) struct Session {
    pub(super) dry_run: DryRun,
    /// `true` if the call is estimated, and not carried out.
    pub(super) is_estimate: bool,
    /// The time at which the call began.
    began: SystemTime,
    /// `true` if definitions have to be read since.
    refreshes: AtomicBool,
    /// The tie to the caller, if the call may outlive it.
    tether: Option<Arc<Tether>>,
    /// `true` if an observer is told of the call.
    pub(super) is_observed: bool,
    /// The guard of the host before each request.
    guard: Option<Arc<dyn SendGuard>>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) meta: Meta,
    /// The credentials that were sent, which must not appear in an error.
    used: Vec<Access>,
    /// `true` while a write was sent and no response came.
    pub(super) open_write: bool,
    /// `true` if an attempt that failed, and was repeated, may have been carried out.
    may_have_written: bool,
    /// The repetitions that are due, and were not sent yet.
    repetitions: u32,
    /// The number of the first request that was a write and was carried out.
    wrote: Option<u32>,
    /// The attempts of the pages that were read whole.
    attempts_before: u32,
    /// The facts for an observer beside those of the outcome.
    pub(super) tally: Tally,
    /// The time for which the vendor takes nothing from the connection, as its last response told.
    pub(super) pause: Option<Duration>,
    /// The time that requests waited for limits.
    waited: Duration,
    /// The destination of a fetched file.
    pub(super) sink: Option<Sink>,
    /// The requests that the call would make, if it is estimated.
    pub(super) planned: Option<Box<PlannedCall>>,
}

/// The facts about the requests of a call that only an observer is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// The requests that were sent again after a failure.
    pub(super) retries: u32,
    /// The times that a credential was refused, and a fresh one used.
    pub(super) refreshes: u32,
    /// The first request that the caller worded.
    pub(super) worded: Option<WordedRequest>,
}

impl State {
    /// Records that the last request was a write and was carried out.
    pub(super) fn record_write(&mut self) {
        self.wrote.get_or_insert(self.meta.requests);
    }

    /// Checks whether a write was carried out before the last request.
    fn wrote_before(&self) -> bool {
        self.wrote.is_some_and(|number| number < self.meta.requests)
    }
}

impl Session {
    pub(super) fn new(dry_run: DryRun, refreshes: bool, sink: Option<Sink>, tether: Option<Arc<Tether>>) -> Self {
        Self {
            dry_run,
            is_estimate: false,
            began: SystemTime::now(),
            refreshes: refreshes.into(),
            tether,
            is_observed: false,
            guard: None,
            state: Mutex::new(State { sink, ..State::default() }),
        }
    }

    /// Makes an estimate of the call, if one is begun: neither a dry run nor the call itself.
    pub(super) fn with_estimate(mut self, planned: Option<Box<PlannedCall>>) -> Self {
        if planned.is_some() {
            (self.dry_run, self.is_estimate, self.refreshes) = (DryRun::No, true, false.into());
            self.lock().planned = planned;
        }
        self
    }

    /// Checks that the call itself is shown, and not made.
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run.is_asked()
    }

    /// Sets the guard of the host.
    pub(super) fn guarded_by(mut self, guard: Option<Arc<dyn SendGuard>>) -> Self {
        self.guard = guard;
        self
    }

    /// Returns how fresh definitions have to be for this call.
    ///
    /// An estimate holds for a call that is made after it, for which a list must not be too old.
    pub(super) fn freshness(&self) -> Freshness {
        if self.is_estimate && !self.refreshes.load(Ordering::Relaxed) {
            return Freshness::ReadSince(self.began - ESTIMATED_AGE);
        }
        if self.refreshes.load(Ordering::Relaxed) { Freshness::ReadSince(self.began) } else { Freshness::Kept }
    }

    /// Demands that lists which were kept before this call are read again.
    ///
    /// It returns `false` if the call used none of them.
    pub(super) fn demand_fresh_lists(&self) -> bool {
        let used_kept = self.lock().meta.lookups.iter().any(|known| known.requests == 0);
        used_kept && !self.refreshes.swap(true, Ordering::Relaxed)
    }

    /// Checks that a list was read for this call, or while it ran.
    pub(super) fn has_seen(&self, read_at: SystemTime) -> bool {
        read_at >= self.began
    }

    /// Counts the requests that were sent so far, and their tokens.
    pub(super) fn count_sent(&self) -> (u32, u32) {
        let state = self.lock();
        (state.meta.requests, state.meta.tokens)
    }

    /// Records that names were looked up, with what it cost since a count.
    pub(super) fn record_look_up(&self, of: &'static str, before: (u32, u32), age: Option<Duration>) {
        let mut state = self.lock();
        let (requests, tokens) = (state.meta.requests - before.0, state.meta.tokens - before.1);
        let age_ms = age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        match state.meta.lookups.iter_mut().find(|known| known.of == of) {
            Some(known) => {
                known.requests += requests;
                known.tokens += tokens;
                known.age_ms = age_ms;
            }
            None => state.meta.lookups.push(LookUp { of, requests, tokens, age_ms }),
        }
    }

    pub(crate) fn record_connection(&self, connection: &Connection) {
        let mut state = self.lock();
        state.meta.connection = Some(connection.name.clone());
        state.meta.sandbox = connection.sandbox;
    }

    pub(crate) fn record_view(&self, view: View) {
        self.lock().meta.view = Some(view);
    }

    /// Records the time that a request waited for limits.
    pub(super) fn record_wait(&self, waited: Duration) {
        if waited.is_zero() {
            return;
        }
        let mut state = self.lock();
        state.waited += waited;
        // A wait that was there is told, however short.
        state.meta.queued_ms = u64::try_from(state.waited.as_millis()).unwrap_or(u64::MAX).max(1);
    }

    /// Records what a response told about limits.
    pub(super) fn record_limits(&self, heard: LimitsHeard) {
        let mut state = self.lock();
        state.pause = heard.pause;
        if heard.budget.is_some() {
            state.meta.budget = heard.budget;
        }
    }

    /// Lets the host prepare for a request that is about to be sent.
    pub(super) async fn prepare_to_send(&self, writes: bool) -> Result<(), Error> {
        match self.guard.as_ref().filter(|_| writes) {
            Some(guard) => guard.prepare_write().await,
            None => Ok(()),
        }
    }

    /// Counts a request that is handed to the network now. A write whose caller has gone is not sent.
    pub(super) fn begin_to_send(&self, cost: u32, writes: bool, access: &Access) -> Result<(), Error> {
        if let Some(guard) = &self.guard {
            guard.begin_request(writes)?;
        }
        if let Some(tether) = self.tether.as_ref().filter(|_| writes) {
            tether.begin_write()?;
        }
        let mut state = self.lock();
        if !state.used.iter().any(|known| known.is_clone_of(access)) {
            state.used.push(access.clone());
        }
        state.meta.requests += 1;
        if state.meta.attempts == 0 {
            state.meta.attempts = 1;
        } else if state.repetitions > 0 {
            state.meta.attempts += 1;
            state.repetitions -= 1;
        }
        state.meta.tokens += cost;
        state.open_write = writes;
        Ok(())
    }

    /// Runs work until it ends, or the caller goes away before anything was written.
    pub(super) async fn enforce_tether<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match &self.tether {
            Some(tether) => tether.enforce(work).await,
            None => work.await,
        }
    }

    /// Checks whether anything may have been written before the request that failed, or by it where no answer came.
    pub(super) fn may_have_written_before(&self) -> bool {
        let state = self.lock();
        state.open_write || state.may_have_written || state.wrote_before()
    }

    /// Records that a request will be sent again.
    pub(super) fn record_repetition(&self, may_have_written: bool) {
        let mut state = self.lock();
        state.repetitions += 1;
        state.tally.retries += 1;
        state.may_have_written |= may_have_written;
    }

    pub(crate) fn add_warning(&self, warning: Option<String>) {
        self.lock().meta.warnings.extend(warning);
    }

    /// Ends a page of a list: its attempts stay, and a warning that the pages before gave is left out.
    pub(super) fn end_page(&self) {
        let mut state = self.lock();
        state.attempts_before += std::mem::take(&mut state.meta.attempts);
        let mut known = HashSet::new();
        state.meta.warnings.retain(|warning| known.insert(warning.clone()));
    }

    pub(super) fn tally(&self) -> Tally {
        self.lock().tally
    }

    pub(crate) fn take_meta(&self) -> Meta {
        let mut state = self.lock();
        let attempts = state.attempts_before + state.meta.attempts;
        Meta { attempts, ..std::mem::take(&mut state.meta) }
    }

    /// Removes all credentials that were sent from a result: a vendor may quote them.
    pub(crate) fn redact(&self, result: Result<Answer, Error>) -> Result<Answer, Error> {
        let mut state = self.lock();
        let State { used, meta, .. } = &mut *state;
        let redactions = || used.iter().map(Access::redaction);
        for warning in &mut meta.warnings {
            *warning = redactions().fold(std::mem::take(warning), |text, redaction| redaction.redact(&text).into_owned());
        }
        match result {
            Ok(answer) => Ok(redactions().fold(answer, Answer::redact)),
            Err(error) => Err(redactions().fold(error, Error::redact)),
        }
    }

    /// Explains a failure after which a part of the call stays done.
    pub(super) fn explain_part(&self, error: Error) -> Error {
        if error.retry() == Retry::Unsafe || !self.lock().wrote_before() {
            return error;
        }
        let hint = error.hint().map(|hint| format!(" {hint}")).unwrap_or_default();
        error.with_retry(Retry::Unsafe).with_hint(format!("A part of the call was carried out before: look before you repeat it.{hint}"))
    }

    pub(crate) fn explain_timeout(&self, limit: Duration) -> Error {
        let error = Error::new(ErrorKind::TimedOut, format!("There was no outcome within {} ms.", limit.as_millis()));
        if self.may_have_written_before() || self.lock().wrote.is_some() {
            error.with_retry(Retry::Unsafe).with_hint("The request was sent and may have been carried out: check before you repeat it.")
        } else {
            error.with_hint("Nothing was changed: try again, or raise options.timeoutMs.")
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and the counts are useful even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
