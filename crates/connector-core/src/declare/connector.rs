//! A connector: its name, how one signs in to it, and how its answers are read.

use percent_encoding::percent_decode_str;

use crate::declare::answer::Envelope;
use crate::declare::refusal::Refusal;
use crate::value::access::{Access, Credential};
use crate::value::error::{Error, ErrorKind};
use crate::value::wording::quote;

/// What a connector crate exports as `CONNECTOR`; a host lists it, which is also what links the crate.
#[derive(Debug)]
pub struct Connector {
    /// The stable key, as an invocation gives it in `connector`.
    pub key: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// What it is for, as a sentence.
    pub description: &'static str,
    /// The version of the crate that declares it.
    pub version: &'static str,
    /// The domains below which its accounts live.
    pub domains: &'static [&'static str],
    /// What the vendor serves its API below, as `/api/v2/`.
    pub roots: &'static [&'static str],
    /// The ways to sign in.
    pub auth: &'static [Auth],
    /// Where an answer's parts stand.
    pub envelope: Envelope,
    /// What a refusal means.
    pub refusal: fn(&Refusal<'_>) -> Error,
    /// What the vendor says of an operation that it supports no longer, by method and path.
    pub out_of_support: fn(method: &str, path: &str) -> Option<OutOfSupport>,
}

/// An operation that the vendor supports no longer: it may still answer, and may be gone tomorrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfSupport {
    /// Since when, in seconds of Unix time.
    pub since: i64,
    /// What to call instead, as `GET /v2/things`, where there is something.
    pub instead: Option<&'static str>,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// An access token, sent as `Authorization: Bearer`.
    OAuth2(OAuth),
    /// A token of one user, sent in a header of the vendor's own.
    ApiToken {
        /// The header, in lower case.
        header: &'static str,
        /// The query parameter that the vendor takes it from as well; a caller may not send one.
        query: Option<&'static str>,
    },
}

/// How an account signs in by OAuth 2.0: what the standard leaves to the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// Where a person grants access.
    pub authorize: &'static str,
    /// Where a code or a refresh token becomes tokens.
    pub token: &'static str,
    /// Where a token is given back.
    pub revoke: &'static str,
    /// The member of the token endpoint's answer that is the account's host.
    pub api_domain: &'static str,
    /// What stands between two scopes.
    pub scope_separator: char,
    /// Whose a token is.
    pub identity: Identity,
}

/// Where an account says whose a token is: a path below its host, and JSON pointers into the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What to read.
    pub path: &'static str,
    /// The company's id.
    pub company: &'static str,
    /// The company's name.
    pub company_name: &'static str,
    /// The company's own part of its host.
    pub company_domain: &'static str,
    /// The user's id.
    pub user: &'static str,
    /// The user's name.
    pub user_name: &'static str,
    /// The user's e-mail address.
    pub email: &'static str,
}

impl Connector {
    /// Whether a host is one of the vendor's own, to which alone a credential of an account may go.
    pub fn owns_host(&self, host: &str) -> bool {
        let below = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        self.domains.iter().any(|domain| below(domain))
    }

    /// Whether a credential may go to the host of an access: one of the vendor's own, or this machine.
    pub fn accepts(&self, access: &Access) -> bool {
        access.is_local() || self.owns_host(access.host())
    }

    /// Whether a path stays on the host and below its API, however it is read; if not, why.
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

    /// Whether the vendor takes a query parameter of this name for a credential.
    pub fn is_credential(&self, parameter: &str) -> bool {
        let name = parameter.split('[').next().unwrap_or_default().trim();
        self.auth.iter().any(|auth| matches!(auth, Auth::ApiToken { query: Some(query), .. } if name.eq_ignore_ascii_case(query)))
    }

    /// How an account signs in by OAuth, where it can.
    pub fn oauth(&self) -> Option<&OAuth> {
        self.auth.iter().find_map(|auth| match auth {
            Auth::OAuth2(oauth) => Some(oauth),
            Auth::ApiToken { .. } => None,
        })
    }

    /// The header that carries an API token.
    pub(crate) fn token_header(&self) -> Option<&'static str> {
        self.auth.iter().find_map(|auth| match auth {
            Auth::ApiToken { header, .. } => Some(*header),
            Auth::OAuth2(_) => None,
        })
    }

    /// The header that carries an API token, of a connection that has one.
    pub(crate) fn require_token_header(&self) -> Result<&'static str, Error> {
        self.token_header().ok_or_else(|| {
            Error::new(ErrorKind::NoConnection, format!("{} takes no API token.", self.label)).with_hint("Connect it by OAuth.")
        })
    }

    /// The header that carries a credential to its host, where the credential may go there.
    pub(crate) fn credential_header(&self, access: &Access) -> Result<&'static str, Error> {
        if !self.accepts(access) {
            let message = format!("The host {} is none of {}'s, and no credential is sent there.", access.origin(), self.label);
            return Err(Error::new(ErrorKind::NoConnection, message).with_hint(format!("Its hosts are below {}.", self.domains.join(", "))));
        }
        match access.credential() {
            Credential::Bearer(_) => Ok("authorization"),
            Credential::ApiToken(_) => self.require_token_header(),
        }
    }
}

/// Whether a segment of a path is none, however often it is decoded, and with or without what follows a semicolon.
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
