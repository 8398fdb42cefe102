//! Values by which upserts find records: which one works on a value now, and which records were added lately.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use async_trait::async_trait;

use crate::value::error::Error;

/// The time for which a lease holds. After that its holder is taken for dead. A call that runs longer extends it.
pub const MATCH_LEASE: Duration = Duration::from_secs(10);

/// The time for which a record that was added is remembered: a vendor's search finds it by then.
pub const MATCH_MEMORY: Duration = Duration::from_mins(10);

/// The most records that are remembered of one value. An upsert by a value that more have is a conflict anyway.
pub const MOST_MATCHES: usize = 20;

/// A store of the values by which upserts find records.
///
/// An upsert leases its values before it searches, so that two at once never add two records. A search finds a record some time after
/// it was added: so the record is remembered for [`MATCH_MEMORY`], and the next upsert reads it. If a record may have been added and
/// nobody knows which, that is remembered too, and the next upsert that finds nothing adds none.
///
/// The values are digests: what an upsert was given is not in them. What is stored is durable when a function returns.
#[async_trait]
pub trait MatchRegister: Send + Sync {
    /// Leases all values of a claim for [`MATCH_LEASE`], or none if another one has one.
    ///
    /// It returns what is remembered of the values, or none if they are not leased.
    async fn lease(&self, claim: &MatchClaim) -> Result<Option<MatchMemory>, Error>;
    /// Returns what is remembered of values, which are not leased.
    async fn peek(&self, values: &[String]) -> Result<MatchMemory, Error>;
    /// Lets a lease hold for another [`MATCH_LEASE`]. One that is over stays so.
    async fn extend(&self, claim: &MatchClaim) -> Result<(), Error>;
    /// Remembers that a record is about to be added.
    ///
    /// It returns `false` if the lease is over, and then none may be added.
    async fn begin_add(&self, claim: &MatchClaim) -> Result<bool, Error>;
    /// Ends a lease, with what became of it. The lease of another holder stays.
    async fn end(&self, claim: &MatchClaim, ending: &MatchEnding) -> Result<(), Error>;
}

/// A claim of an upsert to some values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchClaim {
    /// The values by which the upsert looks for a record: digests, sorted. They are leased.
    pub values: Vec<String>,
    /// The other values by which the record could be looked for.
    ///
    /// They are not leased, and what is added is remembered under them too.
    pub beside: Vec<String>,
    /// A text that tells this claim from all others.
    pub holder: String,
}

/// Facts that are remembered of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchMemory {
    /// The IDs of records that had one of the values when they were added or changed.
    pub records: Vec<String>,
    /// The time for which it is not known whether a record with one of the values was added.
    pub unsure_for: Option<Duration>,
}

/// An ending of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchEnding {
    /// Nothing was added, or it is not known: the memory stays as it was.
    AsBefore,
    /// A record was about to be added, and certainly was not.
    NotAdded,
    /// A record has the values.
    Record(String),
}

impl MatchClaim {
    /// Builds a claim with a new holder.
    pub fn new(values: Vec<String>, beside: Vec<String>) -> Self {
        // A holder has to differ from others, not to be secret: the seeds of the standard library's hasher will do.
        let draw = || RandomState::new().build_hasher().finish();
        let sorted = |mut values: Vec<String>| {
            // Two claims that take values in one order never wait for each other.
            values.sort_unstable();
            values.dedup();
            values
        };
        let values = sorted(values);
        let beside = sorted(beside).into_iter().filter(|value| !values.contains(value)).collect();
        Self { values, beside, holder: format!("{:016x}{:016x}", draw(), draw()) }
    }

    /// Lists all values, those that are leased first.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.values.iter().chain(&self.beside)
    }
}

impl MatchMemory {
    /// Builds what is remembered from the records, and the time for which another one may be there.
    pub fn new(records: Vec<String>, unsure_for: Option<Duration>) -> Self {
        Self { records, unsure_for }
    }
}
