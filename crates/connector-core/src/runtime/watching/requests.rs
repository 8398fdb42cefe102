//! The spans of requests. A span that nobody collects costs the load of one number.
//!
//! Attributes that OpenTelemetry's semantic conventions name have those names. No span has an input, a record, a path with
//! its variables, a query or a name that a customer chose.

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::declare::connector::Connector;
use crate::declare::method::Method;
use crate::exchange::request::Request;
use crate::value::access::Access;

/// The target of all spans of this runtime, by which a subscriber chooses them apart from the log.
pub const SPANS: &str = "connector::spans";

/// Begins the span of a request. `resend` counts how often it was sent before.
pub(in crate::runtime) fn begin_request(request: &Request, connector: &Connector, access: &Access, resend: u32) -> Span {
    begin_client((request.method, find_template(request, connector)), access.address(), resend, request.cost)
}

/// Begins the span of a request by its method and the template of its path.
pub(in crate::runtime) fn begin_client(
    (method, template): (Method, Option<&'static str>),
    (host, port): (&str, Option<u16>),
    resend: u32,
    cost: u32,
) -> Span {
    info_span!(
        target: SPANS,
        "request",
        otel.name = template.map_or_else(|| method.as_str().to_owned(), |template| format!("{} {template}", method.as_str())),
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        http.request.method = method.as_str(),
        http.request.resend_count = (resend > 0).then_some(i64::from(resend)),
        http.response.status_code = Empty,
        server.address = host,
        server.port = port.map(i64::from),
        url.template = template,
        connector.tokens = i64::from(cost),
    )
}

/// Finds the template of a request's path: that of its declaration, else the one that the vendor documents.
pub(in crate::runtime) fn find_template(request: &Request, connector: &Connector) -> Option<&'static str> {
    match request.declaration.and_then(|declaration| declaration.endpoint) {
        Some(endpoint) => Some(endpoint.path),
        None => (connector.find_template)(request.method.as_str(), &request.path),
    }
}
