//! What a refusal of Pipedrive's means.

use connector_core::{Effect, Error, ErrorKind, Fault, Refusal, Retry, Upstream, shorten};
use serde_json::Value;

/// The failure that an answer stands for: by its status, and where one status means two things, by its words.
pub(crate) fn refusal(refusal: &Refusal<'_>) -> Error {
    let status = refusal.status();
    let body = refusal.json();
    let upstream = body.as_ref().map_or_else(|| Upstream { status, ..Upstream::default() }, |body| words(status, body));
    let said = upstream.error.clone().unwrap_or_else(|| "no reason given".to_owned());
    let error = |kind, message: &str, hint: &str| Error::new(kind, format!("{message}: {said}.")).with_hint(hint);
    let failure = match status {
        401 => error(
            ErrorKind::Unauthorized,
            "Pipedrive does not accept the connection's credential",
            "Connect the account again, or check its API token.",
        ),
        // A page instead of JSON follows abuse of the limits, and is no permission.
        403 if body.is_none() => Error::new(ErrorKind::RateLimited, "Pipedrive's gateway blocks the account for a while.")
            .with_hint("Too many requests went on through refusals: wait some minutes before the next call."),
        403 if said.contains("Scope and URL mismatch") => missing_scope(refusal.scopes()),
        402 | 403 => error(
            ErrorKind::Forbidden,
            "Pipedrive does not allow it",
            "Check the plan, the limits and the permissions of the connected user.",
        ),
        404 if body.is_none() => Error::new(ErrorKind::NotFound, "The host has no such page, and does not answer as Pipedrive does.")
            .with_hint("Check the connection's host."),
        404 => error(
            ErrorKind::NotFound,
            "Pipedrive has no such record",
            "Check the ID; the record may be deleted, or not visible to the connected user.",
        ),
        409 => error(ErrorKind::Conflict, "Pipedrive refuses it as the record stands", "Read the record, and try again."),
        410 => error(ErrorKind::Gone, "Pipedrive has it no longer", "The record is gone for good."),
        429 => limited(refusal),
        // A success that says that it is none counts as a rejection.
        200..=499 | 501 => {
            let faults = faults(&said, refusal);
            let hint =
                if faults.is_empty() { "Read what Pipedrive says, and mend the input." } else { "Mend the input that Pipedrive names." };
            error(ErrorKind::UpstreamRejected, "Pipedrive rejects the request", hint).with_faults(faults)
        }
        _ => failed(refusal),
    };
    failure.with_upstream(upstream)
}

fn missing_scope(scopes: &[&str]) -> Error {
    let error = Error::new(ErrorKind::MissingScope, "The connection was not granted what this needs.");
    match scopes {
        [_, ..] => error.with_hint(format!("Add one of these scopes to the app, and connect again: {}.", scopes.join(", "))),
        [] => error.with_hint("Add the scope to the app, and connect again."),
    }
}

/// A 429: the daily budget is spent, or too much was asked within two seconds. A header that is absent says nothing.
fn limited(refusal: &Refusal<'_>) -> Error {
    let number = |name: &str| refusal.header(name).and_then(|value| value.trim().parse::<u64>().ok());
    if number("x-daily-ratelimit-token-remaining") == Some(0) {
        let error = Error::new(ErrorKind::BudgetExhausted, "The company's daily budget of Pipedrive is spent.")
            .with_hint("It is renewed at midnight of Pipedrive's server; a larger plan has more.");
        // Only `retry-after` can mean the day: the other header is about two seconds.
        return match number("retry-after") {
            Some(seconds) => error.with_retry_after_ms(seconds.saturating_mul(1000)),
            None => error,
        };
    }
    let seconds = number("retry-after").or_else(|| number("x-ratelimit-reset")).unwrap_or(2);
    Error::new(ErrorKind::RateLimited, "Pipedrive takes no more requests for a moment.")
        .with_hint("Try again after the time named, or make fewer calls at once.")
        .with_retry_after_ms(seconds.saturating_mul(1000))
}

/// A 5xx: maintenance did nothing; anything else may have, where it was a write.
fn failed(refusal: &Refusal<'_>) -> Error {
    let status = refusal.status();
    let error = Error::new(ErrorKind::UpstreamError, format!("Pipedrive failed with {status}."));
    match refusal.effect() {
        _ if status == 503 => error.with_hint("Pipedrive is under maintenance: try again later."),
        Effect::Read => error.with_hint("Nothing was changed: try again later."),
        _ => error.with_retry(Retry::Unsafe).with_hint("The request may have been carried out: look before you repeat it."),
    }
}

/// Pipedrive's words, wherever it put them.
fn words(status: u16, body: &Value) -> Upstream {
    let text = |names: &[&str]| {
        let value = names.iter().map(|name| &body[*name]).find(|value| !value.is_null())?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(shorten(text.trim().trim_end_matches('.'), 500))
    };
    Upstream { status, error: text(&["error", "message", "errors"]), info: text(&["error_info"]), code: text(&["code", "errorCode"]) }
}

/// `Validation failed: custom_fields.abc: Unknown key` → a fault at `/customFields/abc`.
fn faults(said: &str, refusal: &Refusal<'_>) -> Vec<Fault> {
    let read = || {
        let rest = said.strip_prefix("Validation failed: ")?;
        let (place, message) = rest.split_once(": ")?;
        let mut segments = place.split(['.', '/', '[', ']']).filter(|segment| !segment.is_empty());
        let field = refusal.field_on_wire(segments.next()?)?;
        let path = segments.fold(format!("/{}", field.name), |path, segment| path + "/" + segment);
        Some(Fault::new(path, message))
    };
    read().into_iter().collect()
}
