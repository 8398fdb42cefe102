//! The bridge from spans to a system of traces that spans processes.

use tracing::Span;

/// A bridge that joins spans with those of callers and vendors, as OpenTelemetry does by W3C Trace Context.
///
/// This crate knows spans alone, so the program that collects them implements it.
pub trait TraceContext: Send + Sync {
    /// Makes a span that was not entered yet a child of the caller's, by the headers `traceparent` and `tracestate`.
    ///
    /// Headers that are malformed are ignored.
    fn join(&self, span: &Span, traceparent: &str, tracestate: Option<&str>);

    /// Returns the `traceparent` of a span, if it is collected.
    fn write_traceparent(&self, span: &Span) -> Option<String>;
}
