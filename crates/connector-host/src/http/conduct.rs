//! How every request is treated: its id, its place among those under way, its time, its line in the log.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use connector_core::ErrorKind;
use futures_util::FutureExt;
use http_body::{Frame, SizeHint};

use super::answer::Refusal;
use super::caller::Caller;
use super::places::Place;
use super::routes::{Call, Route, Who};
use super::{Host, body, oauth};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The answer of a route.
pub(super) async fn answered(host: Arc<Host>, route: &'static Route, params: Vec<(String, String)>, request: Request) -> Response {
    let seen = Seen::of(&request, route.path);
    let (head, body) = request.into_parts();
    let work = AssertUnwindSafe(within(Arc::clone(&host), route, params, head, body)).catch_unwind();
    let result = match tokio::time::timeout(host.settings.time_for(route), work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Bug, "The host failed.", "It is a defect of ours.")),
        Err(_) => Err(took_too_long()),
    };
    let result = result.map_err(|refusal| if route.who == Who::Browser { Refused::OnAPage(refusal) } else { Refused::InJson(refusal) });
    seen.done(&host, result)
}

/// How a refusal is told: to a person as a page, to a program as JSON.
enum Refused {
    OnAPage(Refusal),
    InJson(Refusal),
}

impl Refused {
    fn refusal(&self) -> &Refusal {
        match self {
            Self::OnAPage(refusal) | Self::InJson(refusal) => refusal,
        }
    }

    fn into_response(self) -> Response {
        match self {
            Self::OnAPage(refusal) => oauth::refused(&refusal),
            Self::InJson(refusal) => refusal.into_response(),
        }
    }
}

/// The answer where there is no route, or none for the method.
pub(super) fn unrouted(host: &Host, request: &Request, refusal: Refusal) -> Response {
    Seen::of(request, "none").done(host, Err(Refused::InJson(refusal)))
}

async fn within(
    host: Arc<Host>,
    route: &'static Route,
    params: Vec<(String, String)>,
    head: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    // Whoever watches must be heard when all places are taken.
    // A form is small, and anybody may send one slowly: no place is held for it until it is there.
    let body = if route.who == Who::Browser { Body::from(body::small(body, oauth::LARGEST_FORM).await?) } else { body };
    let place = match route.who {
        Who::Anyone | Who::Watcher => None,
        Who::Browser => Some(host.places.for_a_person().ok_or_else(full)?),
        Who::Vendor => Some(host.places.for_the_vendor().ok_or_else(full)?),
        Who::Key => Some(host.places.for_a_program().ok_or_else(full)?),
    };
    let caller = Caller::of(&host, route.who, &head).await?;
    let place = match place {
        Some(place) if route.who == Who::Key => Some(host.places.of_key(place, caller.key()).ok_or_else(too_many)?),
        place => place,
    };
    let response = route.answer(Call::new(host, caller, head, params), body).await?;
    Ok(response.map(|body| Body::new(Held { body, _place: place })))
}

/// A request, as the log and the counters see it: by its route, never by its path or query.
struct Seen {
    id: HeaderValue,
    method: &'static str,
    route: &'static str,
    since: Instant,
}

impl Seen {
    fn of(request: &Request, route: &'static str) -> Self {
        let given = request.headers().get(REQUEST_ID).filter(|id| is_id(id)).cloned();
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].into_iter().find(|name| request.method() == *name);
        Self { id: given.unwrap_or_else(fresh_id), method: method.unwrap_or("other"), route, since: Instant::now() }
    }

    fn done(self, host: &Host, result: Result<Response, Refused>) -> Response {
        let Self { id, method, route, since } = self;
        let (request, took) = (id.to_str().unwrap_or_default(), since.elapsed());
        // A hint may repeat what the caller sent; a message names it at most.
        let failed = result.as_ref().err().map(|refused| refused.refusal().error());
        let failed = failed.map(|error| format!("{}: {}", error.kind(), error.message()));
        let mut response = result.unwrap_or_else(Refused::into_response);
        let status = response.status().as_u16();
        let milliseconds = took.as_millis();
        match failed {
            Some(error) if status >= 500 => tracing::warn!(request, method, route, status, milliseconds, error, "failed"),
            Some(error) => tracing::info!(request, method, route, status, milliseconds, error, "refused"),
            None => tracing::info!(request, method, route, status, milliseconds, "answered"),
        }
        host.metrics.answered(method, route, status, took);
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
}

/// An id of the caller's is taken where it can stand in a log as it is.
fn is_id(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

fn fresh_id() -> HeaderValue {
    let mut bytes = [0; 12];
    // Without random bytes ids repeat, which a request can live with.
    let _ = getrandom::fill(&mut bytes);
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&text).expect("hexadecimal digits are a header's value")
}

/// A body that holds its request's place until it is sent.
struct Held {
    body: Body,
    _place: Option<Place>,
}

impl http_body::Body for Held {
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

fn full() -> Refusal {
    let message = "More requests are under way than this host takes at once.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::RateLimited, message, "Try again in a moment.")
        .with(axum::http::header::RETRY_AFTER, 1)
}

fn too_many() -> Refusal {
    let message = "This key has as many requests under way as one key may.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::RateLimited, message, "Wait until some are answered, or raise --concurrency.")
        .with(axum::http::header::RETRY_AFTER, 1)
}

fn took_too_long() -> Refusal {
    let hint = "A write may have been carried out: look before you repeat it.";
    Refusal::new(StatusCode::GATEWAY_TIMEOUT, ErrorKind::TimedOut, "There was no answer in time.", hint)
}
