//! The lease of the values by which an upsert looks for a record.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use crate::embed::register::{MATCH_LEASE, MatchClaim, MatchEnding, MatchMemory, MatchRegister};
use crate::runtime::session::Session;
use crate::value::error::{Error, ErrorKind};

/// The first and the longest wait between two looks at values that another upsert holds.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// A lease that ends with the upsert, however that ends.
pub(super) struct Holding<'a> {
    register: &'a Arc<dyn MatchRegister>,
    claim: Arc<MatchClaim>,
    session: &'a Session,
    /// `true` once a record was about to be added.
    is_adding: bool,
    /// The ending, once it is known.
    ending: Option<MatchEnding>,
    /// `true` once the register was told.
    is_ended: bool,
}

impl<'a> Holding<'a> {
    /// Leases the values of a claim, and returns what is remembered of them. It waits while another upsert holds one.
    pub(super) async fn take(
        register: &'a Arc<dyn MatchRegister>,
        claim: MatchClaim,
        session: &'a Session,
        until: Instant,
    ) -> Result<(Self, MatchMemory), Error> {
        // A caller that leaves while the register is asked may have got the lease.
        let holding = Self { register, claim: Arc::new(claim), session, is_adding: false, ending: None, is_ended: false };
        let mut wait = LOOKS.0;
        loop {
            if let Some(memory) = register.lease(&holding.claim).await? {
                return Ok((holding, memory));
            }
            if Instant::now() + wait >= until {
                return Err(Error::new(ErrorKind::TimedOut, "Another upsert of the same value is still running.")
                    .with_hint("Nothing was changed: try again, or raise options.timeoutMs."));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LOOKS.1);
        }
    }

    /// Extends the lease while the upsert runs.
    pub(super) fn extend_for_ever(&self) -> impl Future<Output = Infallible> + Send + use<> {
        let (register, claim) = (Arc::clone(self.register), Arc::clone(&self.claim));
        async move {
            loop {
                tokio::time::sleep(MATCH_LEASE / 3).await;
                log_failure(register.extend(&claim).await);
            }
        }
    }

    /// Remembers that a record is about to be added. It fails where the lease is over.
    pub(super) async fn begin_add(&mut self) -> Result<(), Error> {
        self.is_adding = true;
        if self.register.begin_add(&self.claim).await? {
            return Ok(());
        }
        // Another upsert may hold the values, and what it remembers is its own.
        self.is_adding = false;
        Err(Error::new(ErrorKind::TimedOut, "The upsert took too long, and another one of the same value has begun.")
            .with_hint("Nothing was changed: try again."))
    }

    /// Ends the lease with the record that has the values, if there is one, or with the news that a request was lost.
    pub(super) async fn end(mut self, record: Option<String>, is_lost: bool) -> Result<(), Error> {
        let ending = match record {
            Some(record) => MatchEnding::Record(record),
            None if is_lost => MatchEnding::AsBefore,
            None => self.find_ending(),
        };
        self.ending = Some(ending.clone());
        self.register.end(&self.claim, &ending).await?;
        self.is_ended = true;
        Ok(())
    }

    /// Finds what is known without a record: if a request may have been carried out, it stays unknown.
    fn find_ending(&self) -> MatchEnding {
        if self.is_adding && !self.session.may_have_written_before() { MatchEnding::NotAdded } else { MatchEnding::AsBefore }
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let Some(runtime) = tokio::runtime::Handle::try_current().ok().filter(|_| !self.is_ended) else { return };
        let ending = self.ending.take().unwrap_or_else(|| self.find_ending());
        let (register, claim) = (Arc::clone(self.register), Arc::clone(&self.claim));
        runtime.spawn(async move { log_failure(register.end(&claim, &ending).await) });
    }
}

fn log_failure(result: Result<(), Error>) {
    if let Err(error) = result {
        debug!(%error, "the register of upserts failed beside a call");
    }
}
