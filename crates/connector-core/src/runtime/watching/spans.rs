//! The spans of calls.

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::declare::connector::Connector;
use crate::declare::method::Method;
use crate::runtime::catalogue::Entry;
use crate::runtime::watching::requests::SPANS;
use crate::value::error::ErrorKind;
use crate::value::outcome::Meta;

/// Begins the span of an invocation.
pub(super) fn begin_invocation(entry: Option<&Entry>) -> Span {
    let key = entry.map_or("unknown", Entry::key);
    info_span!(
        target: SPANS,
        "invocation",
        otel.name = format!("invoke {key}"),
        otel.kind = "internal",
        otel.status_code = Empty,
        "error.type" = Empty,
        connector.name = entry.map(|entry| entry.connector().key),
        connector.action = key,
        connector.effect = entry.map(|entry| entry.effect().as_str()),
        connector.connection.id = Empty,
        connector.outcome = Empty,
        connector.requests = Empty,
        connector.tokens = Empty,
        connector.queued_ms = Empty,
        connector.retries = Empty,
        connector.refreshes = Empty,
        connector.replayed = Empty,
    )
}

/// Begins the span of a request that is forwarded for a caller.
pub(super) fn begin_forwarding(connector: &Connector, method: Method) -> Span {
    info_span!(
        target: SPANS,
        "forwarding",
        otel.name = "forward",
        otel.kind = "internal",
        otel.status_code = Empty,
        "error.type" = Empty,
        connector.name = connector.key,
        connector.effect = method.effect().as_str(),
        connector.connection.id = Empty,
        connector.outcome = Empty,
        connector.requests = Empty,
        connector.tokens = Empty,
        connector.queued_ms = Empty,
        connector.retries = Empty,
        connector.refreshes = Empty,
        connector.replayed = Empty,
    )
}

/// Records in the span of a call how it ended.
pub(super) fn record_end(span: &Span, kind: Option<ErrorKind>, meta: &Meta, (retries, refreshes): (u32, u32)) {
    if span.is_disabled() {
        return;
    }
    span.record("connector.outcome", kind.map_or("ok", ErrorKind::as_str));
    if let Some(kind) = kind {
        span.record("error.type", kind.as_str());
        span.record("otel.status_code", "ERROR");
    }
    span.record("connector.requests", i64::from(meta.requests));
    span.record("connector.tokens", i64::from(meta.tokens));
    span.record("connector.queued_ms", i64::try_from(meta.queued_ms).unwrap_or(i64::MAX));
    span.record("connector.retries", i64::from(retries));
    span.record("connector.refreshes", i64::from(refreshes));
    if meta.replayed {
        span.record("connector.replayed", true);
    }
}
