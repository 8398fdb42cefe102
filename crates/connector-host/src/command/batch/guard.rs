//! The guard before the requests of a line: it journals a write before it is sent, and ends what waits at a stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use connector_core::embed::SendGuard;
use connector_core::{Error, ErrorKind};
use tokio::sync::{Notify, OnceCell};

use crate::command::batch::chain::Chain;
use crate::command::batch::history::{write_begun, write_unsent};
use crate::command::batch::journal::Journal;

/// The guard before the requests of a line.
#[derive(Debug)]
pub(super) struct LineGuard {
    state: Mutex<SendState>,
    cut: Notify,
    /// `true` if what it reads before its first write does not count as sent.
    writes: bool,
    entry: Option<Entry>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SendState {
    /// Nothing was sent.
    #[default]
    Waiting,
    /// It was sent, and has an outcome.
    Sent,
    /// The batch stops. Nothing is sent any more.
    Cut,
}

/// The entry that an unkeyed write has in the journal before it is sent.
#[derive(Debug)]
struct Entry {
    journal: Arc<Journal>,
    number: u64,
    chain: Chain,
    is_appended: AtomicBool,
    is_durable: OnceCell<()>,
}

impl LineGuard {
    /// Builds the guard of a call. One that writes does not count as sent while it only looks up what it needs.
    pub(super) fn new(writes: bool) -> Self {
        Self { state: Mutex::default(), cut: Notify::new(), writes, entry: None }
    }

    /// Has its writes journaled before they are sent.
    pub(super) fn with_entry(mut self, journal: Arc<Journal>, number: u64, chain: Chain) -> Self {
        self.entry = Some(Entry { journal, number, chain, is_appended: AtomicBool::new(false), is_durable: OnceCell::new() });
        self
    }

    /// Ends the call, unless it was sent.
    pub(super) fn cut(&self) {
        if self.change(SendState::Cut) == SendState::Cut {
            self.cut.notify_one();
        }
    }

    /// Waits until the call is cut.
    pub(super) async fn wait_for_cut(&self) {
        while !self.is_cut() {
            self.cut.notified().await;
        }
    }

    /// Checks that nothing was sent, and that it may be yet.
    pub(super) fn is_waiting(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == SendState::Waiting
    }

    pub(super) fn is_cut(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == SendState::Cut
    }

    /// Takes back that the line was begun, if it was: it was not sent.
    pub(super) fn take_back(&self) {
        if let Some(entry) = self.entry.as_ref().filter(|entry| entry.is_appended.load(Ordering::Relaxed)) {
            // A journal that failed ends the batch, and says so.
            let _ = entry.journal.append(&write_unsent(entry.number));
        }
    }

    /// Changes the state, unless it was changed before. It returns the state that holds.
    fn change(&self, to: SendState) -> SendState {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == SendState::Waiting {
            *state = to;
        }
        *state
    }
}

#[async_trait]
impl SendGuard for LineGuard {
    async fn prepare_write(&self) -> Result<(), Error> {
        if self.is_cut() {
            return Err(explain_stop());
        }
        let Some(entry) = &self.entry else { return Ok(()) };
        let journal = async || {
            entry.is_appended.store(true, Ordering::Relaxed);
            entry.journal.append_durably(&write_begun(entry.number, entry.chain)).await
        };
        match entry.is_durable.get_or_try_init(journal).await {
            Ok(()) => Ok(()),
            Err(_) => {
                self.cut();
                Err(explain_stop())
            }
        }
    }

    fn begin_request(&self, writes: bool) -> Result<(), Error> {
        let counts = writes || !self.writes;
        match self.change(if counts { SendState::Sent } else { SendState::Waiting }) {
            SendState::Cut => Err(explain_stop()),
            SendState::Waiting | SendState::Sent => Ok(()),
        }
    }
}

/// Explains why a line was not sent.
pub(super) fn explain_stop() -> Error {
    Error::new(ErrorKind::Cancelled, "The batch was stopped before this line was sent.").with_hint("Send it again: nothing was changed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn call_that_was_sent_is_not_cut_and_a_cut_call_sends_nothing() {
        let sent = LineGuard::new(true);
        sent.begin_request(false).expect("it looks up a name");
        sent.prepare_write().await.expect("it may write");
        sent.begin_request(true).expect("it writes");
        sent.cut();
        assert!(!sent.is_cut());
        sent.begin_request(true).expect("it goes on");

        let looks_up = LineGuard::new(true);
        looks_up.begin_request(false).expect("it looks up a name");
        looks_up.cut();
        looks_up.wait_for_cut().await;
        assert_eq!(looks_up.prepare_write().await.expect_err("it was cut").kind(), ErrorKind::Cancelled);
        assert_eq!(looks_up.begin_request(true).expect_err("it was cut").kind(), ErrorKind::Cancelled);

        let reads = LineGuard::new(false);
        reads.begin_request(false).expect("it reads");
        reads.cut();
        assert!(!reads.is_cut());
    }
}
