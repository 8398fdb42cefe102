//! Requests to the vendor: tokens, revocation, and the account of a credential.

use std::time::Duration;

use connector_core::declare::{ClientAuth, OAuth};
use connector_core::embed::{Access, Redaction};
use connector_core::run::{Http, HttpResponse};
use connector_core::{Error, ErrorKind, Retry, Upstream};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::value::app::App;
use crate::value::model::{Company, Metadata, User};
use crate::value::random;
use crate::value::tokens::Tokens;

/// Failure of a request for tokens.
#[derive(Debug)]
pub(crate) enum TokenFailure {
    /// The vendor refuses the code or the refresh token.
    Refused(Error),
    /// Anything else. The grant may still be in force.
    Failed(Error),
}

impl TokenFailure {
    fn redact(self, redaction: &Redaction) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.redact(redaction)),
            Self::Failed(error) => Self::Failed(error.redact(redaction)),
        }
    }
}

/// Generates the code verifier (PKCE) of an authorization, if the vendor takes one.
pub(crate) fn generate_verifier(app: &App) -> Result<Option<SecretString>, Error> {
    if !app.oauth()?.pkce {
        return Ok(None);
    }
    Ok(Some(random::generate_secret()?.into()))
}

/// Builds the URL of the vendor's page on which a user grants access.
pub(crate) fn build_authorize_url(app: &App, redirect_uri: &str, state: &str, verifier: Option<&SecretString>) -> Result<String, Error> {
    let (oauth, client) = (app.oauth()?, app.client()?);
    if client.secret.is_none() && verifier.is_none() {
        let message = format!("A client without a secret is not safe with {}, which takes no code challenge.", app.label());
        return Err(Error::new(ErrorKind::NoConnection, message).with_hint("Register a client with a secret."));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code").append_pair("client_id", &client.id).append_pair("redirect_uri", redirect_uri);
    query.append_pair("state", state);
    let scopes = app.scopes();
    if !scopes.is_empty() {
        query.append_pair("scope", &scopes.join(&oauth.scope_separator.to_string()));
    }
    if let Some(verifier) = verifier {
        query.append_pair("code_challenge", &random::hash(verifier.expose_secret())).append_pair("code_challenge_method", "S256");
    }
    let url = app.url(oauth.authorize);
    let mark = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{mark}{}", query.finish()))
}

/// Exchanges an authorization code for tokens.
pub(crate) async fn exchange_code(
    http: &Http,
    app: &App,
    code: &SecretString,
    redirect_uri: &str,
    verifier: Option<&SecretString>,
) -> Result<Tokens, Error> {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code.expose_secret()), ("redirect_uri", redirect_uri)];
    form.extend(verifier.map(|verifier| ("code_verifier", verifier.expose_secret())));
    match request_tokens(http, app, &form).await {
        Ok(tokens) => Ok(tokens),
        Err(TokenFailure::Failed(error)) => Err(error),
        Err(TokenFailure::Refused(error)) => {
            let message = format!("{} does not accept the code: it was used, or is too old.", app.label());
            let failure = Error::new(ErrorKind::Gone, message).with_hint("Begin again: a code can be used once, for five minutes.");
            Err(failure.with_upstream(error.upstream().cloned().unwrap_or_default()))
        }
    }
}

/// Exchanges a refresh token for tokens.
pub(crate) async fn refresh_tokens(http: &Http, app: &App, token: &SecretString) -> Result<Tokens, TokenFailure> {
    request_tokens(http, app, &[("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]).await
}

/// Revokes a token, and with it the grant. `hint` says which kind of token it is.
pub(crate) async fn revoke(http: &Http, app: &App, hint: &str, token: &SecretString) -> Result<(), Error> {
    // The connector may have lost its revocation endpoint since the grant was kept for it.
    let Some(url) = app.oauth()?.revoke else { return Ok(()) };
    let form = [("token", token.expose_secret()), ("token_type_hint", hint)];
    let redaction = build_redaction(app, &form);
    let answer = post(http, app, url, &form).await.map_err(|error| error.redact(&redaction))?;
    match answer.status {
        200..=299 => Ok(()),
        // The grant had ended before.
        _ if is_grant_refused(&answer) => Ok(()),
        _ => Err(explain(app, &answer).redact(&redaction)),
    }
}

/// Fetches the account of a credential. Of a vendor that tells none, the host alone is known.
pub(crate) async fn fetch_account(http: &Http, app: &App, access: &Access) -> Result<Metadata, Error> {
    let api_domain = Some(access.origin().to_owned());
    let Some(identity) = &app.connector().identity else { return Ok(Metadata { api_domain, ..Metadata::default() }) };
    let redact = |error: Error| error.redact(access.redaction());
    let answer = http.get(app.connector(), access, identity.path).await.map_err(redact)?;
    let label = app.label();
    match answer.status {
        200..=299 => {}
        401 => {
            let error = Error::new(ErrorKind::Unauthorized, format!("{label} refuses the credential."))
                .with_hint("Connect the account again, or give a valid token.")
                .with_upstream(describe_upstream(&answer));
            return Err(redact(error));
        }
        _ => return Err(redact(explain(app, &answer))),
    }
    let unreadable = || Error::new(ErrorKind::BadAnswer, format!("{label} does not say which account the credential belongs to."));
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    let text = |pointer: &str| {
        let text = body.pointer(pointer).and_then(to_text)?;
        Some(access.redaction().redact(&text).into_owned())
    };
    let metadata = Metadata {
        company: Company { id: text(identity.company), name: text(identity.company_name), domain: text(identity.company_domain) },
        user: User { id: text(identity.user), name: text(identity.user_name), email: text(identity.email) },
        scopes: None,
        api_domain,
    };
    let is_missing = |pointer: &str, id: &Option<String>| !pointer.is_empty() && id.is_none();
    if is_missing(identity.company, &metadata.company.id)
        || is_missing(identity.user, &metadata.user.id)
        || !metadata.is_same_account(&metadata)
    {
        return Err(unreadable());
    }
    Ok(metadata)
}

async fn request_tokens(http: &Http, app: &App, form: &[(&str, &str)]) -> Result<Tokens, TokenFailure> {
    ask_for_tokens(http, app, form).await.map_err(|failure| failure.redact(&build_redaction(app, form)))
}

async fn ask_for_tokens(http: &Http, app: &App, form: &[(&str, &str)]) -> Result<Tokens, TokenFailure> {
    let oauth = app.oauth().map_err(TokenFailure::Failed)?;
    let answer = post(http, app, oauth.token, form).await.map_err(TokenFailure::Failed)?;
    let label = app.label();
    let refused = || {
        let error = Error::new(ErrorKind::ReconnectRequired, format!("{label} no longer accepts the grant."));
        TokenFailure::Refused(error.with_hint("Connect the account again.").with_upstream(describe_upstream(&answer)))
    };
    match answer.status {
        200..=299 => {}
        400 | 401 | 403 if is_grant_refused(&answer) => return Err(refused()),
        _ => return Err(TokenFailure::Failed(explain(app, &answer))),
    }
    match read_tokens(oauth, &answer.body) {
        Some(tokens) => Ok(tokens),
        // Some vendors refuse with a status of success.
        None if is_grant_refused(&answer) => Err(refused()),
        None => {
            let message = format!("{label}'s token endpoint gave no tokens that can be used.");
            Err(TokenFailure::Failed(Error::new(ErrorKind::BadAnswer, message).with_retry(Retry::Later)))
        }
    }
}

/// Posts a form to an OAuth endpoint, as the client that is registered there.
async fn post(http: &Http, app: &App, url: &str, form: &[(&str, &str)]) -> Result<HttpResponse, Error> {
    let (oauth, client) = (app.oauth()?, app.client()?);
    let mut form = form.to_vec();
    let mut basic = None;
    match (oauth.client_auth, &client.secret) {
        (ClientAuth::Basic, Some(secret)) => basic = Some((client.id.as_str(), secret)),
        (ClientAuth::Form, Some(secret)) => form.extend([("client_id", client.id.as_str()), ("client_secret", secret.expose_secret())]),
        _ => form.push(("client_id", client.id.as_str())),
    }
    // The caller's own request was not sent, so that a retry is safe.
    let later = |error: Error| error.with_retry(Retry::Later).with_hint("The vendor's OAuth server did not respond. Try again.");
    http.post_form(&app.url(url), basic, &form).await.map_err(later)
}

/// Builds the redaction of the secrets in a request: a vendor may quote them.
fn build_redaction(app: &App, form: &[(&str, &str)]) -> Redaction {
    const SECRETS: [&str; 4] = ["code", "code_verifier", "refresh_token", "token"];
    let of_client = app.client().ok().and_then(|client| client.secret.as_ref()).map(ExposeSecret::expose_secret);
    let of_form = form.iter().filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| *value);
    Redaction::new(of_form.chain(of_client))
}

/// Reads the response of the token endpoint. Tokens of another type than Bearer cannot be used.
fn read_tokens(oauth: &OAuth, body: &[u8]) -> Option<Tokens> {
    // Some vendors answer a form, as before the standard.
    let body: Value = serde_json::from_slice(body).unwrap_or_else(|_| {
        Value::Object(form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    });
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return None;
    }
    let split = |text: &str| -> Vec<String> {
        text.split([oauth.scope_separator, ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    };
    let scopes = match body.get("scope") {
        Some(Value::Array(scopes)) => Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => text("scope").map(split),
    };
    let seconds = body.get("expires_in").and_then(to_text).and_then(|text| text.trim().parse::<f64>().ok());
    Some(Tokens {
        access: text("access_token")?.to_owned().into(),
        refresh: text("refresh_token").map(|token| token.to_owned().into()),
        api_domain: oauth.host_member.and_then(text).map(to_origin),
        scopes,
        // A token that is said to have no life at all is used until it is refused.
        lifetime: seconds.filter(|seconds| *seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

/// Writes a host as the origin of its URLs. Some vendors give the name alone.
fn to_origin(host: &str) -> String {
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
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
    Upstream::new(answer.status).with_error(code)
}

/// Explains a response that is neither a success nor a refusal of the grant.
fn explain(app: &App, answer: &HttpResponse) -> Error {
    let label = app.label();
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
