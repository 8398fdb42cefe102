//! What went wrong: a kind, whether a retry can help, a hint, and the faults, each made where the fact is known.

use std::fmt;

use serde::Serialize;

use crate::value::fault::Fault;

/// A failure that an outcome carries.
#[derive(Debug)]
pub struct Error(Box<ErrorParts>);

#[derive(Debug)]
struct ErrorParts {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    retry: Option<Retry>,
    retry_after_ms: Option<u64>,
    faults: Vec<Fault>,
    upstream: Option<Upstream>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure; its name is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not JSON, an unknown or doubled member, a wrong type.
    InvalidInvocation,
    /// No such key.
    UnknownAction,
    /// The input does not fit.
    InvalidInput,
    /// The named connection does not exist, or none can be chosen.
    NoConnection,
    /// The grant is gone.
    ReconnectRequired,
    /// A 401 that a fresh credential did not mend.
    Unauthorized,
    /// The grant lacks a scope.
    MissingScope,
    /// The account or its plan does not allow it.
    Forbidden,
    /// No such record, or not visible.
    NotFound,
    /// The record is gone for good.
    Gone,
    /// The record is not as expected.
    Conflict,
    /// The idempotency key was used with another input.
    IdempotencyMismatch,
    /// The vendor took the API away.
    RemovedUpstream,
    /// The vendor refused the request.
    UpstreamRejected,
    /// Too many requests in a short time.
    RateLimited,
    /// The daily budget is spent.
    BudgetExhausted,
    /// The vendor failed.
    UpstreamError,
    /// The answer cannot be read.
    BadAnswer,
    /// No answer: the host was not reached, or the connection broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The host stopped the work.
    Cancelled,
    /// A defect of ours.
    Bug,
}

/// Whether it can help to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// It cannot: the same call fails the same way.
    Never,
    /// It can, later, and nothing is done twice.
    Later,
    /// It may have been carried out: look before repeating.
    Unsafe,
}

/// What the vendor said, cleaned of secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// The status of its answer.
    pub status: u16,
    /// Its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its further words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// Its own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl ErrorKind {
    /// All kinds, for schemas and tests.
    pub const ALL: [Self; 22] = [
        Self::InvalidInvocation,
        Self::UnknownAction,
        Self::InvalidInput,
        Self::NoConnection,
        Self::ReconnectRequired,
        Self::Unauthorized,
        Self::MissingScope,
        Self::Forbidden,
        Self::NotFound,
        Self::Gone,
        Self::Conflict,
        Self::IdempotencyMismatch,
        Self::RemovedUpstream,
        Self::UpstreamRejected,
        Self::RateLimited,
        Self::BudgetExhausted,
        Self::UpstreamError,
        Self::BadAnswer,
        Self::Unreachable,
        Self::TimedOut,
        Self::Cancelled,
        Self::Bug,
    ];

    /// The one place that maps a kind to its name and to the retry that it means where nothing else is known.
    const fn facts(self) -> (&'static str, Retry) {
        match self {
            Self::InvalidInvocation => ("invalid_invocation", Retry::Never),
            Self::UnknownAction => ("unknown_action", Retry::Never),
            Self::InvalidInput => ("invalid_input", Retry::Never),
            Self::NoConnection => ("no_connection", Retry::Never),
            Self::ReconnectRequired => ("reconnect_required", Retry::Never),
            Self::Unauthorized => ("unauthorized", Retry::Never),
            Self::MissingScope => ("missing_scope", Retry::Never),
            Self::Forbidden => ("forbidden", Retry::Never),
            Self::NotFound => ("not_found", Retry::Never),
            Self::Gone => ("gone", Retry::Never),
            Self::Conflict => ("conflict", Retry::Never),
            Self::IdempotencyMismatch => ("idempotency_mismatch", Retry::Never),
            Self::RemovedUpstream => ("removed_upstream", Retry::Never),
            Self::UpstreamRejected => ("upstream_rejected", Retry::Never),
            Self::RateLimited => ("rate_limited", Retry::Later),
            Self::BudgetExhausted => ("budget_exhausted", Retry::Later),
            Self::UpstreamError => ("upstream_error", Retry::Later),
            Self::BadAnswer => ("bad_answer", Retry::Later),
            Self::Unreachable => ("unreachable", Retry::Later),
            Self::TimedOut => ("timed_out", Retry::Later),
            Self::Cancelled => ("cancelled", Retry::Later),
            Self::Bug => ("bug", Retry::Never),
        }
    }

    /// Its name in the contract.
    pub const fn as_str(self) -> &'static str {
        self.facts().0
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// A failure of a kind, in a sentence for the person who built the workflow.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            kind,
            message: message.into(),
            hint: None,
            retry: None,
            retry_after_ms: None,
            faults: Vec::new(),
            upstream: None,
            source: None,
        }))
    }

    /// The failure of an action whose input does not fit, its hint made from the faults.
    pub fn invalid_input(action: &str, faults: Vec<Fault>) -> Self {
        let hint = match faults.as_slice() {
            [only] => only.hint(),
            all => format!("Correct the {} faults listed.", all.len()),
        };
        Error::new(ErrorKind::InvalidInput, format!("The input does not fit {action}.")).with_hint(hint).with_faults(faults)
    }

    /// What to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Whether a retry helps, where that differs from what the kind says.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = Some(retry);
        self
    }

    /// When a retry can help.
    #[must_use]
    pub fn with_retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.0.retry_after_ms = Some(milliseconds);
        self
    }

    /// What is wrong with the input.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// What the vendor said.
    #[must_use]
    pub fn with_upstream(mut self, upstream: Upstream) -> Self {
        self.0.upstream = Some(upstream);
        self
    }

    /// The cause, for a log; it is never shown to a caller.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Its sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// When a retry can help, in milliseconds, where it is known.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// What the vendor said.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.0.upstream.as_ref()
    }

    /// Whether a retry helps.
    pub fn retry(&self) -> Retry {
        self.0.retry.unwrap_or(self.0.kind.facts().1)
    }

    /// What is wrong with the input.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// The same failure, a secret taken out of every word: a vendor may quote what it was sent.
    #[must_use]
    pub(crate) fn without(mut self, secret: &str) -> Self {
        let clean = |text: &mut String| {
            if !secret.is_empty() && text.contains(secret) {
                *text = text.replace(secret, "[redacted]");
            }
        };
        clean(&mut self.0.message);
        self.0.hint.iter_mut().for_each(clean);
        if !secret.is_empty() {
            self.0.faults = std::mem::take(&mut self.0.faults).into_iter().map(|fault| fault.without(secret)).collect();
        }
        // A cause is for a log, and cannot be cleaned.
        self.0.source = self.0.source.take().filter(|source| secret.is_empty() || !source.to_string().contains(secret));
        if let Some(upstream) = &mut self.0.upstream {
            [&mut upstream.error, &mut upstream.info, &mut upstream.code].into_iter().flatten().for_each(clean);
        }
        self
    }

    /// The error member of an outcome, as JSON.
    pub fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Rendered<'a> {
            kind: &'static str,
            message: &'a str,
            hint: Option<&'a str>,
            retry: Retry,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u64>,
            faults: &'a [Fault],
            upstream: Option<&'a Upstream>,
        }
        Rendered {
            kind: self.0.kind.as_str(),
            message: &self.0.message,
            hint: self.0.hint.as_deref(),
            retry: self.retry(),
            retry_after_ms: self.0.retry_after_ms,
            faults: &self.0.faults,
            upstream: self.0.upstream.as_ref(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind, self.0.message)?;
        for fault in &self.0.faults {
            write!(f, " [{}: {}]", fault.path(), fault.code())?;
        }
        match &self.0.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
