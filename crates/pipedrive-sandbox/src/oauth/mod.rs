//! The OAuth server and the marketplace beside the API: consent, tokens, installation and its end.

mod apps;
mod fault;
mod form;
mod grants;
mod html;
mod marketplace;
mod notice;
mod pages;
mod refusal;
mod token;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use time::OffsetDateTime;

pub use apps::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES};
pub use fault::{Fault, Gate};
pub(crate) use grants::{Grants, Install};

use crate::value::open_error::OpenError;
use crate::{Inner, Options};
use pages::Wrong;

/// What a refresh does with the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokens {
    /// The same is answered again, as Pipedrive's documents say.
    #[default]
    Kept,
    /// A new one takes its place, as those documents hint elsewhere: the one that was sent is worth nothing any more.
    Rotated,
}

#[derive(Debug)]
pub(crate) struct Server {
    apps: Vec<App>,
    refresh_tokens: RefreshTokens,
    faults: Mutex<VecDeque<Fault>>,
    refreshes: AtomicU64,
}

impl Server {
    pub(crate) fn open(options: &Options) -> Result<Self, OpenError> {
        apps::check(&options.apps)?;
        Ok(Self {
            apps: options.apps.clone(),
            refresh_tokens: options.refresh_tokens,
            faults: Mutex::new(options.token_faults.clone().into()),
            refreshes: AtomicU64::new(0),
        })
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// What befalls a request: one to the token endpoint takes the next fault with it.
    pub(crate) fn fault_of(&self, request: &Request<Bytes>) -> Option<Fault> {
        let is_for_token = request.method() == Method::POST && segments(request.uri().path()) == ["oauth", "token"];
        is_for_token.then(|| self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front())?
    }
}

/// A request to this part of the sandbox.
struct Visit<'a> {
    inner: &'a Inner,
    request: &'a Request<Bytes>,
    now: OffsetDateTime,
}

impl Visit<'_> {
    fn app(&self, client_id: &str) -> Option<&App> {
        self.inner.oauth.apps.iter().find(|app| app.client_id == client_id)
    }

    /// Writes secrets down that are about to be told, where that is asked for.
    fn note<'a>(&self, secrets: impl IntoIterator<Item = &'a String>) {
        if let Some(issued) = &self.inner.issued {
            secrets.into_iter().for_each(|secret| issued.line(secret.clone()));
        }
    }

    fn seconds(&self) -> i64 {
        self.now.unix_timestamp()
    }

    /// Where this sandbox is, as the client reached it: at `127.0.0.1:PORT`, or at `company.localhost:PORT`. Pipedrive
    /// has an address for each company; here all are reached at the same one, and the token alone tells the company.
    fn base(&self) -> Option<String> {
        let host = self.request.headers().get(HOST)?.to_str().ok()?;
        let host = host.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@'))?;
        Some(format!("http://{host}"))
    }
}

/// Whether a path is one of this part: whatever is asked there may carry a secret.
pub(crate) fn is_place(path: &str) -> bool {
    matches!(segments(path).first(), Some(&("oauth" | "marketplace")))
}

/// Whether the answer waits for the app that is told of its uninstallation.
pub(crate) fn calls_out(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && matches!(segments(request.uri().path())[..], ["marketplace", _, "uninstall"])
}

pub(crate) fn respond(inner: &Inner, request: &Request<Bytes>) -> Response<Bytes> {
    let visit = Visit { inner, request, now: inner.clock.now() };
    let answer = match (request.method().as_str(), &segments(request.uri().path())[..]) {
        ("POST", ["oauth", "token"]) => return token::issue(&visit),
        ("POST", ["oauth", "revoke"]) => return token::revoke(&visit),
        ("GET", ["oauth", "authorize"]) => pages::ask_consent(&visit),
        ("POST", ["oauth", "authorize"]) => pages::take_consent(&visit),
        ("GET", ["marketplace", client_id]) => marketplace::show(&visit, client_id),
        ("GET", ["marketplace", client_id, "uninstall"]) => marketplace::ask_uninstall(&visit, client_id),
        ("POST", ["marketplace", client_id, "uninstall"]) => marketplace::uninstall(&visit, client_id),
        (_, ["oauth", "token" | "revoke" | "authorize"] | ["marketplace", _] | ["marketplace", _, "uninstall"]) => {
            Err(Wrong::new(StatusCode::METHOD_NOT_ALLOWED, "This address takes another method."))
        }
        _ => Err(Wrong::new(StatusCode::NOT_FOUND, "There is no such page.")),
    };
    answer.unwrap_or_else(|wrong| wrong.page())
}

/// What a token request that is made to fail is answered.
pub(crate) fn failed(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, &serde_json::json!({ "success": false, "error": "The token endpoint was made to fail." }))
}

fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = html::private(Response::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A slash at the end changes nothing: the documents write `/oauth/token/` too.
fn segments(path: &str) -> Vec<&str> {
    path.strip_suffix('/').unwrap_or(path).split('/').skip(1).collect()
}
