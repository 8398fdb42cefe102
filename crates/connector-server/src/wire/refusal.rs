//! Refusals: errors of this host, in the words of an outcome's error.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use connector_core::{Error, ErrorKind};
use serde::Serialize;

use super::response::respond_json;

/// The header that marks an error of this host, and not of the vendor.
pub(crate) const ERROR: HeaderName = HeaderName::from_static("connector-error");

/// An error of this host, with the status and headers of its response.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: Error,
    headers: HeaderMap,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::with_status(status, Error::new(kind, message).with_hint(hint))
    }

    /// Refuses a request that cannot be read.
    pub(crate) fn bad_request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInvocation, message, hint)
    }

    /// Gives an error another status than the one of its kind.
    pub(crate) fn with_status(status: StatusCode, error: Error) -> Self {
        Self { status, error, headers: HeaderMap::new() }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    pub(crate) fn into_error(self) -> Error {
        self.error
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct ErrorBody<E> {
            error: E,
        }
        let mut response = respond_json(self.status, &ErrorBody { error: self.error.to_wire() });
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

/// Gives an error the status of its kind, for a response that is not an outcome.
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
        Self::with_status(status, error)
    }
}
