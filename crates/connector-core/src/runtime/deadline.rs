//! The time that a call may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::runtime::session::Session;
use crate::value::error::Error;

/// The deadline of a call. It limits waiting for others: a result that is there is kept after it.
pub(super) struct Deadline<'a> {
    pub(super) until: Instant,
    pub(super) allowed: Duration,
    pub(super) session: &'a Session,
}

impl Deadline<'_> {
    pub(super) async fn enforce<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout_at(self.until, work).await {
            Ok(result) => result,
            Err(_) => Err(self.session.explain_timeout(self.allowed)),
        }
    }
}
