//! What goes back: JSON, or a refusal in the words of an outcome's error.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use connector_core::{Error, ErrorKind};
use serde::Serialize;

pub(super) const JSON: &str = "application/json";
pub(super) const NDJSON: &str = "application/x-ndjson";

/// The header that tells an error of ours from one of the vendor's.
pub(super) const ERROR: HeaderName = HeaderName::from_static("connector-error");

/// Why a request gets no other answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: Error,
    headers: HeaderMap,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: Error::new(kind, message).with_hint(hint), headers: HeaderMap::new() }
    }

    /// A failure of the runtime's under another status than its kind has.
    pub(super) fn at(status: StatusCode, error: Error) -> Self {
        Self { status, error, headers: HeaderMap::new() }
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }

    pub(super) fn into_error(self) -> Error {
        self.error
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Told<E> {
            error: E,
        }
        let mut response = json(self.status, &Told { error: self.error.rendered() });
        let headers = response.headers_mut();
        headers.insert(ERROR, HeaderValue::from_static(self.error.kind().as_str()));
        headers.extend(self.headers);
        if let Some(milliseconds) = self.error.retry_after_ms() {
            headers.insert(RETRY_AFTER, milliseconds.div_ceil(1000).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.entry(WWW_AUTHENTICATE).or_insert(HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The status that a failure of the runtime has where it is the answer itself, and not within an outcome.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden | ErrorKind::MissingScope => StatusCode::FORBIDDEN,
            ErrorKind::UnknownAction | ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Gone | ErrorKind::RemovedUpstream => StatusCode::GONE,
            ErrorKind::Conflict | ErrorKind::IdempotencyMismatch => StatusCode::CONFLICT,
            ErrorKind::ReconnectRequired => StatusCode::FAILED_DEPENDENCY,
            ErrorKind::RateLimited | ErrorKind::BudgetExhausted => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::UpstreamRejected | ErrorKind::UpstreamError | ErrorKind::BadAnswer | ErrorKind::Unreachable => {
                StatusCode::BAD_GATEWAY
            }
            ErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error, headers: HeaderMap::new() }
    }
}

/// A value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut text = serde_json::to_vec(value).expect("a value of ours is written to memory");
    text.push(b'\n');
    of(status, JSON, text)
}

/// A text of a media type, which nobody keeps.
pub(super) fn of(status: StatusCode, media: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
