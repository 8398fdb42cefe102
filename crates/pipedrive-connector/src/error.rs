//! Pipedrive's refusals as errors, in the words of the person who built the workflow.

use connector_core::declare::{Effect, Refusal, RefusedOperation};
use connector_core::wording::shorten;
use connector_core::{Error, ErrorKind, Fault, Retry, Upstream};
use serde_json::Value;

/// The place where an app has its scopes.
const DEVELOPER_HUB: &str = "in Pipedrive's Developer Hub, under OAuth & access scopes";

/// The start of the code of a limit of the plan, and its end: between them is what is limited.
const CAPPING: (&str, &str) = ("feature_capping_", "_limit");

/// The length of a custom field's key.
const KEY_LENGTH: usize = 40;

/// Explains a refusal by its status and, where one status has several meanings, by its words.
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
        402 => error(
            ErrorKind::Forbidden,
            "Pipedrive does not allow the call in the company's present plan",
            "The trial may have ended, a payment may be due, or the plan may lack what the message names: an administrator finds it under Billing in Pipedrive's settings.",
        ),
        // A page instead of JSON means that the limits were abused, not that a permission is missing.
        403 if body.is_none() => Error::new(ErrorKind::RateLimited, "Pipedrive's gateway blocks the account for a while.")
            .with_hint("Requests went on although Pipedrive refused them: wait some minutes before the next call."),
        403 if reason.contains("Scope and URL mismatch") => refusal.explain_missing_scope(DEVELOPER_HUB),
        403 => match name_limit(&reason, upstream.code.as_deref()) {
            Some(limit) => Error::new(ErrorKind::Forbidden, format!("A limit of the company's plan is reached ({limit}): {reason}."))
                .with_hint(
                    "Delete or close what is no longer needed, or ask an administrator for a larger plan. The call fails until then.",
                ),
            None => error(
                ErrorKind::Forbidden,
                "Pipedrive does not allow the call",
                "Check the permissions of the connected user, and that the record is visible to that user.",
            ),
        },
        404 if body.is_none() => Error::new(ErrorKind::NotFound, "The host has no such page, and its answer is not one of Pipedrive's.")
            .with_hint("Check the connection's host."),
        404 | 405 if refusal.operation() == RefusedOperation::Unknown => Error::new(
            if status == 404 { ErrorKind::NotFound } else { ErrorKind::UpstreamRejected },
            format!("Pipedrive has no operation {}: {reason}.", refusal.target()),
        )
        .with_hint("Check the method, the version and each segment of the path: Pipedrive documents none like it, as GET /api/v2/deals/1."),
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
        410 => match refusal.operation() {
            RefusedOperation::Ended(instead) => {
                let hint = instead.map_or_else(|| "Nothing replaces it.".to_owned(), |instead| format!("Call {instead} instead."));
                Error::new(ErrorKind::Gone, format!("Pipedrive no longer serves {}: {reason}.", refusal.target())).with_hint(hint)
            }
            _ => error(ErrorKind::Gone, "Pipedrive no longer has the record", "The record is gone for good."),
        },
        429 => explain_limit(refusal),
        501 => error(
            ErrorKind::UpstreamRejected,
            "The operation is not served",
            "No other input helps. A sandbox serves a part of the API: try it with an account of Pipedrive.",
        ),
        // An answer with a status of success that reports a failure counts as a rejection.
        200..=499 => {
            let faults = body.as_ref().map_or_else(Vec::new, |body| read_faults(&reason, body, refusal));
            let hint = match status {
                _ if !faults.is_empty() => "Correct the input that Pipedrive names.",
                415 => "Send another media type, or have an administrator enable the feature that the message names.",
                422 => "Read Pipedrive's message: a number of such things may be limited, as webhooks of a user are.",
                _ => "Read Pipedrive's message and correct the input.",
            };
            error(ErrorKind::UpstreamRejected, "Pipedrive rejects the request", hint).with_faults(faults)
        }
        _ => explain_failure(refusal),
    };
    failure.with_upstream(upstream)
}

/// Names the limit of the plan that is reached, by the code of the refusal or its words.
fn name_limit(reason: &str, code: Option<&str>) -> Option<String> {
    let by_code =
        code.and_then(|code| code.strip_prefix(CAPPING.0)).map(|rest| rest.strip_suffix(CAPPING.1).unwrap_or(rest).replace('_', " "));
    // "Couldn't add X. You've reached the filters per user limit" and "Open deals limit reached".
    let between = || {
        let (_, rest) = reason.split_once("reached the ")?;
        Some(rest.split_once(" limit").map_or(rest, |(limit, _)| limit).to_owned())
    };
    let before = || {
        let (limit, _) = reason.split_once(" limit reached")?;
        Some(limit.rsplit(". ").next().unwrap_or(limit).to_lowercase())
    };
    by_code.or_else(between).or_else(before).filter(|limit| !limit.is_empty())
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

/// Reads the inputs that a refusal names, whichever way it does.
///
/// - v2: `Validation failed: custom_fields.<key>: …`, or `custom_fields: Unknown key '<key>'`, with `field_code` since 2026
/// - v1: `{"errors": {"subscription_url": ["invalid or non-reachable URL"]}}`
/// - call logs: `"outcome" is required`
fn read_faults(reason: &str, body: &Value, refusal: &Refusal<'_>) -> Vec<Fault> {
    let fault = |place: &str, message: &str| Some(Fault::new(refusal.find_input(place)?, message.trim().trim_end_matches('.')));
    if let Some(errors) = body["errors"].as_object() {
        let messages = |value: &Value| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => other.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
        };
        return errors.iter().filter_map(|(place, value)| fault(place, &messages(value).join("; "))).collect();
    }
    if let Some((place, message)) = reason.strip_prefix("Validation failed: ").and_then(|rest| rest.split_once(": ")) {
        let key = body["field_code"].as_str().or_else(|| find_key(message)).filter(|key| !place.contains(*key));
        let place = key.map_or_else(|| place.to_owned(), |key| format!("{place}.{key}"));
        return fault(&place, message).into_iter().collect();
    }
    let quoted = reason.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    quoted.and_then(|(place, message)| fault(place, message)).into_iter().collect()
}

/// Finds the key of a custom field in a message.
fn find_key(message: &str) -> Option<&str> {
    message.split(|letter: char| !letter.is_ascii_hexdigit()).find(|word| word.len() == KEY_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named_by_their_code_or_their_words() {
        for (reason, code, limit) in [
            ("Couldn't add the deal. Open deals limit reached", Some("feature_capping_deals_limit"), Some("deals")),
            ("Couldn't add the deal. Open deals limit reached", None, Some("open deals")),
            ("Couldn't add the field. Limit reached", Some("feature_capping_custom_fields_limit"), Some("custom fields")),
            ("Couldn't add filter. You've reached the filters per user limit", None, Some("filters per user")),
            ("You do not have permissions to do this", None, None),
            ("Forbidden", Some("ERR_FORBIDDEN"), None),
        ] {
            assert_eq!(name_limit(reason, code).as_deref(), limit, "{reason}");
        }
    }

    #[test]
    fn key_of_a_custom_field_is_found_in_a_message() {
        let key = "3cfb68dbb0cc255d1c6fe3841c973265094a14da";
        assert_eq!(find_key(&format!("Unknown key '{key}'")), Some(key));
        assert_eq!(find_key(&format!("{key} must be a number")), Some(key));
        assert_eq!(find_key("must be one of deadbeef, cafe"), None);
    }
}
