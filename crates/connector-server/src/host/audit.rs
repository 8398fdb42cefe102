//! The audit that a program keeps of the calls of its host.

use connector_core::Error;
use connector_core::embed::EndedCall;

/// An audit of the calls of a host, which a program writes wherever it likes.
pub trait Audit: Send + Sync {
    /// Refuses a call before it begins, if it could not be audited. It must not block.
    fn admit(&self) -> Result<(), Error>;

    /// Notes a call that ended. It must not block, and loses nothing.
    fn record(&self, caller: &AuditedCaller<'_>, call: &EndedCall<'_>);

    /// Counts what was written so far.
    fn count(&self) -> AuditCounts;
}

/// The caller of a call that is audited.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AuditedCaller<'a> {
    /// The owner for whom the call was made.
    pub owner: Option<&'a str>,
    /// The id of the API key.
    pub key: Option<&'a str>,
}

/// The state of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditCounts {
    /// The lines that were written.
    pub written: u64,
    /// The lines that wait to be written.
    pub waiting: u64,
    /// The attempts to write that failed.
    pub failed: u64,
}

impl<'a> AuditedCaller<'a> {
    /// Builds a caller from an owner and the id of an API key.
    pub fn new(owner: Option<&'a str>, key: Option<&'a str>) -> Self {
        Self { owner, key }
    }
}

impl AuditCounts {
    /// Builds the counts of lines that were written, of those that wait, and of attempts that failed.
    pub fn new(written: u64, waiting: u64, failed: u64) -> Self {
        Self { written, waiting, failed }
    }
}
