//! Pipedrive's refusals as errors.

use connector_core::declare::{Effect, Refusal};
use connector_core::wording::shorten;
use connector_core::{Error, ErrorKind, Fault, Retry, Upstream};
use serde_json::Value;

/// Explains a refusal by its status and, where one status has two meanings, by its words.
pub(crate) fn explain_refusal(refusal: &Refusal<'_>) -> Error {
    let status = refusal.status();
    let body = refusal.json();
    let upstream = body.as_ref().map_or_else(|| Upstream::new(status), |body| read_words(status, body));
    let reason = upstream.error.clone().unwrap_or_else(|| "no reason given".to_owned());
    let error = |kind, message: &str, hint: &str| Error::new(kind, format!("{message}: {reason}.")).with_hint(hint);
    let failure = match status {
        401 => error(
            ErrorKind::Unauthorized,
            "Pipedrive does not accept the connection's credential",
            "Connect the account again, or check its API token.",
        ),
        // A page instead of JSON means that the limits were abused, not that a permission is missing.
        403 if body.is_none() => Error::new(ErrorKind::RateLimited, "Pipedrive's gateway blocks the account for a while.")
            .with_hint("Requests went on although Pipedrive refused them: wait some minutes before the next call."),
        403 if reason.contains("Scope and URL mismatch") => refusal.explain_missing_scope(),
        402 | 403 => error(
            ErrorKind::Forbidden,
            "Pipedrive does not allow the call",
            "Check the plan, the limits and the permissions of the connected user.",
        ),
        404 if body.is_none() => Error::new(ErrorKind::NotFound, "The host has no such page, and its answer is not one of Pipedrive's.")
            .with_hint("Check the connection's host."),
        404 => error(
            ErrorKind::NotFound,
            "Pipedrive has no such record",
            "Check the ID; the record may be deleted, or not visible to the connected user.",
        ),
        409 => error(
            ErrorKind::Conflict,
            "Pipedrive refuses the request in the current state of the record",
            "Read the record, and try again.",
        ),
        410 => error(ErrorKind::Gone, "Pipedrive no longer has the record", "The record is gone for good."),
        429 => explain_limit(refusal),
        // An answer with a status of success that reports a failure counts as a rejection.
        200..=499 | 501 => {
            let faults = read_faults(&reason, refusal);
            let hint = if faults.is_empty() {
                "Read Pipedrive's message and correct the input."
            } else {
                "Correct the input that Pipedrive names."
            };
            error(ErrorKind::UpstreamRejected, "Pipedrive rejects the request", hint).with_faults(faults)
        }
        _ => explain_failure(refusal),
    };
    failure.with_upstream(upstream)
}

/// Explains a 429: the daily budget is spent, or too many requests were sent within two seconds.
///
/// A header that is absent says nothing.
fn explain_limit(refusal: &Refusal<'_>) -> Error {
    let number = |name: &str| refusal.header(name).and_then(|value| value.trim().parse::<u64>().ok());
    if number("x-daily-ratelimit-token-remaining") == Some(0) {
        let error = Error::new(ErrorKind::BudgetExhausted, "The company's daily budget of Pipedrive is spent.")
            .with_hint("It is renewed at midnight of Pipedrive's server; a larger plan has more.");
        // Only `retry-after` can speak of the day: the other header speaks of two seconds.
        return pass_wait_on(error, refusal);
    }
    let named = refusal.retry_after_ms();
    let milliseconds = named.unwrap_or_else(|| number("x-ratelimit-reset").unwrap_or(2).saturating_mul(1000));
    Error::new(ErrorKind::RateLimited, "Pipedrive takes no more requests for a moment.")
        .with_hint("Try again after the time named, or make fewer calls at once.")
        .with_retry_after_ms(milliseconds)
}

/// Adds the time that `Retry-After` names, if it does.
fn pass_wait_on(error: Error, refusal: &Refusal<'_>) -> Error {
    match refusal.retry_after_ms() {
        Some(milliseconds) => error.with_retry_after_ms(milliseconds),
        None => error,
    }
}

/// Explains a 5xx. Maintenance did nothing; any other failure of a write may have been carried out.
fn explain_failure(refusal: &Refusal<'_>) -> Error {
    let status = refusal.status();
    let error = pass_wait_on(Error::new(ErrorKind::UpstreamError, format!("Pipedrive failed with {status}.")), refusal);
    match refusal.effect() {
        _ if status == 503 => error.with_hint("Pipedrive is under maintenance: try again later."),
        Effect::Read => error.with_hint("Nothing was changed: try again later."),
        _ => error.with_retry(Retry::Unsafe).with_hint("The request may have been carried out: check before you repeat it."),
    }
}

/// Reads Pipedrive's words from whichever member has them.
fn read_words(status: u16, body: &Value) -> Upstream {
    let text = |names: &[&str]| {
        let value = names.iter().map(|name| &body[*name]).find(|value| !value.is_null())?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(shorten(text.trim().trim_end_matches('.'), 500))
    };
    Upstream::new(status)
        .with_error(text(&["error", "message", "errors"]))
        .with_info(text(&["error_info"]))
        .with_code(text(&["code", "errorCode"]))
}

/// Reads `Validation failed: custom_fields.abc: Unknown key` as a fault at `/customFields/abc`.
fn read_faults(reason: &str, refusal: &Refusal<'_>) -> Vec<Fault> {
    let read = || {
        let rest = reason.strip_prefix("Validation failed: ")?;
        let (place, message) = rest.split_once(": ")?;
        let mut segments = place.split(['.', '/', '[', ']']).filter(|segment| !segment.is_empty());
        let field = refusal.field_on_wire(segments.next()?)?;
        let path = segments.fold(format!("/{}", field.name), |path, segment| path + "/" + segment);
        Some(Fault::new(path, message))
    };
    read().into_iter().collect()
}
