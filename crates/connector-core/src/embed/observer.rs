//! Observers of calls: metrics and an audit are built on one.

use std::time::{Duration, SystemTime};

use crate::declare::method::{Effect, Method};
use crate::embed::connections::Connection;
use crate::value::error::{Error, ErrorKind};
use crate::value::outcome::Meta;
use crate::value::utc::write_utc;

/// An observer of calls: it is told of each invocation and each forwarded request once it ended.
///
/// It is told of calls whose caller went away too, and never of what was given or answered.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use connector_core::embed::{EndedCall, Observer};
///
/// #[derive(Default)]
/// struct Tokens(AtomicU64);
///
/// impl Observer for Tokens {
///     fn observe(&self, call: &EndedCall<'_>) {
///         self.0.fetch_add(call.meta.tokens.into(), Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Admits a call, or refuses it before anything is sent. It must not block.
    fn admit(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Takes note of a call that ended. It must not block.
    fn observe(&self, call: &EndedCall<'_>);
}

/// A call that ended, without its input and its data.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndedCall<'a> {
    /// The key of the connector, if it is known.
    pub connector: Option<&'static str>,
    /// The key of the action or data source. A forwarded request and an unknown action have none.
    pub action: Option<&'static str>,
    /// The request that the caller worded, if it did.
    pub request: Option<WordedRequest>,
    /// The effect on the vendor's data: that of the action, or that of the request that the caller worded.
    pub effect: Option<Effect>,
    /// The connection, if one was chosen.
    pub connection: Option<&'a Connection>,
    /// The idempotency key, which is the caller's own word.
    pub idempotency_key: Option<&'a str>,
    /// The kind of the error; none if the call succeeded.
    ///
    /// A forwarded request whose response is a refusal has none: `meta.status` tells it.
    pub kind: Option<ErrorKind>,
    /// `true` if the call itself was not made: a dry run, or an estimate.
    pub is_planned: bool,
    /// The facts about the call.
    pub meta: &'a Meta,
    /// The number of requests that were sent again after a failure.
    pub retries: u32,
    /// The number of times that a credential was refused, and a fresh one used.
    pub refreshes: u32,
    /// The time at which the call began.
    pub began: SystemTime,
    /// The time that the call took.
    pub took: Duration,
}

/// A request that the caller worded, without its path and its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WordedRequest {
    /// The method.
    pub method: Method,
    /// The template of the path, if the vendor documents one.
    pub template: Option<&'static str>,
}

impl<'a> EndedCall<'a> {
    /// Builds a call of which nothing is known but these facts.
    pub fn new(kind: Option<ErrorKind>, meta: &'a Meta) -> Self {
        Self {
            connector: None,
            action: None,
            request: None,
            effect: None,
            connection: None,
            idempotency_key: None,
            kind,
            is_planned: false,
            meta,
            retries: 0,
            refreshes: 0,
            began: SystemTime::now(),
            took: Duration::ZERO,
        }
    }

    /// Returns the time at which the call began, as RFC 3339 in UTC, with milliseconds.
    pub fn began_in_utc(&self) -> String {
        let part = self.began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_millis();
        write_utc(self.began).replace('Z', &format!(".{part:03}Z"))
    }

    /// Returns the result as a word: `ok`, or the kind of the error.
    pub fn result(&self) -> &'static str {
        self.kind.map_or("ok", ErrorKind::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_milliseconds() {
        let meta = Meta::default();
        let mut call = EndedCall::new(None, &meta);
        call.began = SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_042);
        assert_eq!(call.began_in_utc(), "1994-11-06T08:49:37.042Z");
    }
}
