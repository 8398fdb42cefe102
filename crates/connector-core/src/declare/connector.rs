//! Connectors: their names, the ways to sign in, and how to read their responses.

use percent_encoding::percent_decode_str;

use crate::declare::answer::Envelope;
use crate::declare::case::Case;
use crate::declare::fields::FieldWords;
use crate::declare::flat::FlatWords;
use crate::declare::limits::Limits;
use crate::declare::page::Paging;
use crate::declare::refusal::Refusal;
use crate::value::access::{Access, Credential};
use crate::value::error::{Error, ErrorKind};
use crate::value::wording::quote;

/// A connector. Its crate exports it as `CONNECTOR`, and a host that lists it links the crate.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connector {
    /// The stable key, which an invocation gives as `connector`.
    pub key: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// A sentence that says what the connector is for.
    pub description: &'static str,
    /// The version of the connector's crate.
    pub version: &'static str,
    /// The domains whose subdomains are the hosts of accounts.
    pub domains: &'static [&'static str],
    /// The host of every account, as `https://api.acme.example`, if accounts have no hosts of their own.
    pub host: Option<&'static str>,
    /// The path prefixes of the vendor's API, as `/api/v2/`.
    pub roots: &'static [&'static str],
    /// The ways to sign in.
    ///
    /// Without any, the API is open to all: requests carry no credential, and go to `host`.
    pub auth: &'static [Auth],
    /// The request that tells the account of a credential, if the vendor has one.
    pub identity: Option<Identity>,
    /// The case in which the vendor writes the names of inputs and members.
    pub case: Case,
    /// The shape of a response body, unless an action names another.
    pub envelope: Envelope,
    /// The ways in which lists page. An action pages in the first one whose parameter it takes.
    pub paging: &'static [Paging],
    /// The words that the flat view reads in nested objects.
    pub flat: FlatWords,
    /// The words by which the definitions of custom fields are read, if accounts have custom fields.
    pub fields: Option<FieldWords>,
    /// The limits for which calls wait.
    pub limits: Limits,
    /// The function that turns a refusal into an error.
    pub refusal: fn(&Refusal<'_>) -> Error,
    /// The function that finds an operation the vendor no longer supports, by method and path.
    pub out_of_support: fn(method: &str, path: &str) -> Option<OutOfSupport>,
    /// The function that finds the template of a path that the vendor documents, by method and path.
    ///
    /// Traces and audits name a request that a caller worded by it: a path itself may hold what is the customer's.
    pub find_template: fn(method: &str, path: &str) -> Option<&'static str>,
    /// The words of callers, in the singular, each with the word of keys that it means: `("customer", "person")`.
    pub synonyms: &'static [(&'static str, &'static str)],
    /// The action that sends any request, if there is one.
    pub raw: Option<RawAccess>,
}

/// The action that sends any request of a vendor's API, and the operations that it reaches.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RawAccess {
    /// The key of the action.
    pub action: &'static str,
    /// The function that lists documented operations, by method and path: `("GET", "/api/v2/things/{id}")`.
    ///
    /// An error for a key that does not exist names the operation that was meant.
    pub operations: fn() -> Vec<(&'static str, &'static str)>,
}

/// An operation that the vendor no longer supports. It may still answer today and be gone tomorrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfSupport {
    /// The time from which it is unsupported, in seconds of Unix time.
    pub since: i64,
    /// The operation to call instead, as `GET /v2/things`, if there is one.
    pub instead: Option<&'static str>,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// An access token, sent as `Authorization: Bearer`.
    OAuth2(OAuth),
    /// An access token that a person copies, sent as `Authorization: Bearer`.
    BearerToken,
    /// An API key, sent in a header.
    #[non_exhaustive]
    ApiToken {
        /// The header, in lower case.
        header: &'static str,
        /// The text before the key, with its space, as `Token `. Mostly empty.
        prefix: &'static str,
        /// The query parameter from which the vendor also takes the token. A caller may not send it.
        query: Option<&'static str>,
    },
}

/// The parts of OAuth 2.0 that the standard leaves to the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuth {
    /// The URL at which a person grants access.
    pub authorize: &'static str,
    /// The URL that exchanges an authorization code or a refresh token for tokens.
    pub token: &'static str,
    /// The URL that revokes a token, if the vendor has one.
    pub revoke: Option<&'static str>,
    /// The way in which the client authenticates at the token endpoint.
    pub client_auth: ClientAuth,
    /// `true` if the vendor takes a code challenge (PKCE, method S256).
    pub pkce: bool,
    /// The scopes to ask for. Without any, no `scope` is sent: the client's registration has them.
    pub scopes: &'static [&'static str],
    /// The character between two scopes.
    pub scope_separator: char,
    /// The member of the token response that holds the account's host. Left out, the connector's host is used.
    pub host_member: Option<&'static str>,
}

/// A way in which a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Id and secret in the header `Authorization: Basic`: `client_secret_basic`.
    Basic,
    /// Id and secret in the form: `client_secret_post`.
    Form,
    /// The id in the form, since the clients of the vendor have no secret: `none`.
    Public,
}

/// A header that carries a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CredentialHeader {
    /// The name, in lower case.
    pub(crate) name: &'static str,
    /// The text before the credential.
    pub(crate) prefix: &'static str,
}

const BEARER: CredentialHeader = CredentialHeader { name: "authorization", prefix: "Bearer " };

/// A request that tells the account of a credential: a path, and JSON pointers into the response.
///
/// An empty pointer stands for what the vendor does not have. The company or the user has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The path.
    pub path: &'static str,
    /// The company's id.
    pub company: &'static str,
    /// The company's name.
    pub company_name: &'static str,
    /// The part of the host that is the company's own.
    pub company_domain: &'static str,
    /// The user's id.
    pub user: &'static str,
    /// The user's name.
    pub user_name: &'static str,
    /// The user's e-mail address.
    pub email: &'static str,
    /// The cost of the request, in tokens of the daily budget.
    pub cost: u32,
}

impl Connector {
    /// Checks that a host is one of the vendor's. An account's credential goes to no other.
    pub fn owns_host(&self, host: &str) -> bool {
        let below = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let is_fixed = self.host.is_some_and(|origin| origin.split("://").nth(1) == Some(host));
        is_fixed || self.domains.iter().any(|domain| below(domain))
    }

    /// Checks that a credential may go to the host of an access: one of the vendor's, or this machine.
    pub fn accepts(&self, access: &Access) -> bool {
        access.is_local() || self.owns_host(access.host())
    }

    /// Checks that a path stays on the host and below its API, however it is decoded. The error says why not.
    pub fn check_path(&self, path: &str) -> Result<(), String> {
        if path.contains("://") || path.starts_with("//") {
            return Err("it names a host; give the path alone, the host is the connection's own".to_owned());
        }
        if !self.roots.iter().any(|root| path.len() > root.len() && path.starts_with(root)) {
            return Err(format!("it is not below {}", self.roots.join(" or ")));
        }
        if path.contains(['\\', '#', '@']) || path.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err("it has a character that a path cannot carry".to_owned());
        }
        match path.split('/').skip(1).find(|segment| segment.is_empty() || leads_elsewhere(segment)) {
            Some(segment) => Err(format!("its segment {} could lead elsewhere", quote(segment))),
            None => Ok(()),
        }
    }

    /// Checks that the vendor reads a query parameter of this name as a credential.
    pub fn is_credential(&self, parameter: &str) -> bool {
        let name = parameter.split('[').next().unwrap_or_default().trim();
        self.auth.iter().any(|auth| matches!(auth, Auth::ApiToken { query: Some(query), .. } if name.eq_ignore_ascii_case(query)))
    }

    /// Returns how an account signs in by OAuth, if the vendor offers it.
    pub fn oauth(&self) -> Option<&OAuth> {
        self.auth.iter().find_map(|auth| match auth {
            Auth::OAuth2(oauth) => Some(oauth),
            Auth::BearerToken | Auth::ApiToken { .. } => None,
        })
    }

    /// Checks that the API is open to all, so that calls need no connection.
    pub fn is_open(&self) -> bool {
        self.auth.is_empty()
    }

    /// Checks that the vendor takes a token or key that a person copies.
    pub fn takes_token(&self) -> bool {
        self.token_header().is_some()
    }

    /// Checks that a header carries a credential of the vendor.
    pub(crate) fn is_credential_header(&self, name: &str) -> bool {
        name == BEARER.name || self.auth.iter().any(|auth| matches!(auth, Auth::ApiToken { header, .. } if *header == name))
    }

    /// Returns the header that carries a token or key that a person copied, if the vendor takes one.
    fn token_header(&self) -> Option<CredentialHeader> {
        self.auth.iter().find_map(|auth| match auth {
            Auth::ApiToken { header, prefix, .. } => Some(CredentialHeader { name: header, prefix }),
            Auth::BearerToken => Some(BEARER),
            Auth::OAuth2(_) => None,
        })
    }

    /// Returns the credential's header that a dry run shows, if requests carry one.
    ///
    /// Fails for an API token that the vendor does not take.
    pub(crate) fn planned_header(&self, is_api_token: bool) -> Result<Option<&'static str>, Error> {
        if is_api_token {
            return Ok(Some(self.require_token_header()?.name));
        }
        Ok((!self.is_open()).then_some(BEARER.name))
    }

    /// Returns the header that carries an API token, or fails if the vendor takes none.
    fn require_token_header(&self) -> Result<CredentialHeader, Error> {
        self.token_header().ok_or_else(|| {
            let hint = if self.is_open() { "Its API is open to all, and needs no connection." } else { "Connect it by OAuth." };
            Error::new(ErrorKind::NoConnection, format!("{} takes no API token.", self.label)).with_hint(hint)
        })
    }

    /// Returns the header that carries a credential, if there is one, or fails if it may not go to the host.
    pub(crate) fn credential_header(&self, access: &Access) -> Result<Option<CredentialHeader>, Error> {
        if !self.accepts(access) {
            let message = format!("The host {} is not one of {}'s, so no credential is sent to it.", access.origin(), self.label);
            return Err(Error::new(ErrorKind::NoConnection, message).with_hint(format!("Its hosts are below {}.", self.domains.join(", "))));
        }
        match access.credential() {
            Credential::Bearer(_) => Ok(Some(BEARER)),
            Credential::ApiToken(_) => self.require_token_header().map(Some),
            Credential::None => Ok(None),
        }
    }
}

/// Checks whether a path segment, decoded any number of times and cut at a semicolon, leaves its place.
fn leads_elsewhere(segment: &str) -> bool {
    const MOST_OFTEN: usize = 4;
    let mut plain = segment.to_owned();
    for _ in 0..MOST_OFTEN {
        let Ok(decoded) = percent_decode_str(&plain).decode_utf8() else { return true };
        if decoded == plain {
            let name = plain.split(';').next().unwrap_or_default();
            return matches!(name, "." | "..") || plain.contains(['/', '\\']) || plain.chars().any(char::is_control);
        }
        plain = decoded.into_owned();
    }
    true
}
