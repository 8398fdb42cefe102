//! The attempts of one request, and the waits between them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

use tokio::time::Instant;
use tracing::debug;

use crate::declare::method::Method;
use crate::exchange::request::{Request, Role};
use crate::policy::pacing::queue::Ticket;
use crate::policy::retry::{Repetition, Retries, Situation, is_limit, may_have_arrived};
use crate::runtime::session::Session;
use crate::value::error::{Error, Retry};

/// The attempts of one request so far.
pub(super) struct Attempts<'a> {
    session: &'a Session,
    retries: Retries,
    /// The deadline of the caller.
    until: Instant,
    repetition: Repetition,
    is_delete: bool,
    failed: u32,
    /// The refusals by a limit of the vendor, which do not count as failures.
    limited: u32,
    /// The place among the requests that wait for a limit, which a request keeps when it is sent again.
    pub(super) ticket: OnceLock<Ticket>,
    /// `true` if one of the failed attempts was a write that may have been carried out.
    may_have_written: bool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(session: &'a Session, retries: Retries, until: Instant, request: &Request, role: Role) -> Self {
        let (repetition, is_delete) = (Repetition::find(request, role), request.method == Method::Delete);
        Self { session, retries, until, repetition, is_delete, failed: 0, limited: 0, ticket: OnceLock::new(), may_have_written: false }
    }

    /// Counts the attempts that failed so far.
    pub(super) fn count_failed(&self) -> u32 {
        self.failed + self.limited
    }

    /// Checks whether an earlier attempt may have deleted what this one no longer finds.
    pub(super) fn may_have_deleted(&self) -> bool {
        self.is_delete && self.may_have_written
    }

    /// Waits until the request, which failed, may be sent again. If it may not, returns its error.
    pub(super) async fn wait_to_repeat(&mut self, error: Error) -> Result<(), Error> {
        if is_limit(&error) {
            self.limited += 1;
        } else {
            self.failed += 1;
        }
        let left = self.until.saturating_duration_since(Instant::now());
        let situation = Situation { repetition: self.repetition, failed: self.failed, limited: self.limited, left, random: draw_random() };
        let Some(wait) = self.retries.decide(&error, &situation) else {
            return Err(self.explain_last(error));
        };
        self.may_have_written |= self.repetition != Repetition::Read && may_have_arrived(&error);
        self.session.record_repetition(self.may_have_written);
        debug!(failed = self.failed, limited = self.limited, wait = ?wait, error = error.kind().as_str(), "waits to send again");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Explains the last failure in the light of the attempts before it.
    fn explain_last(&self, error: Error) -> Error {
        if !self.may_have_written || error.retry() != Retry::Later {
            return error;
        }
        error.with_retry(Retry::Unsafe).with_hint("An earlier attempt may have been carried out: check before you repeat it.")
    }
}

/// Draws a random number. Nothing depends on its quality, so the seed of the standard library's hasher will do.
fn draw_random() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
