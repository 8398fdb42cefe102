//! The host of a connection and the credential that goes there.

use std::fmt;
use std::sync::{Arc, OnceLock};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::value::error::{Error, ErrorKind};
use crate::value::redaction::Redaction;

/// A host and a credential. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Destination>);

#[derive(Debug)]
struct Destination {
    origin: String,
    host: String,
    local: bool,
    credential: Credential,
    /// The redaction of the credential, built on first use.
    redaction: OnceLock<Redaction>,
}

/// A credential. It is never shown.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An access token of OAuth.
    Bearer(SecretString),
    /// A token or key that a person copied, which is sent as the connector declares.
    ApiToken(SecretString),
    /// No credential, for an API that is open to all.
    None,
}

impl Access {
    /// Builds an access from a host, as `https://acme.example`. Plain http is for this machine alone.
    pub fn new(origin: &str, credential: Credential) -> Result<Self, Error> {
        let refused = |why: &str| Error::new(ErrorKind::NoConnection, format!("The host of a connection is invalid: {why}."));
        let url = Url::parse(origin).map_err(|error| refused("it is not a URL").with_source(error))?;
        let local = match url.host_str() {
            Some("localhost") => true,
            Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
            None => return Err(refused("it names no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err(refused("it must be https").with_hint("Plain http is taken for this machine alone.")),
        }
        if !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(refused("it has more than a scheme, a host and a port").with_hint("Write it as https://acme.example."));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Self(Arc::new(Destination { origin: url.origin().ascii_serialization(), host, local, credential, redaction: OnceLock::new() })))
    }

    /// Returns the host with its scheme and port.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Returns the name of the host, without scheme and port.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Returns the name of the host and its port.
    pub(crate) fn address(&self) -> (&str, Option<u16>) {
        let (scheme, authority) = self.0.origin.split_once("://").unwrap_or_default();
        let given = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        (&self.0.host, given.or(if scheme == "https" { Some(443) } else { Some(80) }))
    }

    /// Checks that the host is this machine.
    pub fn is_local(&self) -> bool {
        self.0.local
    }

    /// Returns the credential.
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }

    /// Returns the redaction of the credential.
    pub fn redaction(&self) -> &Redaction {
        self.0.redaction.get_or_init(|| Redaction::new([self.0.credential.secret()]))
    }

    /// Checks that two accesses hold one secret.
    pub fn has_same_secret(&self, other: &Self) -> bool {
        self.0.credential.secret() == other.0.credential.secret()
    }

    /// Checks that two values are clones of one access.
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Credential {
    /// Builds an access token of OAuth.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(token.into().into())
    }

    /// Builds a credential from a token or key that a person copied.
    pub fn api_token(token: impl Into<String>) -> Self {
        Self::ApiToken(token.into().into())
    }

    /// Computes a text that differs between credentials and does not reveal them, for the id of a connection.
    pub fn digest(&self) -> String {
        Sha256::digest(self.secret()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Bearer(secret) | Self::ApiToken(secret) => secret.expose_secret(),
            Self::None => "",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer([redacted])",
            Self::ApiToken(_) => "ApiToken([redacted])",
            Self::None => "None",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_or_this_machine_as_a_host() {
        for good in ["https://acme.example", "https://acme.example/", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"] {
            assert!(Access::new(good, Credential::bearer("t")).is_ok(), "{good} must be taken");
        }
        for bad in [
            "http://acme.example",
            "ftp://acme.example",
            "acme.example",
            "https://acme.example/api",
            "https://user:word@acme.example",
            "https://acme.example?x=1",
            "http://127.0.0.1.evil.example",
            "",
        ] {
            let error = Access::new(bad, Credential::bearer("t")).expect_err(&format!("{bad} must be refused"));
            assert_eq!(error.kind(), ErrorKind::NoConnection);
        }
    }

    #[test]
    fn does_not_show_a_credential() {
        let access = Access::new("https://acme.example", Credential::api_token("hunter2")).expect("a good host");
        assert!(!format!("{access:?}").contains("hunter2"));
    }
}
