//! The caller of a request: the holder of its API key, or nobody in particular.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use connector_connections::Holder;
use connector_core::ErrorKind;
use connector_core::run::View;

use crate::host::{Audience, Host};
use crate::wire::authority::{find_authority, is_authority_of, is_from_this_machine, is_this_machine};
use crate::wire::refusal::Refusal;

/// The caller of a request.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) holder: Option<Holder>,
    /// A number that tells the API keys of this process apart. It is not a secret.
    pub(crate) key: u64,
    /// The id of the API key, by which people know it.
    pub(crate) key_id: Option<String>,
    /// The view of the API key, for invocations that name none.
    pub(crate) view: Option<View>,
}

impl Caller {
    const NOBODY: Self = Self { holder: None, key: 0, key_id: None, view: None };

    /// Identifies the caller, and refuses one who is not in the audience of the route.
    pub(crate) async fn identify(host: &Host, audience: Audience, head: &Parts) -> Result<Self, Refusal> {
        match audience {
            Audience::Anyone | Audience::Vendor => Ok(Self::NOBODY),
            Audience::Browser if head.method == Method::HEAD => Err(head_of_page()),
            Audience::Browser if names_host(host, head) => Ok(Self::NOBODY),
            Audience::Browser => Err(misdirected(host)),
            Audience::Watcher if host.settings.is_for_this_machine() && is_from_this_machine(head) => Ok(Self::NOBODY),
            Audience::Watcher => {
                let caller = Self::from_key(host, &head.headers).await?;
                if caller.holder == Some(Holder::Operator) { Ok(caller) } else { Err(for_operators()) }
            }
            Audience::Key => Self::from_key(host, &head.headers).await,
        }
    }

    /// Checks again that the API key is valid: it may have been revoked while a stream is open.
    pub(crate) async fn check_again(&self, host: &Host, head: &Parts) -> Result<(), Refusal> {
        let now = Self::from_key(host, &head.headers).await?;
        if now.holder == self.holder { Ok(()) } else { Err(unauthorized("The API key belongs to another holder now.")) }
    }

    async fn from_key(host: &Host, headers: &HeaderMap) -> Result<Self, Refusal> {
        static HASHER: OnceLock<RandomState> = OnceLock::new();
        let secret = find_bearer(headers).ok_or_else(|| unauthorized("There is no API key, or more than one."))?;
        let key = host.vault.find_api_key(secret).await?.ok_or_else(|| unauthorized("The API key is not known."))?;
        Ok(Self {
            holder: Some(key.holder()),
            key: HASHER.get_or_init(RandomState::new).hash_one(secret),
            key_id: Some(key.id),
            view: key.view,
        })
    }
}

/// Finds the secret of the only credential. With two credentials, it is not known which one was meant.
fn find_bearer(headers: &HeaderMap) -> Option<&str> {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (credentials.next(), credentials.next()) else { return None };
    let (scheme, secret) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim()).filter(|secret| !secret.is_empty())
}

/// Checks that a browser means this host.
///
/// The name of another site can resolve to this machine, and its pages would then count as the same site as ours.
fn names_host(host: &Host, head: &Parts) -> bool {
    find_authority(head).is_some_and(|named| is_authority_of(named, &host.settings.public_url) || is_this_machine(named))
}

fn misdirected(host: &Host) -> Refusal {
    let hint = format!("Open {}; a proxy in front must pass the header Host on.", host.settings.public_url);
    Refusal::new(StatusCode::MISDIRECTED_REQUEST, ErrorKind::InvalidInvocation, "This host is not reached by that name.", hint)
}

/// Refuses a request without a valid API key.
pub(crate) fn unauthorized(message: &str) -> Refusal {
    let hint = "Send Authorization: Bearer and a key that `connector keys create` made.";
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorKind::Unauthorized, message, hint)
}

fn head_of_page() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, "A page does not answer HEAD.", "Use GET.")
}

fn for_operators() -> Refusal {
    let hint = "Ask from this machine, or with an operator's key.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "Only whoever runs the host may ask for this.", hint)
}
