//! The token endpoint and its counterpart, which takes tokens back.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::apps::{App, is_redirect_uri};
use super::form::Form;
use super::grants::{ACCESS_LIVES, Grantor, Issued};
use super::refusal::Refusal;
use super::{Visit, answer};
use crate::seed;
use crate::value::secret::same;

pub(super) fn issue(visit: &Visit) -> Response<Bytes> {
    respond(issued(visit))
}

/// Takes back a token of the client's own. One that it does not have is as good as taken back.
pub(super) fn revoke(visit: &Visit) -> Response<Bytes> {
    respond(revoked(visit))
}

fn respond(done: Result<Value, Refusal>) -> Response<Bytes> {
    match done {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(refusal) => answer(refusal.status(), &refusal.body()),
    }
}

fn issued(visit: &Visit) -> Result<Value, Refusal> {
    let form = Form::of_body(visit.request).map_err(Refusal::Request)?;
    let app = client(visit, &form)?;
    let api_domain = visit.base().ok_or_else(|| Refusal::Request("the header Host names no host".to_owned()))?;
    let Issued { access_token, refresh_token, scopes } = match needed(&form, "grant_type")? {
        "authorization_code" => by_code(visit, app, &form)?,
        "refresh_token" => by_refresh_token(visit, app, &form)?,
        "exchange_api_token" => by_api_token(visit, app, &form)?,
        _ => return Err(Refusal::GrantType),
    };
    visit.note([&access_token, &refresh_token]);
    Ok(json!({
        "access_token": access_token, "token_type": "Bearer", "refresh_token": refresh_token, "scope": scopes.join(","),
        "expires_in": ACCESS_LIVES, "api_domain": api_domain,
    }))
}

fn by_code(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let (code, redirect_uri) = (needed(form, "code")?, needed(form, "redirect_uri")?);
    if !is_redirect_uri(redirect_uri) {
        return Err(Refusal::Request("redirect_uri is no address".to_owned()));
    }
    if !app.has_redirect_uri(redirect_uri) {
        return Err(Refusal::Request("redirect_uri is not the one that the app is registered with".to_owned()));
    }
    visit.inner.kept.write(|world| world.grants_mut().exchange(&app.client_id, code, redirect_uri, visit.seconds()))
}

fn by_refresh_token(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let server = &visit.inner.oauth;
    let token = needed(form, "refresh_token")?;
    let issued =
        visit.inner.kept.write(|world| world.grants_mut().refresh(&app.client_id, token, server.refresh_tokens, visit.seconds()))?;
    server.refreshes.fetch_add(1, Ordering::Relaxed);
    Ok(issued)
}

/// Installs the app for the user whose API token it has so far used.
fn by_api_token(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let token = needed(form, "api_token")?;
    let company = visit.inner.companies.iter().find(|company| same(company.api_token.as_bytes(), token.as_bytes()));
    let company = company.ok_or(Refusal::Grant("api_token is unknown"))?;
    let by = Grantor { client_id: app.client_id.clone(), company: company.id, user: seed::USER };
    visit.inner.kept.write(|world| Ok(world.grants_mut().install(by, app.granted(), visit.seconds())))
}

fn revoked(visit: &Visit) -> Result<Value, Refusal> {
    let form = Form::of_body(visit.request).map_err(Refusal::Request)?;
    let app = client(visit, &form)?;
    // What token_type_hint says is seen from the token itself.
    let token = needed(&form, "token")?;
    visit.inner.kept.write(|world| {
        world.grants_mut().revoke(&app.client_id, token);
        Ok::<_, Refusal>(())
    })?;
    Ok(json!({ "success": true }))
}

/// The app that a request comes from, by its header or, where it has none, by its body.
fn client<'a>(visit: &'a Visit, form: &Form) -> Result<&'a App, Refusal> {
    let (id, secret) = match visit.request.headers().get(AUTHORIZATION) {
        Some(value) => basic(value).ok_or(Refusal::Client("the client's credentials cannot be read"))?,
        None => (needed(form, "client_id")?.to_owned(), needed(form, "client_secret")?.to_owned()),
    };
    let app = visit.app(&id).filter(|app| app.is_secret(&secret));
    app.ok_or(Refusal::Client("the client's credentials are wrong"))
}

fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let text = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn needed<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    form.get(name).ok_or_else(|| Refusal::missing(name))
}
