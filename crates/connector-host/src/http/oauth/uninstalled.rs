//! `DELETE /oauth/callback`: the vendor tells that a user uninstalled the app.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_connections::Moment;
use connector_core::ErrorKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::answer::{self, Refusal};
use crate::http::routes::{Call, bad};
use crate::http::{body, first_app};

/// What it says; members that are added later change nothing.
#[derive(Deserialize)]
struct Told {
    client_id: String,
    company_id: Value,
    user_id: Value,
    #[serde(default)]
    timestamp: Value,
}

pub(in crate::http) async fn uninstalled(call: Call, body: Body) -> Result<Response, Refusal> {
    const MOST: usize = 64 << 10;
    let app = call.host.vault.app(first_app())?;
    let (id, secret) = basic(&call.head.headers).ok_or_else(not_the_vendor)?;
    if !app.is_client(&id, &secret) {
        return Err(not_the_vendor());
    }
    let text = body::small(body, MOST).await?;
    let told: Told = serde_json::from_slice(&text).map_err(|_| unreadable())?;
    let (company, user) = (word(&told.company_id).ok_or_else(unreadable)?, word(&told.user_id).ok_or_else(unreadable)?);
    if told.client_id != id {
        return Err(not_the_vendor());
    }
    let gone = call.host.vault.record_uninstall(&id, &company, &user, moment(&told.timestamp)).await?;
    tracing::info!(connections = gone, "the app was uninstalled");
    Ok(answer::json(StatusCode::OK, &json!({ "ok": true })))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, word) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(word.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

/// An id, which is a number or a text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// When it was, where that can be read: a date and time, or seconds or milliseconds. Without it all that was granted until
/// now is gone.
fn moment(value: &Value) -> Option<Moment> {
    if let Some(moment) = value.as_str().and_then(Moment::from_text) {
        return Some(moment);
    }
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    let micros = if number > 100_000_000_000 { number.checked_mul(1000) } else { number.checked_mul(1_000_000) };
    micros.map(Moment::from_micros)
}

fn not_the_vendor() -> Refusal {
    let hint = "Authenticate with the app's client id and secret.";
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorKind::Unauthorized, "This is for the vendor, who knows the app's secret.", hint)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"))
}

fn unreadable() -> Refusal {
    bad("The notice cannot be read.", "It is a JSON object with client_id, company_id and user_id.")
}
