//! Errors: a kind, a message, a hint, a retry and the faults.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::value::fault::{Candidate, Fault};
use crate::value::redaction::Redaction;

/// An error that an outcome carries.
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
    candidates: Vec<Candidate>,
    upstream: Option<Upstream>,
    reach: Option<Reach>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A kind of error. Its name is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The invocation is not JSON, or a member is unknown, given twice or of the wrong type.
    InvalidInvocation,
    /// No action or data source has the key.
    UnknownAction,
    /// The input does not fit.
    InvalidInput,
    /// The named connection does not exist, or none can be chosen.
    NoConnection,
    /// The vendor no longer accepts the grant.
    ReconnectRequired,
    /// The vendor refused the credential, and a fresh one too.
    Unauthorized,
    /// The grant lacks a scope.
    MissingScope,
    /// The account or its plan does not allow it.
    Forbidden,
    /// The record does not exist or is not visible.
    NotFound,
    /// The record is gone for good.
    Gone,
    /// The record has another state than expected.
    Conflict,
    /// The idempotency key was used with another input.
    IdempotencyMismatch,
    /// An earlier call under the same idempotency key may have been carried out, and its outcome is lost.
    OutcomeUnknown,
    /// The vendor removed the API.
    RemovedUpstream,
    /// The vendor refused the request.
    UpstreamRejected,
    /// Too many requests in a short time.
    RateLimited,
    /// The daily budget is spent.
    BudgetExhausted,
    /// The vendor failed.
    UpstreamError,
    /// The response is unreadable.
    BadAnswer,
    /// The host was not reached, or the connection broke.
    Unreachable,
    /// No outcome came in time.
    TimedOut,
    /// The host stopped the work.
    Cancelled,
    /// The runtime has a defect.
    Bug,
}

/// The effect of a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The same call fails the same way.
    Never,
    /// A later call may succeed, and does nothing twice.
    Later,
    /// The call may have been carried out: check before you repeat it.
    Unsafe,
}

/// The point at which a request failed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// There was no connection to send it over.
    Unsent,
    /// It was sent, whole or in part, and no answer came.
    Sent,
    /// The answer broke off.
    Answering,
    /// The answer is a refusal.
    Refused,
}

/// The vendor's words, without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Upstream {
    /// The status of the response.
    pub status: u16,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Further information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// The vendor's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Upstream {
    /// Builds the words of a vendor that said nothing but a status.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Sets the error message.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<Option<String>>) -> Self {
        self.error = error.into();
        self
    }

    /// Sets further information.
    #[must_use]
    pub fn with_info(mut self, info: impl Into<Option<String>>) -> Self {
        self.info = info.into();
        self
    }

    /// Sets the vendor's error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Option<String>>) -> Self {
        self.code = code.into();
        self
    }
}

impl ErrorKind {
    /// Lists all kinds, for schemas and tests.
    pub const ALL: &'static [Self] = &[
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
        Self::OutcomeUnknown,
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

    /// Returns the name and the default retry of a kind. No other place maps them.
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
            Self::OutcomeUnknown => ("outcome_unknown", Retry::Unsafe),
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

    /// Returns the name in the contract.
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
    /// Builds an error with a sentence for the person who built the workflow.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            kind,
            message: message.into(),
            hint: None,
            retry: None,
            retry_after_ms: None,
            faults: Vec::new(),
            candidates: Vec::new(),
            upstream: None,
            reach: None,
            source: None,
        }))
    }

    /// Builds the error of an input with faults, which give the hint.
    pub fn invalid_input(action: &str, faults: Vec<Fault>) -> Self {
        let hint = match faults.as_slice() {
            [only] => only.hint(),
            all => format!("Correct the {} faults listed.", all.len()),
        };
        Error::new(ErrorKind::InvalidInput, format!("The input does not fit {action}.")).with_hint(hint).with_faults(faults)
    }

    /// Sets the hint, which says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets the retry, if it differs from the default of the kind.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = Some(retry);
        self
    }

    /// Sets the time after which a retry can help.
    #[must_use]
    pub fn with_retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.0.retry_after_ms = Some(milliseconds);
        self
    }

    /// Sets the faults of the input.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// Sets the records that could be meant.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<Candidate>) -> Self {
        self.0.candidates = candidates;
        self
    }

    /// Sets the vendor's words.
    #[must_use]
    pub fn with_upstream(mut self, upstream: Upstream) -> Self {
        self.0.upstream = Some(upstream);
        self
    }

    /// Sets the cause, which goes into logs and is never shown to a caller.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Sets the point at which the request failed on its way.
    #[must_use]
    pub(crate) fn with_reach(mut self, reach: Reach) -> Self {
        self.0.reach = Some(reach);
        self
    }

    /// Returns the point at which the request failed on its way, if it did.
    pub(crate) fn reach(&self) -> Option<Reach> {
        self.0.reach
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the hint, which says what to do.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Returns after how many milliseconds a retry can help, if it is known.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// Returns the vendor's words.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.0.upstream.as_ref()
    }

    /// Returns the retry.
    pub fn retry(&self) -> Retry {
        self.0.retry.unwrap_or(self.0.kind.facts().1)
    }

    /// Returns the faults of the input.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// Returns the records that could be meant, where there are several.
    pub fn candidates(&self) -> &[Candidate] {
        &self.0.candidates
    }

    /// Removes secrets from every text of the error: a vendor may quote them.
    #[must_use]
    pub fn redact(mut self, redaction: &Redaction) -> Self {
        let clean = |text: &mut String| {
            if let Cow::Owned(cleaned) = redaction.redact(text) {
                *text = cleaned;
            }
        };
        clean(&mut self.0.message);
        self.0.hint.iter_mut().for_each(clean);
        self.0.faults = std::mem::take(&mut self.0.faults).into_iter().map(|fault| fault.redact(redaction)).collect();
        self.0.candidates.iter_mut().for_each(|candidate| clean(&mut candidate.label));
        // The text of a cause cannot be changed, so a cause with a secret is dropped.
        self.0.source = self.0.source.take().filter(|source| {
            let mut causes = std::iter::successors(Some(&**source as &dyn std::error::Error), |cause| cause.source());
            causes.all(|cause| redaction.is_clean(&cause.to_string()) && redaction.is_clean(&format!("{cause:?}")))
        });
        if let Some(upstream) = &mut self.0.upstream {
            [&mut upstream.error, &mut upstream.info, &mut upstream.code].into_iter().flatten().for_each(clean);
        }
        self
    }

    /// Returns the `error` member of an outcome.
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
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            candidates: &'a [Candidate],
            upstream: Option<&'a Upstream>,
        }
        Rendered {
            kind: self.0.kind.as_str(),
            message: &self.0.message,
            hint: self.0.hint.as_deref(),
            retry: self.retry(),
            retry_after_ms: self.0.retry_after_ms,
            faults: &self.0.faults,
            candidates: &self.0.candidates,
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
