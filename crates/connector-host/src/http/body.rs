//! The body of a request: of a media type that is expected, and no larger than allowed.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use connector_core::ErrorKind;
use http_body_util::LengthLimitError;

use super::answer::Refusal;
use super::routes::bad;

/// The whole body, where it has at most as many bytes as the settings say.
pub(super) async fn whole(body: Body, most: usize) -> Result<Bytes, Refusal> {
    /// The sender must get on: a body that trickles would hold its place for as long as the whole request may take.
    const LONGEST: Duration = Duration::from_mins(1);
    read(body, most, LONGEST).await.map_err(|over| over.unwrap_or_else(|| too_large(most)))
}

/// The whole body of what is never large, as a form: it is there at once, or not worth waiting for.
pub(super) async fn small(body: Body, most: usize) -> Result<Bytes, Refusal> {
    const LONGEST: Duration = Duration::from_secs(5);
    read(body, most, LONGEST).await.map_err(|over| over.unwrap_or_else(|| larger(most, "Send less.")))
}

/// Nothing where it is too large.
async fn read(body: Body, most: usize, longest: Duration) -> Result<Bytes, Option<Refusal>> {
    let read = tokio::time::timeout(longest, to_bytes(body, most)).await.map_err(|_| Some(too_slow()))?;
    read.map_err(|error| {
        let too_large = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        (!too_large).then(|| bad("The body broke off.", "Send it again, whole."))
    })
}

pub(super) fn too_large(most: usize) -> Refusal {
    larger(most, "Send less at once, or raise --max-body.")
}

fn larger(most: usize, hint: &str) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidInvocation, format!("The body is larger than {most} bytes."), hint)
}

fn too_slow() -> Refusal {
    Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::TimedOut, "The body did not come in time.", "Send it again.")
}

/// The media type of a body, without its parameters and in lower case.
pub(super) fn media(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// The refusal of a media type that is not one of these.
pub(super) fn wrong_media(given: Option<&str>, wanted: &[&str]) -> Refusal {
    let message = match given {
        Some(given) => format!("The body's media type is {given:?}."),
        None => "The body has no media type.".to_owned(),
    };
    let hint = format!("Send Content-Type: {}.", wanted.join(" or "));
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::InvalidInvocation, message, hint)
}
