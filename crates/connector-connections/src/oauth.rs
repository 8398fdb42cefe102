//! The vendor's OAuth server: a code or a refresh token for tokens, a token given back, and whose a token is.

use std::time::Duration;

use connector_core::{Access, Error, ErrorKind, Http, HttpAnswer, Retry, Upstream};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::value::app::{App, Client, Endpoint};
use crate::value::model::{Company, Metadata, User};
use crate::value::tokens::Tokens;

/// Why there are no tokens.
#[derive(Debug)]
pub(crate) enum NoTokens {
    /// The code or the refresh token is worth nothing.
    Refused(Error),
    /// Anything else: the grant may well live.
    Failed(Error),
}

/// Where a browser goes to grant access.
pub(crate) fn authorize_url(app: &App, redirect_uri: &str, state: &str) -> Result<String, Error> {
    let client = app.client()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state)
        .finish();
    Ok(format!("{}?{query}", app.url(Endpoint::Authorize)))
}

/// Tokens for a code.
pub(crate) async fn exchange(http: &Http, app: &App, code: &SecretString, redirect_uri: &str) -> Result<Tokens, Error> {
    let form = [("grant_type", "authorization_code"), ("code", code.expose_secret()), ("redirect_uri", redirect_uri)];
    match tokens(http, app, &form).await {
        Ok(tokens) => Ok(tokens),
        Err(NoTokens::Failed(error)) => Err(error),
        Err(NoTokens::Refused(error)) => {
            let message = format!("{} does not honour the code: it was used, or is too old.", app.connector().label);
            let failure = Error::new(ErrorKind::Gone, message).with_hint("Begin again: a code is good for five minutes, and once.");
            Err(failure.with_upstream(error.upstream().cloned().unwrap_or_default()))
        }
    }
}

/// Tokens for a refresh token.
pub(crate) async fn refresh(http: &Http, app: &App, token: &SecretString) -> Result<Tokens, NoTokens> {
    tokens(http, app, &[("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]).await
}

/// Gives a refresh token back, and with it the grant.
pub(crate) async fn revoke(http: &Http, app: &App, token: &SecretString) -> Result<(), Error> {
    let form = [("token", token.expose_secret()), ("token_type_hint", "refresh_token")];
    let answer = post(http, app, Endpoint::Revoke, &form).await?;
    match answer.status {
        200..=299 => Ok(()),
        // It is gone already.
        _ if refuses_grant(&answer) => Ok(()),
        _ => Err(failure(app, &answer)),
    }
}

/// Whose a credential is.
pub(crate) async fn identity(http: &Http, app: &App, access: &Access) -> Result<Metadata, Error> {
    let identity = &app.oauth().identity;
    let answer = http.get(app.connector(), access, identity.path).await?;
    let label = app.connector().label;
    match answer.status {
        200..=299 => {}
        401 => {
            return Err(Error::new(ErrorKind::Unauthorized, format!("{label} refuses the credential."))
                .with_hint("Connect the account again, or give a token that is in force.")
                .with_upstream(upstream(&answer)));
        }
        _ => return Err(failure(app, &answer)),
    }
    let unread = || Error::new(ErrorKind::BadAnswer, format!("{label} does not say whose the credential is."));
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unread())?;
    let text = |pointer: &str| body.pointer(pointer).and_then(word);
    let metadata = Metadata {
        company: Company { id: text(identity.company), name: text(identity.company_name), domain: text(identity.company_domain) },
        user: User { id: text(identity.user), name: text(identity.user_name), email: text(identity.email) },
        scopes: None,
        api_domain: Some(access.origin().to_owned()),
    };
    if metadata.company.id.is_none() || metadata.user.id.is_none() {
        return Err(unread());
    }
    Ok(metadata)
}

async fn tokens(http: &Http, app: &App, form: &[(&str, &str)]) -> Result<Tokens, NoTokens> {
    let answer = post(http, app, Endpoint::Token, form).await.map_err(NoTokens::Failed)?;
    let label = app.connector().label;
    match answer.status {
        200..=299 => {}
        400 | 401 | 403 if refuses_grant(&answer) => {
            return Err(NoTokens::Refused(
                Error::new(ErrorKind::ReconnectRequired, format!("{label} no longer honours the grant."))
                    .with_hint("Connect the account again.")
                    .with_upstream(upstream(&answer)),
            ));
        }
        _ => return Err(NoTokens::Failed(failure(app, &answer))),
    }
    read(app, &answer.body).ok_or_else(|| {
        NoTokens::Failed(Error::new(ErrorKind::BadAnswer, format!("{label}'s token endpoint gave no tokens.")).with_retry(Retry::Later))
    })
}

async fn post(http: &Http, app: &App, endpoint: Endpoint, form: &[(&str, &str)]) -> Result<HttpAnswer, Error> {
    let Client { id, secret, .. } = app.client()?;
    // Nothing of the caller's was carried out, whatever became of this request.
    let later = |error: Error| error.with_retry(Retry::Later).with_hint("The vendor's OAuth server gave no answer: try again.");
    http.post_form(&app.url(endpoint), id, secret, form).await.map_err(later)
}

fn read(app: &App, body: &[u8]) -> Option<Tokens> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let scopes = |text: &str| text.split([app.oauth().scope_separator, ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let seconds = body.get("expires_in").and_then(word).and_then(|text| text.trim().parse::<f64>().ok());
    Some(Tokens {
        access: text("access_token")?.to_owned().into(),
        refresh: text("refresh_token").map(|token| token.to_owned().into()),
        api_domain: text(app.oauth().api_domain).map(str::to_owned),
        scopes: text("scope").map(scopes),
        lifetime: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

/// A string or a number, as text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What an error's body says, wherever it says it.
fn words(answer: &HttpAnswer) -> Vec<String> {
    const MEMBERS: [&str; 4] = ["error", "error_description", "message", "error_info"];
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    MEMBERS.iter().filter_map(|name| body.get(name).and_then(Value::as_str)).map(str::to_lowercase).collect()
}

fn refuses_grant(answer: &HttpAnswer) -> bool {
    let words = words(answer).join(" ").replace(['_', '-'], " ");
    // A client that is not known is this host's trouble, not the grant's.
    !words.contains("invalid client") && ["invalid grant", "refresh token"].iter().any(|sign| words.contains(sign))
}

/// Only a code of the standard is repeated: free words may quote what was sent.
fn upstream(answer: &HttpAnswer) -> Upstream {
    let code =
        words(answer).into_iter().find(|word| word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    Upstream { status: answer.status, error: code, ..Upstream::default() }
}

fn failure(app: &App, answer: &HttpAnswer) -> Error {
    let label = app.connector().label;
    let failure = match answer.status {
        429 => Error::new(ErrorKind::RateLimited, format!("{label} was asked too often.")).with_hint("Try again later."),
        500.. => Error::new(ErrorKind::UpstreamError, format!("{label} failed.")).with_retry(Retry::Later).with_hint("Try again later."),
        300..=399 => Error::new(ErrorKind::BadAnswer, format!("{label} answers with a redirect, which is not followed.")),
        _ if words(answer).join(" ").replace('_', " ").contains("invalid client") => {
            Error::new(ErrorKind::Unauthorized, format!("{label} refuses this host's client."))
                .with_hint("Check the client's id and secret.")
        }
        _ => Error::new(ErrorKind::UpstreamRejected, format!("{label} refuses the request.")),
    };
    failure.with_upstream(upstream(answer))
}
