//! `/v1/connections` and `/v1/installs`: an owner's connections, and how they come about.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_connections::{Connection, Method, Progress, Status};
use connector_core::{Error, ErrorKind, quote};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{self, JSON, Refusal};
use super::routes::{Call, bad};
use super::{Host, body};

/// What begins a connection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    app: Option<String>,
    method: Option<String>,
    name: Option<String>,
    #[serde(alias = "redirectUri")]
    redirect_uri: Option<String>,
    state: Option<String>,
    #[serde(alias = "apiToken")]
    api_token: Option<SecretString>,
    #[serde(alias = "apiDomain")]
    api_domain: Option<String>,
}

/// What is to become of a connection; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    #[serde(alias = "isDefault")]
    is_default: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: SecretString,
}

pub(super) async fn list(call: Call) -> Result<Response, Refusal> {
    let query = call.query(&["app", "status"])?;
    // A filter that is left empty is none.
    let given = |name: &str| query.iter().find(|(other, value)| other == name && !value.is_empty()).map(|(_, value)| value.as_str());
    let status = given("status").map(|word| Status::from_word(word).ok_or_else(|| wrong_word("status", word, "PENDING, ACTIVE, FAILED")));
    let owner = call.owner()?;
    let all = call.host.vault.list(owner, given("app"), status.transpose()?).await?;
    let mut shown = Vec::with_capacity(all.len());
    for connection in &all {
        shown.push(call.host.shown(connection).await?);
    }
    Ok(answer::json(StatusCode::OK, &json!({ "connections": shown })))
}

pub(super) async fn begin(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let owner = call.owner()?.to_owned();
    let begin: Begin = read(&call, body).await?;
    let vault = &call.host.vault;
    let app = begin.app.as_deref().unwrap_or(super::first_app());
    let word = begin.method.as_deref().unwrap_or(if begin.api_token.is_some() { "API_KEY" } else { "OAUTH2" });
    let connection = match Method::from_word(word) {
        Some(Method::ApiKey) => {
            let (Some(token), Some(domain), None, None) = (begin.api_token, begin.api_domain, begin.redirect_uri, begin.state) else {
                return Err(bad("A connection by API_KEY takes api_token and api_domain.", "Give both, and no redirect_uri or state."));
            };
            vault.add_api_token(&owner, app, begin.name.as_deref(), &domain, token).await.map_err(of_vendor)?
        }
        Some(Method::OAuth2) => {
            if begin.api_token.is_some() || begin.api_domain.is_some() {
                return Err(bad("A connection by OAUTH2 takes no API token.", "Leave api_token and api_domain out."));
            }
            let (uri, state) = (begin.redirect_uri.as_deref(), begin.state.as_deref());
            if uri.is_none() && state.is_some() {
                return Err(bad("A state is for a platform whose own endpoint the browser comes back to.", "Give its redirect_uri too."));
            }
            let begun = vault
                .begin(&owner, app, connector_connections::BeginOptions { name: begin.name.as_deref(), redirect_uri: uri, state })
                .await?;
            if uri.is_some() || state.is_some() {
                // The browser comes back to the platform, which then exchanges the code.
                let mut shown = plain(&begun.connection);
                shown["url"] = begun.url.expose_secret().into();
                return Ok(answer::json(StatusCode::CREATED, &json!({ "connection": shown })));
            }
            begun.connection
        }
        _ => return Err(wrong_word("method", word, "OAUTH2, API_KEY")),
    };
    Ok(answer::json(StatusCode::CREATED, &json!({ "connection": call.host.shown(&connection).await? })))
}

pub(super) async fn get(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?, call.param("id"));
    let connection = match call.host.vault.get(owner, id).await {
        // Whoever waits for what they began learns how it ended.
        Err(error) if error.kind() == ErrorKind::NoConnection => match call.host.vault.progress(owner, id).await? {
            Progress::Renewed(connection) => connection,
            Progress::Declined => {
                let error = Error::new(ErrorKind::Gone, "The authorization was declined at the vendor's, and the connection removed.");
                return Err(error.with_hint("POST /v1/connections begins another.").into());
            }
            _ => return Err(missing(error)),
        },
        connection => connection?,
    };
    Ok(answer::json(StatusCode::OK, &json!({ "connection": call.host.shown(&connection).await? })))
}

pub(super) async fn change(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?.to_owned(), call.param("id").to_owned());
    let Change { name, is_default } = read(&call, body).await?;
    let vault = &call.host.vault;
    let mut connection = vault.get(&owner, &id).await.map_err(missing)?;
    if is_default == Some(false) {
        return Err(bad("A connection stops being the default when another becomes it.", "Send is_default: true for the other one."));
    }
    if let Some(name) = name {
        connection = vault.rename(&owner, &id, &name).await?;
    }
    if is_default == Some(true) {
        connection = vault.set_default(&owner, &id).await?;
    }
    Ok(answer::json(StatusCode::OK, &json!({ "connection": call.host.shown(&connection).await? })))
}

pub(super) async fn remove(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let id = call.param("id");
    let revoked = call.host.vault.remove(call.owner()?, id).await.map_err(missing)?;
    Ok(answer::json(StatusCode::OK, &json!({"connection_id": id, "deleted": true, "revoked": revoked})))
}

pub(super) async fn exchange(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?.to_owned(), call.param("id").to_owned());
    let Code { code } = read(&call, body).await?;
    call.host.vault.get(&owner, &id).await.map_err(missing)?;
    let connection = call.host.vault.exchange(&owner, &id, code).await.map_err(of_vendor)?;
    Ok(answer::json(StatusCode::OK, &json!({ "connection": call.host.shown(&connection).await? })))
}

pub(super) async fn claim(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, handle) = (call.owner()?, call.param("handle"));
    // Asked again, as where the first answer was lost, it is the same.
    let claimed = match call.host.vault.find_claimed_install(owner, handle).await? {
        Some(claimed) => claimed,
        None => call.host.vault.claim_install(owner, handle).await.map_err(of_vendor)?,
    };
    let renews = claimed.renews.as_ref().map(plain);
    Ok(answer::json(StatusCode::OK, &json!({"connection": plain(&claimed.connection), "renews": renews})))
}

pub(super) async fn confirm(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let connection = call.host.vault.confirm_install(call.owner()?, call.param("handle")).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "connection": call.host.shown(&connection).await? })))
}

pub(super) async fn decline(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let revoked = call.host.vault.decline_install(call.owner()?, call.param("handle")).await?;
    Ok(answer::json(StatusCode::OK, &json!({"declined": true, "revoked": revoked})))
}

impl Host {
    /// A connection as the contract shows it: with a link to open while it waits or failed.
    async fn shown(&self, connection: &Connection) -> Result<Value, Refusal> {
        let mut shown = plain(connection);
        if connection.status != Status::Active && connection.method == Method::OAuth2 && self.settings.has_client {
            match self.vault.create_link(&connection.owner, &connection.id).await {
                Ok(link) => shown["url"] = format!("{}/oauth/start?link={}", self.settings.public_url, link.expose_secret()).into(),
                // A platform began it, and has its own.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(shown)
    }
}

fn plain(connection: &Connection) -> Value {
    let mut shown = serde_json::to_value(connection).expect("a connection is written to memory");
    shown["url"] = Value::Null;
    shown
}

async fn read<T: DeserializeOwned>(call: &Call, body: Body) -> Result<T, Refusal> {
    const MOST: usize = 64 << 10;
    match body::media(&call.head.headers).as_deref() {
        Some(JSON) => {}
        other => return Err(body::wrong_media(other, &[JSON])),
    }
    let text = body::small(body, MOST).await?;
    serde_json::from_slice(&text).map_err(|error| {
        // A fault in a text may quote it, and it may be a secret: the place alone is told.
        let said = error.to_string();
        let names_a_member = ["unknown field", "missing field", "duplicate field"].iter().any(|start| said.starts_with(start));
        let hint = match error.classify() {
            // Those name members alone, of which an unknown one is cut short.
            serde_json::error::Category::Data if names_a_member => said.chars().take(200).collect(),
            serde_json::error::Category::Data => "A member is of another type; /openapi.json shows them.".to_owned(),
            _ => "It is one JSON object.".to_owned(),
        };
        bad(format!("The body cannot be read at column {}.", error.column()), hint)
    })
}

/// The vendor refused what it was sent; a 401 would say that the caller's own key is refused.
fn of_vendor(error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::Unauthorized => Refusal::at(StatusCode::UNPROCESSABLE_ENTITY, error),
        _ => error.into(),
    }
}

/// A connection in a path that is not there, or is another owner's: the two are not told apart.
fn missing(error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::NoConnection => {
            Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "There is no such connection.", "GET /v1/connections lists them.")
        }
        _ => error.into(),
    }
}

fn wrong_word(name: &str, word: &str, known: &str) -> Refusal {
    bad(format!("There is no {name} {}.", quote(word)), format!("There are: {known}."))
}
