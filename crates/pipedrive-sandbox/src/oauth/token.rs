//! The endpoints that issue and revoke tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::engine::state::FIRST_USER;
use crate::oauth::apps::{App, is_redirect_uri};
use crate::oauth::context::Context;
use crate::oauth::form::Form;
use crate::oauth::responses::respond_json;
use crate::world::grants::{ACCESS_TOKEN_LIFETIME, Grantor, IssuedTokens};
use crate::world::refusal::Refusal;

/// Answers a request for tokens.
pub(super) fn issue(context: &Context) -> Response<Bytes> {
    respond(issue_tokens(context))
}

/// Revokes a token of the client. An unknown token is no error, as it gives no access.
pub(super) fn revoke(context: &Context) -> Response<Bytes> {
    respond(revoke_token(context))
}

fn respond(result: Result<Value, Refusal>) -> Response<Bytes> {
    match result {
        Ok(body) => respond_json(StatusCode::OK, &body),
        Err(refusal) => respond_json(refusal.status(), &refusal.body()),
    }
}

fn issue_tokens(context: &Context) -> Result<Value, Refusal> {
    let form = Form::from_body(context.request).map_err(Refusal::InvalidRequest)?;
    let app = find_client(context, &form)?;
    let api_domain = context.base_url().ok_or_else(|| Refusal::InvalidRequest("the header Host names no host".to_owned()))?;
    let IssuedTokens { access_token, refresh_token, scopes } = match require(&form, "grant_type")? {
        "authorization_code" => exchange_code(context, app, &form)?,
        "refresh_token" => refresh(context, app, &form)?,
        "exchange_api_token" => exchange_api_token(context, app, &form)?,
        _ => return Err(Refusal::UnsupportedGrantType),
    };
    (context.on_secret)(&access_token);
    (context.on_secret)(&refresh_token);
    Ok(json!({
        "access_token": access_token, "token_type": "Bearer", "refresh_token": refresh_token, "scope": scopes.join(","),
        "expires_in": ACCESS_TOKEN_LIFETIME, "api_domain": api_domain,
    }))
}

fn exchange_code(context: &Context, app: &App, form: &Form) -> Result<IssuedTokens, Refusal> {
    let (code, redirect_uri) = (require(form, "code")?, require(form, "redirect_uri")?);
    if !is_redirect_uri(redirect_uri) {
        return Err(Refusal::InvalidRequest("redirect_uri is not a valid address".to_owned()));
    }
    if !app.has_redirect_uri(redirect_uri) {
        return Err(Refusal::InvalidRequest("redirect_uri is not one that the app is registered with".to_owned()));
    }
    context.store.write(|world| world.grants_mut().exchange_code(&app.client_id, code, redirect_uri, context.seconds()))
}

fn refresh(context: &Context, app: &App, form: &Form) -> Result<IssuedTokens, Refusal> {
    let token = require(form, "refresh_token")?;
    let issued =
        context.store.write(|world| world.grants_mut().refresh(&app.client_id, token, context.server.refresh_tokens, context.seconds()))?;
    context.server.count_refresh();
    Ok(issued)
}

/// Installs the app for the user of an API token, so that the app can stop using that.
fn exchange_api_token(context: &Context, app: &App, form: &Form) -> Result<IssuedTokens, Refusal> {
    let token = require(form, "api_token")?;
    let (company, _) = context.companies.find(token).ok_or(Refusal::InvalidGrant("api_token is unknown"))?;
    let by = Grantor { client_id: app.client_id.clone(), company: company.id, user: FIRST_USER };
    context.store.write(|world| Ok(world.grants_mut().install(by, app.list_scopes().into(), context.seconds())))
}

fn revoke_token(context: &Context) -> Result<Value, Refusal> {
    let form = Form::from_body(context.request).map_err(Refusal::InvalidRequest)?;
    let app = find_client(context, &form)?;
    // token_type_hint is not needed: the token itself tells its type.
    let token = require(&form, "token")?;
    context.store.write(|world| {
        world.grants_mut().revoke(&app.client_id, token);
        Ok::<_, Refusal>(())
    })?;
    Ok(json!({ "success": true }))
}

/// Finds the app that sends a request, by the credentials in the header or, without a header, in the body.
fn find_client<'a>(context: &'a Context, form: &Form) -> Result<&'a App, Refusal> {
    let (id, secret) = match context.request.headers().get(AUTHORIZATION) {
        Some(value) => parse_basic(value).ok_or(Refusal::InvalidClient("the client's credentials are not valid Basic authentication"))?,
        None => (require(form, "client_id")?.to_owned(), require(form, "client_secret")?.to_owned()),
    };
    let app = context.find_app(&id).filter(|app| app.has_secret(&secret));
    app.ok_or(Refusal::InvalidClient("the client's credentials are wrong"))
}

fn parse_basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let text = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn require<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    form.get(name).ok_or_else(|| Refusal::missing_parameter(name))
}
