//! Who asks: by an API key, which is an owner's or the operator's, and for which owner.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use connector_connections::{Connection, Holder, Status};
use connector_core::{ErrorKind, Runtime};

use super::Host;
use super::answer::Refusal;
use super::listen::Peer;
use super::routes::{Call, Who, bad};

/// Names the owner that an operator's key acts for.
const OWNER: HeaderName = HeaderName::from_static("connector-owner");

/// Who asks.
#[derive(Debug)]
pub(super) struct Caller {
    holder: Option<Holder>,
    /// Tells one key from another; it is no secret, and another one in the next process.
    key: u64,
}

impl Caller {
    /// Whoever may ask at this route, or why they may not.
    pub(super) async fn of(host: &Host, who: Who, head: &Parts) -> Result<Self, Refusal> {
        match who {
            Who::Anyone | Who::Vendor => Ok(Self { holder: None, key: 0 }),
            Who::Browser if head.method == Method::HEAD => Err(no_head()),
            Who::Browser if host.is_named_by(head) => Ok(Self { holder: None, key: 0 }),
            Who::Browser => Err(host.misdirected()),
            Who::Watcher if host.settings.is_for_this_machine() && is_beside(head) => Ok(Self { holder: None, key: 0 }),
            Who::Watcher => {
                let caller = Self::with_key(host, &head.headers).await?;
                if caller.holder == Some(Holder::Operator) { Ok(caller) } else { Err(for_operators()) }
            }
            Who::Key => Self::with_key(host, &head.headers).await,
        }
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// Whether the key is still good: it may have been revoked while a stream is open.
    pub(super) async fn still(&self, host: &Host, head: &Parts) -> Result<(), Refusal> {
        let now = Self::with_key(host, &head.headers).await?;
        if now.holder == self.holder { Ok(()) } else { Err(unknown("The API key is another's now.")) }
    }

    async fn with_key(host: &Host, headers: &HeaderMap) -> Result<Self, Refusal> {
        static HASHER: OnceLock<RandomState> = OnceLock::new();
        let secret = bearer(headers).ok_or_else(|| unknown("There is no API key, or more than one."))?;
        let holder = host.vault.check_api_key(secret).await?.ok_or_else(|| unknown("The API key is not known."))?;
        Ok(Self { holder: Some(holder), key: HASHER.get_or_init(RandomState::new).hash_one(secret) })
    }
}

impl Call {
    /// The owner that the call is for.
    pub(super) fn owner(&self) -> Result<&str, Refusal> {
        match (&self.caller.holder, self.header(&OWNER)?) {
            (Some(Holder::Operator), Some(owner)) => Ok(owner),
            (Some(Holder::Operator), None) => {
                Err(bad("An operator's key acts for an owner, and none is named.", "Name the owner in the header Connector-Owner."))
            }
            (Some(Holder::Owner(owner)), None) => Ok(owner),
            (Some(Holder::Owner(owner)), Some(named)) if owner == named => Ok(owner),
            (Some(Holder::Owner(_)), Some(_)) => {
                let hint = "Leave the header Connector-Owner out: the key says whose it is.";
                Err(Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The key is another owner's.", hint))
            }
            (None, _) => Err(unknown("There is no API key.")),
        }
    }

    /// The runtime over the owner's connections and ledger, and no other's.
    pub(super) fn runtime(&self) -> Result<Runtime, Refusal> {
        let owned = self.host.vault.for_owner(self.owner()?);
        Ok(self.host.runtime.on_behalf(owned.clone(), Some(Box::new(owned))))
    }

    /// The owner's connections of an app, oldest first, without those that never came about.
    pub(super) async fn finished(&self, app: &str) -> Result<Vec<Connection>, Refusal> {
        let mut all = self.host.vault.list(self.owner()?, Some(app), None).await?;
        all.retain(|connection| connection.status != Status::Pending);
        Ok(all)
    }
}

/// The secret of the one credential that is sent: of two nobody knows which was meant.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, secret) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim()).filter(|secret| !secret.is_empty())
}

impl Host {
    /// Whether a browser means this host. A site elsewhere can have its own name lead to this machine, and would be one
    /// site with what answers there.
    fn is_named_by(&self, head: &Parts) -> bool {
        let Some(named) = named(head) else { return false };
        let (scheme, public) = self.settings.public_url.split_once("://").unwrap_or_default();
        // Some write the port that goes without saying.
        let usual = if scheme == "https" { ":443" } else { ":80" };
        named.strip_suffix(usual).unwrap_or(named).eq_ignore_ascii_case(public) || is_this_machine(named)
    }

    fn misdirected(&self) -> Refusal {
        let hint = format!("Open {}; a proxy in front must pass the header Host on.", self.settings.public_url);
        Refusal::new(StatusCode::MISDIRECTED_REQUEST, ErrorKind::InvalidInvocation, "This host is not reached by that name.", hint)
    }
}

/// The host that a request is for.
fn named(head: &Parts) -> Option<&str> {
    head.uri.authority().map(Authority::as_str).or_else(|| head.headers.get(HOST)?.to_str().ok())
}

/// Whether an authority is this machine's own, at any port.
pub(super) fn is_this_machine(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    !authority.as_str().contains('@') && matches!(authority.host(), "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether a program of this machine asks. What a proxy of this machine passes on comes from anywhere.
fn is_beside(head: &Parts) -> bool {
    let passed_on = head.headers.keys().any(|name| name == "forwarded" || name.as_str().starts_with("x-forwarded-") || name == "via");
    !passed_on && head.extensions.get::<Peer>().is_some_and(|peer| peer.0.is_loopback()) && named(head).is_some_and(is_this_machine)
}

fn unknown(message: &str) -> Refusal {
    let hint = "Send Authorization: Bearer and a key that `connector keys create` made.";
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorKind::Unauthorized, message, hint)
}

fn no_head() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, "A page is not asked for by HEAD.", "Use GET.")
}

fn for_operators() -> Refusal {
    let hint = "Ask from this machine, or with an operator's key.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "This is for whoever runs the host.", hint)
}
