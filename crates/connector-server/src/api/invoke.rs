//! `POST /v1/invoke`: an invocation and its outcome or its records, or lines with an outcome for each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_core::run::{Invocation, Lines, Outcome, Priority, RecordStream, Runtime};
use futures_util::{TryStreamExt, stream};
use tokio_util::io::StreamReader;
use tracing::Span;

use crate::api::records::{prefers_records, stream_records};
use crate::conduct::call::{Call, IDEMPOTENCY_KEY};
use crate::wire::body::{broke_off, media_type, read_body, unsupported_media_type};
use crate::wire::refusal::Refusal;
use crate::wire::response::{JSON, NDJSON, respond};

/// The longest wait for the next line of a stream, which would otherwise keep its place for ever.
const LINE_TIMEOUT: Duration = Duration::from_mins(10);

pub(crate) async fn invoke(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let runtime = call.runtime()?;
    let key = call.header(&IDEMPOTENCY_KEY)?;
    match (media_type(&call.head.headers).as_deref(), key) {
        (Some(JSON), key) => {
            let text = read_body(body, call.host.settings.max_body).await?;
            let invocation = match Invocation::from_json(&text) {
                Ok(invocation) => Ok(take_key(invocation, key)?),
                Err(refused) => Err(refused),
            };
            if prefers_records(&call.head.headers) {
                let list = match invocation {
                    Ok(invocation) => runtime.stream(invocation),
                    Err(refused) => {
                        runtime.record_refused(&refused);
                        RecordStream::from(*refused)
                    }
                };
                return Ok(respond(StatusCode::OK, NDJSON, stream_records(call, list)));
            }
            let text = match invocation {
                Ok(invocation) => write_line(&runtime.invoke(invocation.holding(call.place.clone())).await),
                Err(refused) => refuse(&runtime, &refused),
            };
            Ok(respond(StatusCode::OK, JSON, text))
        }
        (Some(NDJSON), Some(_)) => Err(Refusal::bad_request(
            "The header Idempotency-Key is for one invocation, and the body is a stream of them.",
            "Give each invocation its own options.idempotencyKey.",
        )),
        (Some(NDJSON), None) => Ok(respond(StatusCode::OK, NDJSON, invoke_lines(call, runtime, body))),
        (other, _) => Err(unsupported_media_type(other, &[JSON, NDJSON])),
    }
}

/// Gives an invocation the idempotency key of the header. It must not have another.
fn take_key(invocation: Invocation, key: Option<&str>) -> Result<Invocation, Refusal> {
    let Some(key) = key else { return Ok(invocation) };
    match &invocation.options.idempotency_key {
        Some(own) if own != key => Err(Refusal::bad_request(
            "The header Idempotency-Key and options.idempotencyKey differ.",
            "Send one of them, or the same key in both.",
        )),
        _ => Ok(invocation.idempotency_key(key)),
    }
}

/// Invokes each line in order, since a line may need the effect of the line before it.
///
/// The stream ends when the client leaves, the body breaks off or the API key is revoked.
fn invoke_lines(call: Call, runtime: Runtime, body: Body) -> Body {
    let parts = body.into_data_stream().map_err(io::Error::other);
    let lines = Lines::new(StreamReader::new(parts), call.host.settings.max_body);
    let (call, span) = (Arc::new(call), Span::current());
    let outcomes = stream::try_unfold(Some(lines), move |lines| {
        let (call, runtime, span) = (Arc::clone(&call), runtime.clone(), span.clone());
        async move {
            let Some(mut lines) = lines else { return Ok::<_, io::Error>(None) };
            let Ok(next) = tokio::time::timeout(LINE_TIMEOUT, lines.next()).await else { return Ok(None) };
            let line = match next {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(None),
                // A last line says so: without it, the lines so far would look like all of them.
                Err(_) => {
                    let refusal = broke_off("The lines before it were carried out, and what follows was not: send that again.");
                    return Ok(Some((refuse(&runtime, &Outcome::from_error(refusal.into_error())), None)));
                }
            };
            if let Err(refusal) = call.caller.check_again(&call.host, &call.head).await {
                // The line was not carried out. A store that fails just now also ends the stream.
                return Ok(Some((refuse(&runtime, &Outcome::from_error(refusal.into_error())), None)));
            }
            let text = match line.read(Priority::Interactive) {
                Ok(invocation) => {
                    // The body is sent after the request was answered, and its calls still belong to it.
                    let outcome = span.in_scope(|| runtime.invoke(invocation.holding(call.place.clone())));
                    write_line(&outcome.await)
                }
                Err(refused) => refuse(&runtime, &refused),
            };
            Ok(Some((text, Some(lines))))
        }
    });
    Body::from_stream(outcomes)
}

/// Writes the outcome of an invocation that was never begun, and counts it.
fn refuse(runtime: &Runtime, outcome: &Outcome) -> Vec<u8> {
    runtime.record_refused(outcome);
    write_line(outcome)
}

fn write_line(outcome: &Outcome) -> Vec<u8> {
    let mut text = outcome.to_json();
    text.push(b'\n');
    text
}
