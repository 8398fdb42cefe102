//! The bridge between spans and the headers of W3C Trace Context.

use std::collections::HashMap;

use connector_core::embed::TraceContext;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The bridge between the spans that OpenTelemetry collects and the headers of a request.
#[derive(Debug, Default)]
pub(crate) struct Bridge(TraceContextPropagator);

impl TraceContext for Bridge {
    fn join(&self, span: &Span, traceparent: &str, tracestate: Option<&str>) {
        let state = tracestate.map(|state| ("tracestate".to_owned(), state.to_owned()));
        let headers: HashMap<String, String> = [("traceparent".to_owned(), traceparent.to_owned())].into_iter().chain(state).collect();
        // A span that nobody collects has no parent either.
        let _ = span.set_parent(self.0.extract(&headers));
    }

    fn write_traceparent(&self, span: &Span) -> Option<String> {
        if span.is_disabled() {
            return None;
        }
        let mut headers = HashMap::new();
        self.0.inject_context(&span.context(), &mut headers);
        headers.remove("traceparent")
    }
}
