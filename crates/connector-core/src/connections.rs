//! What an engine brings: which connection a call uses, where it goes and with which credential.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::connector::Connector;
use crate::error::{Error, ErrorKind};

/// The connections of an engine.
#[async_trait]
pub trait Connections: Send + Sync {
    /// The connection that a call names, by name or id, or the one to use where it names none.
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<Connection, Error>;

    /// Where to send, and with which credential; asked when a request is about to be sent, never for a dry run.
    async fn access(&self, connection: &Connection) -> Result<Access, Error>;

    /// After a 401: a fresh access, or `None` where there is none to be had.
    async fn renew(&self, _connection: &Connection, _refused: &Access) -> Result<Option<Access>, Error> {
        Ok(None)
    }
}

/// A connection that was chosen; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// What it is called where it is kept; empty where its name says all.
    pub id: String,
    /// Its name, which outcomes show.
    pub name: String,
    /// The host that it will be sent to, for a dry run.
    pub origin: String,
    /// Whether it sends an API token, not an access token.
    pub api_token: bool,
    /// Whether it is a sandbox, which is told the action's key.
    pub sandbox: bool,
    /// The scopes that it was granted, where they are known; an API token has all that its user has.
    pub scopes: Option<Vec<String>>,
}

/// Where to send, and with which credential; cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: String,
    host: String,
    local: bool,
    credential: Credential,
}

/// A credential; it is never shown.
#[derive(Clone)]
pub enum Credential {
    /// An access token of OAuth.
    Bearer(SecretString),
    /// An API token.
    ApiToken(SecretString),
}

/// One connection that does not change: what a program has that knows its account.
#[derive(Clone, Debug)]
pub struct OneConnection {
    connection: Connection,
    access: Access,
}

impl Connection {
    /// A connection of a name.
    pub fn new(name: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { id: String::new(), name: name.into(), origin: origin.into(), api_token: false, sandbox: false, scopes: None }
    }

    /// Its id, where it is kept under one: a name can change between two questions.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// It sends an API token.
    #[must_use]
    pub fn with_api_token(mut self) -> Self {
        self.api_token = true;
        self
    }

    /// It is a sandbox.
    #[must_use]
    pub fn as_sandbox(mut self) -> Self {
        self.sandbox = true;
        self
    }

    /// It was granted these scopes and no others.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }
}

impl Access {
    /// A host, as `https://acme.example`, and its credential. Plain http is for this machine alone.
    pub fn new(origin: &str, credential: Credential) -> Result<Self, Error> {
        let refused = |why: &str| {
            Error::new(ErrorKind::NoConnection, format!("A connection's host is an https URL, and what is given is not: {why}."))
        };
        let url = reqwest::Url::parse(origin).map_err(|error| refused("it is no URL").with_source(error))?;
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
        Ok(Self(Arc::new(Inner { origin: url.origin().ascii_serialization(), host, local, credential })))
    }

    /// The host, with its scheme and port.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Whether a credential of this connector's accounts may go there: to a host of the vendor's, or to this machine.
    pub fn is_of(&self, connector: &Connector) -> bool {
        self.0.local || connector.owns_host(&self.0.host)
    }

    /// Whether it goes to this machine.
    pub fn is_local(&self) -> bool {
        self.0.local
    }

    /// What it carries.
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }
}

impl Credential {
    /// An access token of OAuth.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(token.into().into())
    }

    /// An API token.
    pub fn api_token(token: impl Into<String>) -> Self {
        Self::ApiToken(token.into().into())
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Bearer(secret) | Self::ApiToken(secret) => secret.expose_secret(),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer([redacted])",
            Self::ApiToken(_) => "ApiToken([redacted])",
        })
    }
}

impl OneConnection {
    /// The connection `name` at `origin`.
    pub fn new(name: &str, origin: &str, credential: Credential) -> Result<Self, Error> {
        let access = Access::new(origin, credential)?;
        let mut connection = Connection::new(name, access.origin());
        connection.api_token = matches!(access.credential(), Credential::ApiToken(_));
        Ok(Self { connection, access })
    }

    /// The same, marked as a sandbox.
    #[must_use]
    pub fn as_sandbox(mut self) -> Self {
        self.connection = self.connection.as_sandbox();
        self
    }

    /// The same, granted these scopes and no others.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.connection = self.connection.with_scopes(scopes);
        self
    }
}

#[async_trait]
impl Connections for OneConnection {
    async fn choose(&self, _connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        match named {
            Some(named) if named != self.connection.name => {
                let error = Error::new(ErrorKind::NoConnection, format!("There is no connection {}.", crate::catalogue::shortened(named)));
                Err(error.with_hint(format!("There is one: {}.", self.connection.name)))
            }
            _ => Ok(self.connection.clone()),
        }
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Ok(self.access.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_https_or_this_machine() {
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
    fn a_credential_is_not_shown() {
        let access = Access::new("https://acme.example", Credential::api_token("hunter2")).expect("a good host");
        assert!(!format!("{access:?}").contains("hunter2"));
    }
}
