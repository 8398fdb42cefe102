//! The body of a request: its size, its time and its media type.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use connector_core::ErrorKind;
use http_body_util::LengthLimitError;

use super::refusal::Refusal;

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    /// A body that trickles would keep its place for as long as the whole request may take.
    const TIMEOUT: Duration = Duration::from_mins(1);
    read(body, limit, TIMEOUT).await?.ok_or_else(|| too_large(limit))
}

/// Reads a body that is never large, such as a form.
pub(crate) async fn read_small_body(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    read(body, limit, TIMEOUT).await?.ok_or_else(|| larger_than(limit, "Send less."))
}

/// Reads a body; nothing if it is larger than the limit.
async fn read(body: Body, limit: usize, timeout: Duration) -> Result<Option<Bytes>, Refusal> {
    match tokio::time::timeout(timeout, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(error)) if std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) => Ok(None),
        Ok(Err(_)) => Err(broke_off("Nothing was carried out: send the whole body again.")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::TimedOut, "The body did not arrive in time.", "Send it again.")),
    }
}

/// Refuses a body that ends before its end, or whose chunks cannot be read. The hint says what was carried out.
pub(crate) fn broke_off(hint: &str) -> Refusal {
    Refusal::bad_request("The body broke off.", hint)
}

pub(crate) fn too_large(limit: usize) -> Refusal {
    larger_than(limit, "Send less at once, or raise --max-body.")
}

fn larger_than(limit: usize, hint: &str) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInvocation, format!("The body is larger than {limit} bytes."), hint)
}

/// Finds the media type of a body, in lower case and without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// Refuses a body whose media type is none of `supported`.
pub(crate) fn unsupported_media_type(found: Option<&str>, supported: &[&str]) -> Refusal {
    let message = match found {
        Some(found) => format!("The body's media type is {found:?}."),
        None => "The body has no media type.".to_owned(),
    };
    let hint = format!("Send Content-Type: {}.", supported.join(" or "));
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::InvalidInvocation, message, hint)
}
