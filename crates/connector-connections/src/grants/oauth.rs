//! Requests to the vendor: tokens, revocation, and the account of a credential.

use std::time::Duration;

use connector_core::{Access, Error, ErrorKind, Http, HttpResponse, Retry, Upstream};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::value::app::{App, Client, Endpoint};
use crate::value::model::{Company, Metadata, User};
use crate::value::tokens::Tokens;

/// Failure of a request for tokens.
#[derive(Debug)]
pub(crate) enum TokenFailure {
    /// The vendor refuses the code or the refresh token.
    Refused(Error),
    /// Anything else. The grant may still be in force.
    Failed(Error),
}

/// Builds the URL of the vendor's page on which a user grants access.
pub(crate) fn build_authorize_url(app: &App, redirect_uri: &str, state: &str) -> Result<String, Error> {
    let client = app.client()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state)
        .finish();
    Ok(format!("{}?{query}", app.url(Endpoint::Authorize)))
}

/// Exchanges an authorization code for tokens.
pub(crate) async fn exchange_code(http: &Http, app: &App, code: &SecretString, redirect_uri: &str) -> Result<Tokens, Error> {
    let form = [("grant_type", "authorization_code"), ("code", code.expose_secret()), ("redirect_uri", redirect_uri)];
    match request_tokens(http, app, &form).await {
        Ok(tokens) => Ok(tokens),
        Err(TokenFailure::Failed(error)) => Err(error),
        Err(TokenFailure::Refused(error)) => {
            let message = format!("{} does not accept the code: it was used, or is too old.", app.connector().label);
            let failure = Error::new(ErrorKind::Gone, message).with_hint("Begin again: a code can be used once, for five minutes.");
            Err(failure.with_upstream(error.upstream().cloned().unwrap_or_default()))
        }
    }
}

/// Exchanges a refresh token for tokens.
pub(crate) async fn refresh_tokens(http: &Http, app: &App, token: &SecretString) -> Result<Tokens, TokenFailure> {
    request_tokens(http, app, &[("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]).await
}

/// Revokes a refresh token, and with it the grant.
pub(crate) async fn revoke(http: &Http, app: &App, token: &SecretString) -> Result<(), Error> {
    let form = [("token", token.expose_secret()), ("token_type_hint", "refresh_token")];
    let answer = post(http, app, Endpoint::Revoke, &form).await?;
    match answer.status {
        200..=299 => Ok(()),
        // The grant had ended before.
        _ if is_grant_refused(&answer) => Ok(()),
        _ => Err(explain(app, &answer)),
    }
}

/// Fetches the account of a credential.
pub(crate) async fn fetch_account(http: &Http, app: &App, access: &Access) -> Result<Metadata, Error> {
    let identity = &app.oauth().identity;
    let answer = http.get(app.connector(), access, identity.path).await?;
    let label = app.connector().label;
    match answer.status {
        200..=299 => {}
        401 => {
            return Err(Error::new(ErrorKind::Unauthorized, format!("{label} refuses the credential."))
                .with_hint("Connect the account again, or give a valid token.")
                .with_upstream(describe_upstream(&answer)));
        }
        _ => return Err(explain(app, &answer)),
    }
    let unreadable = || Error::new(ErrorKind::BadAnswer, format!("{label} does not say which account the credential belongs to."));
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    let text = |pointer: &str| body.pointer(pointer).and_then(to_text);
    let metadata = Metadata {
        company: Company { id: text(identity.company), name: text(identity.company_name), domain: text(identity.company_domain) },
        user: User { id: text(identity.user), name: text(identity.user_name), email: text(identity.email) },
        scopes: None,
        api_domain: Some(access.origin().to_owned()),
    };
    if metadata.company.id.is_none() || metadata.user.id.is_none() {
        return Err(unreadable());
    }
    Ok(metadata)
}

async fn request_tokens(http: &Http, app: &App, form: &[(&str, &str)]) -> Result<Tokens, TokenFailure> {
    let answer = post(http, app, Endpoint::Token, form).await.map_err(TokenFailure::Failed)?;
    let label = app.connector().label;
    match answer.status {
        200..=299 => {}
        400 | 401 | 403 if is_grant_refused(&answer) => {
            return Err(TokenFailure::Refused(
                Error::new(ErrorKind::ReconnectRequired, format!("{label} no longer accepts the grant."))
                    .with_hint("Connect the account again.")
                    .with_upstream(describe_upstream(&answer)),
            ));
        }
        _ => return Err(TokenFailure::Failed(explain(app, &answer))),
    }
    parse_tokens(app, &answer.body).ok_or_else(|| {
        TokenFailure::Failed(Error::new(ErrorKind::BadAnswer, format!("{label}'s token endpoint gave no tokens.")).with_retry(Retry::Later))
    })
}

async fn post(http: &Http, app: &App, endpoint: Endpoint, form: &[(&str, &str)]) -> Result<HttpResponse, Error> {
    let Client { id, secret, .. } = app.client()?;
    // The caller's own request was not sent, so that a retry is safe.
    let later = |error: Error| error.with_retry(Retry::Later).with_hint("The vendor's OAuth server did not respond. Try again.");
    http.post_form(&app.url(endpoint), id, secret, form).await.map_err(later)
}

fn parse_tokens(app: &App, body: &[u8]) -> Option<Tokens> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let scopes = |text: &str| text.split([app.oauth().scope_separator, ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let seconds = body.get("expires_in").and_then(to_text).and_then(|text| text.trim().parse::<f64>().ok());
    Some(Tokens {
        access: text("access_token")?.to_owned().into(),
        refresh: text("refresh_token").map(|token| token.to_owned().into()),
        api_domain: text(app.oauth().api_domain).map(str::to_owned),
        scopes: text("scope").map(scopes),
        lifetime: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

/// Converts a string or a number to text.
fn to_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads the texts of an error's body, in the members that vendors use.
fn read_error_texts(answer: &HttpResponse) -> Vec<String> {
    const MEMBERS: [&str; 4] = ["error", "error_description", "message", "error_info"];
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    MEMBERS.iter().filter_map(|name| body.get(name).and_then(Value::as_str)).map(str::to_lowercase).collect()
}

/// Checks whether a response says that the grant is no longer in force.
fn is_grant_refused(answer: &HttpResponse) -> bool {
    let texts = read_error_texts(answer).join(" ").replace(['_', '-'], " ");
    // An unknown client is a fault of this host and says nothing of the grant.
    !texts.contains("invalid client") && ["invalid grant", "refresh token"].iter().any(|sign| texts.contains(sign))
}

/// Describes the vendor's response. It repeats an error code alone, since free text may quote a secret.
fn describe_upstream(answer: &HttpResponse) -> Upstream {
    let code = read_error_texts(answer)
        .into_iter()
        .find(|text| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    Upstream { status: answer.status, error: code, ..Upstream::default() }
}

/// Explains a response that is neither a success nor a refusal of the grant.
fn explain(app: &App, answer: &HttpResponse) -> Error {
    let label = app.connector().label;
    let failure = match answer.status {
        429 => Error::new(ErrorKind::RateLimited, format!("{label} received too many requests.")).with_hint("Try again later."),
        500.. => Error::new(ErrorKind::UpstreamError, format!("{label} failed.")).with_retry(Retry::Later).with_hint("Try again later."),
        300..=399 => Error::new(ErrorKind::BadAnswer, format!("{label} answers with a redirect, which is not followed.")),
        _ if read_error_texts(answer).join(" ").replace('_', " ").contains("invalid client") => {
            Error::new(ErrorKind::Unauthorized, format!("{label} refuses this host's client."))
                .with_hint("Check the client's id and secret.")
        }
        _ => Error::new(ErrorKind::UpstreamRejected, format!("{label} refuses the request.")),
    };
    failure.with_upstream(describe_upstream(answer))
}
