//! `POST /v1/invoke`: one invocation, one outcome; or a stream of lines, answered line by line as they are ready.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_core::{Catalogue, Lines, Outcome, Runtime};
use futures_util::{TryStreamExt, stream};
use tokio_util::io::StreamReader;

use super::answer::{self, JSON, NDJSON, Refusal};
use super::metrics::Metrics;
use super::routes::Call;
use super::{Host, body};

pub(super) async fn invoke(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let runtime = call.runtime()?;
    match body::media(&call.head.headers).as_deref() {
        Some(JSON) => {
            let text = body::whole(body, call.host.settings.max_body).await?;
            let outcome = runtime.invoke_json(&text).await;
            Ok(answer::of(StatusCode::OK, JSON, written(&call.host, &outcome)))
        }
        Some(NDJSON) => Ok(answer::of(StatusCode::OK, NDJSON, lines(call, runtime, body))),
        other => Err(body::wrong_media(other, &[JSON, NDJSON])),
    }
}

/// A stream whose next line does not come for as long is over: it would hold its place for ever.
const IDLE: Duration = Duration::from_mins(10);

/// An outcome for each line, in order: a line sees what the line before it did. Whoever goes away ends it, and so does
/// the end of the key.
fn lines(call: Call, runtime: Runtime, body: Body) -> Body {
    let parts = body.into_data_stream().map_err(io::Error::other);
    let lines = Lines::new(StreamReader::new(parts), call.host.settings.max_body);
    let call = Arc::new(call);
    let outcomes = stream::try_unfold(Some(lines), move |lines| {
        let (call, runtime) = (Arc::clone(&call), runtime.clone());
        async move {
            let Some(mut lines) = lines else { return Ok::<_, io::Error>(None) };
            let Ok(next) = tokio::time::timeout(IDLE, lines.next()).await else { return Ok(None) };
            let Some(line) = next? else { return Ok(None) };
            if let Err(refusal) = call.caller.still(&call.host, &call.head).await {
                // The line was not carried out. What the store cannot tell just now is no word about the key.
                return Ok(Some((written(&call.host, &Outcome::refused(refusal.into_error())), None)));
            }
            let outcome = line.invoke(&runtime).await;
            Ok(Some((written(&call.host, &outcome), Some(lines))))
        }
    });
    Body::from_stream(outcomes)
}

fn written(host: &Host, outcome: &Outcome) -> Vec<u8> {
    count(&host.metrics, host.runtime.catalogue(), outcome);
    let mut text = outcome.to_json();
    text.push(b'\n');
    text
}

/// Only keys of the catalogue are counted by name: a caller could send any number of others.
fn count(metrics: &Metrics, catalogue: &Catalogue, outcome: &Outcome) {
    let known = outcome.action().and_then(|action| catalogue.find(None, action).ok());
    let result = outcome.error().map_or("ok", |error| error.kind().as_str());
    let meta = outcome.meta();
    metrics.invoked(known.map_or("unknown", connector_core::Entry::key), result, meta.requests, meta.tokens);
}
