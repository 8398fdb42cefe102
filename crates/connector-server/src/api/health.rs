//! `/healthz`, `/readyz` and `/metrics`: the state of the process.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::conduct::call::Call;
use crate::host::AuditCounts;
use crate::wire::exposition::{write_help, write_sample};
use crate::wire::refusal::Refusal;
use crate::wire::response::{respond, respond_json};

pub(crate) fn show_alive(_call: &Call) -> Response {
    respond_json(StatusCode::OK, &json!({"ok": true, "version": env!("CARGO_PKG_VERSION")}))
}

pub(crate) async fn show_ready(call: Call) -> Result<Response, Refusal> {
    call.host.check_ready().await.map_err(|error| Refusal::with_status(StatusCode::SERVICE_UNAVAILABLE, error))?;
    Ok(respond_json(StatusCode::OK, &json!({"ok": true})))
}

pub(crate) fn show_metrics(call: &Call) -> Response {
    let mut text = call.host.metrics.to_text(call.host.in_flight(), &call.host.vault.count_refreshes());
    if let Some(audit) = &call.host.audit {
        write_audit(&mut text, audit.count());
    }
    respond(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}

fn write_audit(out: &mut String, AuditCounts { written, waiting, failed, .. }: AuditCounts) {
    for (name, kind, help, value) in [
        ("connector_audit_lines_total", "counter", "Lines of the audit that were written.", written),
        ("connector_audit_waiting_lines", "gauge", "Lines of the audit that wait to be written.", waiting),
        ("connector_audit_failures_total", "counter", "Attempts to write the audit that failed.", failed),
    ] {
        write_help(out, name, kind, help);
        write_sample(out, name, "", value);
    }
}
