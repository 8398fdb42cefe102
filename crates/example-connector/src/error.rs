//! Larkdesk's refusals as errors.

use connector_core::declare::{Effect, Refusal};
use connector_core::{Error, ErrorKind, Fault, Retry, Upstream};
use serde_json::Value;

/// Explains a refusal by its status. The body is `{"code", "message", "field"}`, where `field` may be absent.
pub(crate) fn explain_refusal(refusal: &Refusal<'_>) -> Error {
    let body = refusal.json().unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let (status, code) = (refusal.status(), text("code"));
    let error = |kind, message: &str, hint: &str| Error::new(kind, message).with_hint(hint);
    let failure = match status {
        401 => error(ErrorKind::Unauthorized, "Larkdesk does not accept the credential.", "Connect the account again."),
        403 if code.as_deref() == Some("missing_scope") => refusal.explain_missing_scope(),
        403 => error(ErrorKind::Forbidden, "Larkdesk does not allow the call.", "Check the role of the connected person."),
        404 => error(ErrorKind::NotFound, "Larkdesk has no such record.", "Check the ID; the record may be deleted."),
        409 => error(ErrorKind::Conflict, "The state of the record does not allow the change.", "Read the record, and try again."),
        429 => explain_limit(refusal),
        400..=499 => error(ErrorKind::UpstreamRejected, "Larkdesk rejects the request.", "Correct the input that Larkdesk names.")
            .with_faults(read_fault(&body, refusal).into_iter().collect()),
        _ => explain_failure(refusal.effect()),
    };
    failure.with_upstream(Upstream::new(status).with_error(text("message")).with_code(code))
}

fn explain_limit(refusal: &Refusal<'_>) -> Error {
    let seconds = refusal.header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
    Error::new(ErrorKind::RateLimited, "Larkdesk takes no more requests for a moment.")
        .with_hint("Try again after the time named.")
        .with_retry_after_ms(seconds.unwrap_or(1).saturating_mul(1000))
}

/// Explains a 5xx. A write may have been carried out before the server failed.
fn explain_failure(effect: Effect) -> Error {
    let error = Error::new(ErrorKind::UpstreamError, "Larkdesk failed.");
    match effect {
        Effect::Read => error.with_hint("Nothing was changed: try again later."),
        _ => error.with_retry(Retry::Unsafe).with_hint("The request may have been carried out: check before you repeat it."),
    }
}

/// Reads the field that is named, as `tags.1`, as a fault of the input that carries it.
fn read_fault(body: &Value, refusal: &Refusal<'_>) -> Option<Fault> {
    let mut names = body["field"].as_str()?.split('.');
    let field = refusal.field_on_wire(names.next()?)?;
    let path = names.fold(format!("/{}", field.name), |path, name| path + "/" + name);
    Some(Fault::new(path, body["message"].as_str()?.trim_end_matches('.')))
}
