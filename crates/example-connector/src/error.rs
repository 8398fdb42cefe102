//! Larkdesk's refusals as errors.

use connector_core::declare::Refusal;
use connector_core::{Error, Fault, Upstream};
use serde_json::Value;

/// Explains a refusal. The body is `{"code", "message", "field"}`, where `field` may be absent.
pub(crate) fn explain_refusal(refusal: &Refusal<'_>) -> Error {
    let body = refusal.json().unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let (message, code) = (text("message"), text("code"));
    let error = match code.as_deref() {
        Some("missing_scope") => refusal.explain_missing_scope("in Larkdesk's settings for developers"),
        _ => refusal.explain(message.as_deref()),
    };
    let upstream = Upstream::new(refusal.status()).with_error(message).with_code(code);
    error.with_faults(read_fault(&body, refusal).into_iter().collect()).with_upstream(upstream)
}

/// Reads the field that is named, as `tags.1`, as a fault of the input that carries it.
fn read_fault(body: &Value, refusal: &Refusal<'_>) -> Option<Fault> {
    let path = refusal.find_input(body["field"].as_str()?)?;
    Some(Fault::new(path, body["message"].as_str()?.trim_end_matches('.')))
}
