//! The span of a request, which continues the trace of its caller.

use axum::extract::Request;
use axum::http::HeaderName;
use connector_core::run::SPANS;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::host::Host;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The header of a response that names its trace, in the form of `traceparent`.
pub(crate) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Begins the span of a request. It has the route, and neither its path nor its query.
pub(crate) fn begin_span(host: &Host, request: &Request, method: &'static str, route: &'static str) -> Span {
    let span = info_span!(
        target: SPANS,
        "server",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        "error.type" = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    let header = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let (Some(bridge), Some(parent)) = (&host.bridge, header(&TRACEPARENT)) {
        bridge.join(&span, parent, header(&TRACESTATE));
    }
    span
}

/// Records in the span of a request how it was answered.
pub(crate) fn record_status(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
    // A refusal of what the caller sent is no failure of a server, by the conventions.
    if status >= 500 && !span.is_disabled() {
        span.record("error.type", status.to_string());
        span.record("otel.status_code", "ERROR");
    }
}
