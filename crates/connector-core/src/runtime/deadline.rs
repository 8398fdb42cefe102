//! The time that a call may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::runtime::session::Session;
use crate::value::error::Error;

/// Until when a call may take. What is known by then is kept after it: only what waits for others is held to it.
pub(super) struct Limit<'a> {
    pub(super) until: Instant,
    pub(super) allowed: Duration,
    pub(super) session: &'a Session,
}

impl Limit<'_> {
    pub(super) async fn hold<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout_at(self.until, work).await {
            Ok(result) => result,
            Err(_) => Err(self.session.timed_out(self.allowed)),
        }
    }
}
