//! `/v1/connections` and `/v1/installs`: the connections of an owner, and the ways to make them.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_connections::{App, BeginOptions, Connection, Method, Progress, Status};
use connector_core::declare::Connector;
use connector_core::embed::{Access, Credential};
use connector_core::run::View;
use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::conduct::call::Call;
use crate::host::Host;
use crate::wire::body::{media_type, read_small_body, unsupported_media_type};
use crate::wire::refusal::Refusal;
use crate::wire::response::{JSON, respond_json};

/// The body that begins a connection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginBody {
    #[serde(alias = "connector")]
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
    view: Option<String>,
}

/// The body that changes a connection. Members that are left out stay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    name: Option<String>,
    #[serde(alias = "isDefault")]
    is_default: Option<bool>,
    /// Null takes the view away.
    #[serde(default, deserialize_with = "read_present")]
    view: Option<Value>,
}

/// Reads a member that is there, even if it is null.
fn read_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The body that finishes an authorization of a platform.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeBody {
    code: SecretString,
}

pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    let query = call.query(&["app", "status"])?;
    // An empty filter counts as none.
    let filter = |name: &str| query.iter().find(|(other, value)| other == name && !value.is_empty()).map(|(_, value)| value.as_str());
    let status =
        filter("status").map(|word| Status::from_word(word).ok_or_else(|| unknown_word("status", word, "PENDING, ACTIVE, FAILED")));
    let owner = call.owner()?;
    let all = call.host.vault.list(owner, filter("app"), status.transpose()?).await?;
    let mut shown = Vec::with_capacity(all.len());
    for connection in &all {
        shown.push(call.host.show(connection).await?);
    }
    Ok(respond_json(StatusCode::OK, &json!({ "connections": shown })))
}

pub(crate) async fn begin(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let owner = call.owner()?.to_owned();
    let begin: BeginBody = read_json(&call, body).await?;
    let vault = &call.host.vault;
    let view = begin.view.as_deref().map(parse_view).transpose()?;
    let word = begin.method.as_deref().unwrap_or(if begin.api_token.is_some() { "API_KEY" } else { "OAUTH2" });
    let app = choose_app(&call.host, &begin)?;
    let connection = match Method::from_word(word) {
        Some(Method::ApiKey) => {
            // Where all accounts have one host, it need not be given.
            let fixed = vault.app(&app).ok().and_then(App::host).map(str::to_owned);
            let (takes, give) = match &fixed {
                Some(_) => ("api_token", "it"),
                None => ("api_token and api_domain", "both"),
            };
            let (Some(token), Some(domain), None, None) = (begin.api_token, begin.api_domain.or(fixed), begin.redirect_uri, begin.state)
            else {
                return Err(Refusal::bad_request(
                    format!("A connection by API_KEY takes {takes}."),
                    format!("Give {give}, and no redirect_uri or state."),
                ));
            };
            vault.add_api_token(&owner, &app, begin.name.as_deref(), view, &domain, token).await.map_err(from_vendor)?
        }
        Some(Method::OAuth2) => {
            if begin.api_token.is_some() || begin.api_domain.is_some() {
                return Err(Refusal::bad_request("A connection by OAUTH2 takes no API token.", "Leave api_token and api_domain out."));
            }
            let (uri, state) = (begin.redirect_uri.as_deref(), begin.state.as_deref());
            if uri.is_none() && state.is_some() {
                return Err(Refusal::bad_request(
                    "A state is only for a platform that receives the redirect itself.",
                    "Give its redirect_uri too.",
                ));
            }
            let options = BeginOptions::default().with_name(begin.name.as_deref()).with_redirect_uri(uri).with_state(state).with_view(view);
            let begun = vault.begin(&owner, &app, options).await?;
            if uri.is_some() || state.is_some() {
                // The vendor redirects the browser to the platform, which then exchanges the code.
                let mut shown = to_json(&begun.connection);
                shown["url"] = begun.url.expose_secret().into();
                return Ok(respond_json(StatusCode::CREATED, &json!({ "connection": shown })));
            }
            begun.connection
        }
        _ => return Err(unknown_word("method", word, "OAUTH2, API_KEY")),
    };
    Ok(respond_json(StatusCode::CREATED, &json!({ "connection": call.host.show(&connection).await? })))
}

/// Chooses the connector of a connection: where none is named, by the host of an API token, else by the clients.
fn choose_app(host: &Host, begin: &BeginBody) -> Result<String, Refusal> {
    let connectors = host.catalogue().connectors();
    match (&begin.app, connectors) {
        // An unknown name is refused by the vault, in its own words.
        (Some(named), _) => return Ok(named.clone()),
        (None, [only]) => return Ok(only.key.to_owned()),
        (None, _) => {}
    }
    let access = begin.api_domain.as_deref().and_then(|domain| Access::new(domain, Credential::bearer("")).ok());
    if let Some(access) = access.as_ref().filter(|access| !connectors.iter().any(|connector| connector.accepts(access))) {
        let domains: Vec<&str> = connectors.iter().flat_map(|connector| connector.domains).copied().collect();
        let error =
            Error::new(ErrorKind::NoConnection, format!("The host {} is of no vendor here, and gets no credential.", access.origin()));
        return Err(error.with_hint(format!("Their hosts are below {}.", domains.join(", "))).into());
    }
    if begin.api_token.is_none() && !host.apps().any(App::is_registered) {
        return Err(host.explain_missing_client().into());
    }
    let is_meant = |connector: &Connector| match &access {
        Some(access) => host.vault.app(connector.key).is_ok_and(|app| app.is_at(access)),
        // A token that names no host may be that of any vendor.
        None => begin.api_token.is_none() && host.has_client(connector.key),
    };
    Ok(host.choose_connector(None, is_meant, "as the member app")?.key.to_owned())
}

pub(crate) async fn get(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?, call.param("id"));
    let connection = match call.host.vault.get(owner, id).await {
        // A program that waits for a connection learns how its authorization ended.
        Err(error) if error.kind() == ErrorKind::NoConnection => match call.host.vault.progress(owner, id).await? {
            Progress::Renewed(connection) => connection,
            Progress::Declined => {
                let error = Error::new(ErrorKind::Gone, "The authorization was declined at the vendor, and the connection was removed.");
                return Err(error.with_hint("POST /v1/connections begins another.").into());
            }
            _ => return Err(not_found(error)),
        },
        connection => connection?,
    };
    Ok(respond_json(StatusCode::OK, &json!({ "connection": call.host.show(&connection).await? })))
}

pub(crate) async fn change(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?.to_owned(), call.param("id").to_owned());
    let ChangeBody { name, is_default, view } = read_json(&call, body).await?;
    let view = match view {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::String(word)) => Some(Some(parse_view(&word)?)),
        Some(other) => return Err(unknown_view(&other.to_string())),
    };
    let vault = &call.host.vault;
    let mut connection = vault.get(&owner, &id).await.map_err(not_found)?;
    if is_default == Some(false) {
        return Err(Refusal::bad_request(
            "A connection stops being the default when another becomes it.",
            "Send is_default: true for the other one.",
        ));
    }
    if let Some(name) = name {
        connection = vault.rename(&owner, &id, &name).await?;
    }
    if is_default == Some(true) {
        connection = vault.set_default(&owner, &id).await?;
    }
    if let Some(view) = view {
        connection = vault.set_view(&owner, &id, view).await?;
    }
    Ok(respond_json(StatusCode::OK, &json!({ "connection": call.host.show(&connection).await? })))
}

pub(crate) async fn remove(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let id = call.param("id");
    let revoked = call.host.vault.remove(call.owner()?, id).await.map_err(not_found)?;
    Ok(respond_json(StatusCode::OK, &json!({"connection_id": id, "deleted": true, "revoked": revoked})))
}

pub(crate) async fn exchange(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, id) = (call.owner()?.to_owned(), call.param("id").to_owned());
    let CodeBody { code } = read_json(&call, body).await?;
    call.host.vault.get(&owner, &id).await.map_err(not_found)?;
    let connection = call.host.vault.exchange(&owner, &id, code).await.map_err(from_vendor)?;
    Ok(respond_json(StatusCode::OK, &json!({ "connection": call.host.show(&connection).await? })))
}

pub(crate) async fn claim(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let (owner, handle) = (call.owner()?, call.param("handle"));
    // A repeated claim has the same response: the first one may have been lost.
    let claimed = match call.host.vault.find_claimed_install(owner, handle).await? {
        Some(claimed) => claimed,
        None => call.host.vault.claim_install(owner, handle).await.map_err(from_vendor)?,
    };
    let renews = claimed.renews.as_ref().map(to_json);
    Ok(respond_json(StatusCode::OK, &json!({"connection": to_json(&claimed.connection), "renews": renews})))
}

pub(crate) async fn confirm(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let connection = call.host.vault.confirm_install(call.owner()?, call.param("handle")).await?;
    Ok(respond_json(StatusCode::OK, &json!({ "connection": call.host.show(&connection).await? })))
}

pub(crate) async fn decline(call: Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let revoked = call.host.vault.decline_install(call.owner()?, call.param("handle")).await?;
    Ok(respond_json(StatusCode::OK, &json!({"declined": true, "revoked": revoked})))
}

impl Host {
    /// Builds the JSON of a connection, with a link to open while it waits or failed.
    async fn show(&self, connection: &Connection) -> Result<Value, Refusal> {
        let mut shown = to_json(connection);
        if connection.status != Status::Active && connection.method == Method::OAuth2 && self.has_client(&connection.app) {
            match self.vault.create_link(&connection.owner, &connection.id).await {
                Ok(link) => shown["url"] = format!("{}/oauth/start?link={}", self.settings.public_url, link.expose_secret()).into(),
                // A platform began it, and has a link of its own.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(shown)
    }
}

fn to_json(connection: &Connection) -> Value {
    let mut shown = serde_json::to_value(connection).expect("a connection is written to memory");
    shown["url"] = Value::Null;
    shown
}

async fn read_json<T: DeserializeOwned>(call: &Call, body: Body) -> Result<T, Refusal> {
    const MAX_BYTES: usize = 64 << 10;
    match media_type(&call.head.headers).as_deref() {
        Some(JSON) => {}
        other => return Err(unsupported_media_type(other, &[JSON])),
    }
    let text = read_small_body(body, MAX_BYTES).await?;
    serde_json::from_slice(&text).map_err(|error| {
        // Most errors quote the value, which may be a secret: only the column is told.
        let detail = error.to_string();
        let names_member = ["unknown field", "missing field", "duplicate field"].iter().any(|start| detail.starts_with(start));
        let hint = match error.classify() {
            // These errors name members alone; an unknown member is cut short.
            serde_json::error::Category::Data if names_member => detail.chars().take(200).collect(),
            serde_json::error::Category::Data => "A member has the wrong type; /openapi.json shows the types.".to_owned(),
            _ => "Send one JSON object.".to_owned(),
        };
        Refusal::bad_request(format!("The body cannot be read at column {}.", error.column()), hint)
    })
}

/// Refuses a request because the vendor did. A 401 would say that the API key of the caller is refused.
fn from_vendor(error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::Unauthorized => Refusal::with_status(StatusCode::UNPROCESSABLE_ENTITY, error),
        _ => error.into(),
    }
}

/// Refuses a connection that does not exist, or belongs to another owner. The two look the same.
fn not_found(error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::NoConnection => {
            Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "There is no such connection.", "GET /v1/connections lists them.")
        }
        _ => error.into(),
    }
}

fn parse_view(word: &str) -> Result<View, Refusal> {
    word.parse().map_err(|_| unknown_view(word))
}

fn unknown_view(word: &str) -> Refusal {
    unknown_word("view", word, &View::ALL.map(View::as_str).join(", "))
}

fn unknown_word(name: &str, word: &str, known: &str) -> Refusal {
    Refusal::bad_request(format!("There is no {name} {}.", quote(word)), format!("There are: {known}."))
}
