//! The token endpoint, and the endpoint that revokes tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::engine::state::FIRST_USER;
use crate::oauth::apps::{App, is_redirect_uri};
use crate::oauth::form::Form;
use crate::oauth::responses::answer_json;
use crate::oauth::visit::Visit;
use crate::value::secret::is_same;
use crate::world::grants::{ACCESS_LIVES, Grantor, Issued};
use crate::world::refusal::Refusal;

pub(super) fn issue(visit: &Visit) -> Response<Bytes> {
    respond(issue_tokens(visit))
}

/// Revokes a token of the client. An unknown token is answered like a revoked one.
pub(super) fn revoke(visit: &Visit) -> Response<Bytes> {
    respond(revoke_token(visit))
}

fn respond(done: Result<Value, Refusal>) -> Response<Bytes> {
    match done {
        Ok(body) => answer_json(StatusCode::OK, &body),
        Err(refusal) => answer_json(refusal.status(), &refusal.body()),
    }
}

fn issue_tokens(visit: &Visit) -> Result<Value, Refusal> {
    let form = Form::from_body(visit.request).map_err(Refusal::Request)?;
    let app = find_client(visit, &form)?;
    let api_domain = visit.base().ok_or_else(|| Refusal::Request("the header Host names no host".to_owned()))?;
    let Issued { access_token, refresh_token, scopes } = match require(&form, "grant_type")? {
        "authorization_code" => exchange_code(visit, app, &form)?,
        "refresh_token" => refresh(visit, app, &form)?,
        "exchange_api_token" => exchange_api_token(visit, app, &form)?,
        _ => return Err(Refusal::GrantType),
    };
    (visit.on_secret)(&access_token);
    (visit.on_secret)(&refresh_token);
    Ok(json!({
        "access_token": access_token, "token_type": "Bearer", "refresh_token": refresh_token, "scope": scopes.join(","),
        "expires_in": ACCESS_LIVES, "api_domain": api_domain,
    }))
}

fn exchange_code(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let (code, redirect_uri) = (require(form, "code")?, require(form, "redirect_uri")?);
    if !is_redirect_uri(redirect_uri) {
        return Err(Refusal::Request("redirect_uri is no address".to_owned()));
    }
    if !app.has_redirect_uri(redirect_uri) {
        return Err(Refusal::Request("redirect_uri is not the one that the app is registered with".to_owned()));
    }
    visit.kept.write(|world| world.grants_mut().exchange(&app.client_id, code, redirect_uri, visit.seconds()))
}

fn refresh(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let token = require(form, "refresh_token")?;
    let issued =
        visit.kept.write(|world| world.grants_mut().refresh(&app.client_id, token, visit.server.refresh_tokens, visit.seconds()))?;
    visit.server.count_refresh();
    Ok(issued)
}

/// Installs the app for the user of an API token.
fn exchange_api_token(visit: &Visit, app: &App, form: &Form) -> Result<Issued, Refusal> {
    let token = require(form, "api_token")?;
    let company = visit.companies.iter().find(|company| is_same(company.api_token.as_bytes(), token.as_bytes()));
    let company = company.ok_or(Refusal::Grant("api_token is unknown"))?;
    let by = Grantor { client_id: app.client_id.clone(), company: company.id, user: FIRST_USER };
    visit.kept.write(|world| Ok(world.grants_mut().install(by, app.scopes_to_grant(), visit.seconds())))
}

fn revoke_token(visit: &Visit) -> Result<Value, Refusal> {
    let form = Form::from_body(visit.request).map_err(Refusal::Request)?;
    let app = find_client(visit, &form)?;
    // The parameter token_type_hint is not needed: the token itself shows its type.
    let token = require(&form, "token")?;
    visit.kept.write(|world| {
        world.grants_mut().revoke(&app.client_id, token);
        Ok::<_, Refusal>(())
    })?;
    Ok(json!({ "success": true }))
}

/// Finds the app of a request by the credentials in its header, or else in its body.
fn find_client<'a>(visit: &'a Visit, form: &Form) -> Result<&'a App, Refusal> {
    let (id, secret) = match visit.request.headers().get(AUTHORIZATION) {
        Some(value) => read_basic(value).ok_or(Refusal::Client("the client's credentials cannot be read"))?,
        None => (require(form, "client_id")?.to_owned(), require(form, "client_secret")?.to_owned()),
    };
    let app = visit.app(&id).filter(|app| app.is_secret(&secret));
    app.ok_or(Refusal::Client("the client's credentials are wrong"))
}

fn read_basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let text = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn require<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    form.get(name).ok_or_else(|| Refusal::missing(name))
}
