//! `DELETE /oauth/callback`: the notice of the vendor that a user uninstalled the app.

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

use crate::conduct::call::Call;
use crate::wire::body::read_small_body;
use crate::wire::refusal::Refusal;
use crate::wire::response::respond_json;

/// The notice. Unknown members are ignored.
#[derive(Deserialize)]
struct UninstallNotice {
    client_id: String,
    company_id: Value,
    user_id: Value,
    #[serde(default)]
    timestamp: Value,
}

pub(crate) async fn record_uninstall(call: Call, body: Body) -> Result<Response, Refusal> {
    const MAX_BYTES: usize = 64 << 10;
    let (id, secret) = find_basic(&call.head.headers).ok_or_else(not_the_vendor)?;
    if !call.host.apps().any(|app| app.is_client(&id, &secret)) {
        return Err(not_the_vendor());
    }
    let text = read_small_body(body, MAX_BYTES).await?;
    let notice: UninstallNotice = serde_json::from_slice(&text).map_err(|_| unreadable())?;
    let (company, user) = (read_id(&notice.company_id).ok_or_else(unreadable)?, read_id(&notice.user_id).ok_or_else(unreadable)?);
    if notice.client_id != id {
        return Err(not_the_vendor());
    }
    let ended = call.host.vault.record_uninstall(&id, &company, &user, read_moment(&notice.timestamp)).await?;
    tracing::info!(connections = ended, "the app was uninstalled");
    Ok(respond_json(StatusCode::OK, &json!({ "ok": true })))
}

fn find_basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, word) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(word.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

/// Reads an id, which is a number or a text.
fn read_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads the time of the uninstall: a date and time, or seconds or milliseconds.
///
/// Without it, all grants until now end.
fn read_moment(value: &Value) -> Option<Moment> {
    if let Some(moment) = value.as_str().and_then(Moment::from_text) {
        return Some(moment);
    }
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    let micros = if number > 100_000_000_000 { number.checked_mul(1000) } else { number.checked_mul(1_000_000) };
    micros.map(Moment::from_micros)
}

fn not_the_vendor() -> Refusal {
    let hint = "Authenticate with the app's client id and secret.";
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorKind::Unauthorized, "Only the vendor, who knows the app's secret, may send this.", hint)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"))
}

fn unreadable() -> Refusal {
    Refusal::bad_request("The notice cannot be read.", "It is a JSON object with client_id, company_id and user_id.")
}
