//! The path of every request: its id, its place, its caller, its timeout, and its line in the log.

pub(crate) mod call;
mod caller;
pub(crate) mod endpoint;
mod observed;
mod trace;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use connector_core::{Error, ErrorKind, Retry};
use futures_util::FutureExt;
use http_body::{Frame, SizeHint};
use tracing::{Instrument as _, Span};

use crate::conduct::call::Call;
use crate::conduct::caller::Caller;
use crate::conduct::endpoint::Endpoint;
use crate::conduct::trace::{TRACERESPONSE, begin_span, record_status};
use crate::host::{Audience, Host, Route};
use crate::wire::body::read_small_body;
use crate::wire::html::refusal_page;
use crate::wire::places::Place;
use crate::wire::refusal::Refusal;

/// The largest form, in bytes.
pub(crate) const MAX_FORM: usize = 8 << 10;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request at an endpoint.
pub(crate) async fn answer(host: Arc<Host>, endpoint: &'static Endpoint, params: Vec<(String, String)>, request: Request) -> Response {
    let route = &endpoint.route;
    let record = RequestRecord::new(&host, &request, route.path);
    let (head, body) = request.into_parts();
    let (method, timeout) = (head.method.clone(), timeout_of(route, &host));
    let work = AssertUnwindSafe(admit_and_handle(Arc::clone(&host), endpoint, params, head, body)).catch_unwind();
    let work = work.instrument(record.span.clone());
    let result = match tokio::time::timeout(timeout, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Bug, "The host failed.", "It is a defect of the host."))
        }
        Err(_) => Err(took_too_long(&method)),
    };
    record.finish(&host, route.audience, result)
}

/// Answers a request that has no route, or none for its method.
pub(crate) fn refuse_unrouted(host: &Host, request: &Request, refusal: Refusal) -> Response {
    RequestRecord::new(host, request, "none").finish(host, Audience::Anyone, Err(refusal))
}

/// Finds the timeout of a route. Invocations bring their own, of an hour at most, and must not be cut off before.
fn timeout_of(route: &Route, host: &Host) -> Duration {
    const INVOCATION_TIMEOUT: Duration = Duration::from_secs(3700);
    let timeout = host.settings.timeout;
    if route.response.2 == "Outcome" { timeout.max(INVOCATION_TIMEOUT) } else { timeout }
}

async fn admit_and_handle(
    host: Arc<Host>,
    endpoint: &Endpoint,
    params: Vec<(String, String)>,
    head: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let audience = endpoint.route.audience;
    // A form is read before it takes a place: anybody may send one slowly.
    let body = if audience == Audience::Browser { Body::from(read_small_body(body, MAX_FORM).await?) } else { body };
    let place = match audience {
        // Watchers must be answered even when all places are taken.
        Audience::Anyone | Audience::Watcher => None,
        Audience::Browser => Some(host.places.take_for_person().ok_or_else(too_busy)?),
        Audience::Vendor => Some(host.places.take_for_vendor().ok_or_else(too_busy)?),
        Audience::Key => Some(host.places.take_for_program().ok_or_else(too_busy)?),
    };
    let caller = Caller::identify(&host, audience, &head).await?;
    let place = match place {
        Some(place) if audience == Audience::Key => Some(host.places.assign_to_key(place, caller.key).ok_or_else(key_too_busy)?),
        place => place,
    };
    // Work that outlives its caller keeps the place.
    let place = place.map(Arc::new);
    let response = (endpoint.handle)(Call::new(host, caller, head, params, place.clone()), body).await?;
    Ok(response.map(|body| Body::new(PlacedBody { body, _place: place })))
}

/// A request as the log and the metrics see it: by its route, never by its path or query.
struct RequestRecord {
    id: HeaderValue,
    method: &'static str,
    route: &'static str,
    start: Instant,
    span: Span,
}

impl RequestRecord {
    fn new(host: &Host, request: &Request, route: &'static str) -> Self {
        let id = request.headers().get(REQUEST_ID).filter(|id| is_loggable_id(id)).cloned();
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].into_iter().find(|name| request.method() == *name);
        let method = method.unwrap_or("other");
        let span = begin_span(host, request, method, route);
        Self { id: id.unwrap_or_else(generate_id), method, route, start: Instant::now(), span }
    }

    /// Builds the response, logs it and counts it. A refusal is a page for a person, and JSON for a program.
    fn finish(self, host: &Host, audience: Audience, result: Result<Response, Refusal>) -> Response {
        let Self { id, method, route, start, span } = self;
        let (request, elapsed) = (id.to_str().unwrap_or_default(), start.elapsed());
        // The hint is not logged: it may repeat what the caller sent.
        let error = result.as_ref().err().map(Refusal::error).map(|error| format!("{}: {}", error.kind(), error.message()));
        let mut response = result.unwrap_or_else(|refusal| match audience {
            Audience::Browser => refusal_page(&refusal),
            _ => refusal.into_response(),
        });
        let status = response.status().as_u16();
        let milliseconds = elapsed.as_millis();
        match error {
            Some(error) if status >= 500 => tracing::warn!(request, method, route, status, milliseconds, error, "failed"),
            Some(error) => tracing::info!(request, method, route, status, milliseconds, error, "refused"),
            None => tracing::info!(request, method, route, status, milliseconds, "answered"),
        }
        host.metrics.record_request(method, route, status, elapsed);
        record_status(&span, status);
        let trace = host.bridge.as_ref().and_then(|bridge| bridge.write_traceparent(&span));
        if let Some(Ok(trace)) = trace.map(HeaderValue::try_from) {
            response.headers_mut().insert(TRACERESPONSE, trace);
        }
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
}

/// Checks that an id of the caller can stand in the log as it is.
fn is_loggable_id(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

fn generate_id() -> HeaderValue {
    let mut bytes = [0; 12];
    // Without random bytes ids repeat, which does no harm.
    let _ = getrandom::fill(&mut bytes);
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&text).expect("hexadecimal digits are a valid header value")
}

/// A body that keeps the place of its request until it is sent.
struct PlacedBody {
    body: Body,
    _place: Option<Arc<Place>>,
}

impl http_body::Body for PlacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn too_busy() -> Refusal {
    busy("More requests are in flight than this host accepts at once.", "Try again in a moment.")
}

fn key_too_busy() -> Refusal {
    let message = "This key has as many requests in flight as one key may.";
    busy(message, "Wait until some are answered, or raise --concurrency.")
}

fn busy(message: &str, hint: &str) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::RateLimited, message, hint).with_header(RETRY_AFTER, 1)
}

/// Refuses a request that took too long. All but a read may have been carried out.
pub(crate) fn took_too_long(method: &Method) -> Refusal {
    let error = Error::new(ErrorKind::TimedOut, "There was no response in time.");
    let error = error.with_hint("A write may have been carried out: check before you repeat it.");
    if method.is_safe() { error.into() } else { error.with_retry(Retry::Unsafe).into() }
}
