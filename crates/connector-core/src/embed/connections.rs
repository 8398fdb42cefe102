//! What an engine brings: which connection a call uses, where it goes and with which credential.

use async_trait::async_trait;

use crate::value::access::{Access, Credential};
use crate::value::error::{Error, ErrorKind};
use crate::value::wording::quote;

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
    pub fn mark_as_sandbox(mut self) -> Self {
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
    pub fn mark_as_sandbox(mut self) -> Self {
        self.connection = self.connection.mark_as_sandbox();
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
                let error = Error::new(ErrorKind::NoConnection, format!("There is no connection {}.", quote(named)));
                Err(error.with_hint(format!("There is one: {}.", self.connection.name)))
            }
            _ => Ok(self.connection.clone()),
        }
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Ok(self.access.clone())
    }
}
