//! `/healthz`, `/readyz` and `/metrics`: how the process is.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, Refusal};
use super::routes::Call;

pub(super) fn alive(_call: &Call) -> Response {
    answer::json(StatusCode::OK, &json!({"ok": true, "version": env!("CARGO_PKG_VERSION")}))
}

pub(super) async fn ready(call: Call) -> Result<Response, Refusal> {
    call.host.ready().await.map_err(|error| Refusal::at(StatusCode::SERVICE_UNAVAILABLE, error))?;
    Ok(answer::json(StatusCode::OK, &json!({"ok": true})))
}

pub(super) fn metrics(call: &Call) -> Response {
    let text = call.host.metrics.text(call.host.in_flight());
    answer::of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}
