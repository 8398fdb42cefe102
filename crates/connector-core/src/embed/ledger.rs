//! Outcomes by idempotency key, so that no write is carried out twice.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::value::error::Error;

/// The time for which a claimed key counts as in flight. A call that runs longer extends it.
pub const LEASE: Duration = Duration::from_secs(10);

/// A store of outcomes by idempotency key.
///
/// A key is claimed before anything is sent, and finished after success. It is released if certainly nothing was
/// changed. If a request may have been carried out, the key is abandoned: no later call repeats it unseen.
/// A claim must be durable when [`claim`](Self::claim) returns, and at most one of several callers may get [`Claim::Fresh`].
///
/// A claim counts as in flight for [`LEASE`], unless it is extended. After that its process is taken for dead, and the outcome is unknown.
/// All but `claim` act on the key only while its claim is that of the same [`holder`](KeyedCall::holder).
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Mutex, PoisonError};
///
/// use async_trait::async_trait;
/// use connector_core::Error;
/// use connector_core::embed::{Claim, Kept, KeyedCall, Ledger};
///
/// /// The ledger of a single process: the call, and its answer once it has one.
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, (KeyedCall, State)>>);
///
/// enum State {
///     Running,
///     Abandoned,
///     Finished(Vec<u8>),
/// }
///
/// impl InMemory {
///     fn edit<T>(&self, edit: impl FnOnce(&mut HashMap<String, (KeyedCall, State)>) -> T) -> T {
///         edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
///     }
///
///     fn end(&self, call: &KeyedCall, state: State) {
///         self.edit(|keys| {
///             if let Some((claimed, kept)) = keys.get_mut(&call.key).filter(|(claimed, _)| claimed.holder == call.holder) {
///                 (*claimed, *kept) = (call.clone(), state);
///             }
///         });
///     }
/// }
///
/// #[async_trait]
/// impl Ledger for InMemory {
///     async fn claim(&self, call: &KeyedCall) -> Result<Claim, Error> {
///         Ok(self.edit(|keys| match keys.get(&call.key) {
///             None => {
///                 keys.insert(call.key.clone(), (call.clone(), State::Running));
///                 Claim::Fresh
///             }
///             Some((claimed, _)) if claimed.fingerprint != call.fingerprint => Claim::OtherCall,
///             Some((_, State::Finished(answer))) => Claim::Finished(answer.clone()),
///             Some((_, State::Running)) => Claim::Running,
///             Some((_, State::Abandoned)) => Claim::unknown(),
///         }))
///     }
///
///     async fn finish(&self, call: &KeyedCall, kept: Kept) -> Result<(), Error> {
///         Ok(self.end(call, State::Finished(kept.answer)))
///     }
///
///     async fn release(&self, call: &KeyedCall) -> Result<(), Error> {
///         self.edit(|keys| keys.retain(|_, (claimed, _)| claimed.holder != call.holder));
///         Ok(())
///     }
///
///     async fn abandon(&self, call: &KeyedCall) -> Result<(), Error> {
///         Ok(self.end(call, State::Abandoned))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let ledger = InMemory::default();
/// let call = KeyedCall::new("order-7", "create it");
/// assert_eq!(ledger.claim(&call).await?, Claim::Fresh);
/// ledger.finish(&call, Kept::new(*b"{}")).await?;
/// assert_eq!(ledger.claim(&KeyedCall::new("order-7", "create it")).await?, Claim::Finished(b"{}".to_vec()));
///
/// // A runtime takes it beside the connections: Runtime::builder().ledger(ledger).
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Claims a key for a call, or says what is known of the key.
    async fn claim(&self, call: &KeyedCall) -> Result<Claim, Error>;
    /// Says what is known of a key, which is not claimed: [`Claim::Fresh`] if it is free.
    ///
    /// A ledger that cannot tell says nothing, and the estimate of a call under the key is not certain.
    async fn peek(&self, _call: &KeyedCall) -> Result<Option<Claim>, Error> {
        Ok(None)
    }
    /// Stores the answer of the call that claimed a key. The key is kept for seven days from its claim.
    async fn finish(&self, call: &KeyedCall, kept: Kept) -> Result<(), Error>;
    /// Releases a claimed key: the call certainly changed nothing.
    async fn release(&self, call: &KeyedCall) -> Result<(), Error>;
    /// Gives a claimed key up: the call may have been carried out, and its outcome is lost.
    async fn abandon(&self, call: &KeyedCall) -> Result<(), Error>;
    /// Counts the claim as in flight for another [`LEASE`]. A ledger within the process needs no lease.
    async fn extend(&self, _call: &KeyedCall) -> Result<(), Error> {
        Ok(())
    }
    /// Checks whether another key has the same call and no outcome.
    ///
    /// A ledger that cannot tell says yes, and nothing is looked up.
    async fn has_twin(&self, _call: &KeyedCall) -> Result<bool, Error> {
        Ok(true)
    }
    /// Checks whether a key has made this record. A ledger that cannot tell says yes.
    async fn has_made(&self, _record: &str) -> Result<bool, Error> {
        Ok(true)
    }
    /// Stores the outcome of a call, after it was lost and found.
    ///
    /// It returns `false` if the key has an outcome now, its call runs, or another key has made the record.
    async fn settle(&self, _call: &KeyedCall, _kept: Kept) -> Result<bool, Error> {
        Ok(false)
    }
}

/// The outcome of a call, as a ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The answer.
    pub answer: Vec<u8>,
    /// A text that is the same for the same record, if the call made one. No two keys made one record.
    pub record: Option<String>,
}

impl Kept {
    /// Builds the outcome of a call that made no record.
    pub fn new(answer: impl Into<Vec<u8>>) -> Self {
        Self { answer: answer.into(), record: None }
    }

    /// Sets the record that the call made.
    #[must_use]
    pub fn with_record(mut self, record: impl Into<Option<String>>) -> Self {
        self.record = record.into();
        self
    }
}

/// A call under an idempotency key, as a ledger sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedCall {
    /// The key.
    pub key: String,
    /// A digest that is the same for the same connection, action, input and files.
    pub fingerprint: String,
    /// A text that tells this claim from all others.
    pub holder: String,
    /// The key of the connector.
    pub connector: String,
    /// The key of the action.
    pub action: String,
    /// The name of the connection.
    pub connection: String,
}

impl KeyedCall {
    /// Builds a call with a new holder.
    pub fn new(key: impl Into<String>, fingerprint: impl Into<String>) -> Self {
        // A holder has to differ from others, not to be secret: the seeds of the standard library's hasher will do.
        let draw = || RandomState::new().build_hasher().finish();
        let holder = format!("{:016x}{:016x}", draw(), draw());
        let (connector, action, connection) = Default::default();
        Self { key: key.into(), fingerprint: fingerprint.into(), holder, connector, action, connection }
    }
}

/// The state of a key in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The key is new, and is now claimed for this call.
    Fresh,
    /// The same call was finished with this answer.
    Finished(Vec<u8>),
    /// The same call claimed the key and is still running.
    Running,
    /// The same call claimed the key and may have been carried out. Its outcome is lost.
    #[non_exhaustive]
    Unknown {
        /// The time at which it began, if it is known.
        since: Option<SystemTime>,
    },
    /// The key belongs to another call.
    OtherCall,
}

impl Claim {
    /// Builds the state of a key whose outcome is lost.
    pub const fn unknown() -> Self {
        Self::Unknown { since: None }
    }

    /// Sets the time at which the call began whose outcome is lost.
    #[must_use]
    pub fn since(self, time: SystemTime) -> Self {
        match self {
            Self::Unknown { .. } => Self::Unknown { since: Some(time) },
            other => other,
        }
    }
}
