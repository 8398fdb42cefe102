//! The connections of an engine: the connection that a call uses, its host and its credential.

use async_trait::async_trait;

use crate::declare::connector::Connector;
use crate::value::access::{Access, Credential};
use crate::value::error::{Error, ErrorKind};
use crate::value::view::View;
use crate::value::wording::quote;

/// The connections of an engine, from which each call takes one.
///
/// ```
/// use async_trait::async_trait;
/// use connector_core::Error;
/// use connector_core::embed::{Access, Connection, Connections, Credential};
///
/// /// The store of an engine that has one account: its host and its token.
/// struct Store {
///     host: String,
///     token: String,
/// }
///
/// #[async_trait]
/// impl Connections for Store {
///     async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
///         Ok(Connection::new("acme", &self.host).with_api_token())
///     }
///
///     async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
///         Access::new(&self.host, Credential::api_token(&self.token))
///     }
/// }
/// ```
#[async_trait]
pub trait Connections: Send + Sync {
    /// Chooses the connection that a call names by name or id, or the default if it names none.
    ///
    /// For a connector whose API is open to all, the error `NoConnection` means that the call goes to its host.
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<Connection, Error>;

    /// Returns the host and the credential. It is called before each request, and never for a dry run.
    async fn access(&self, connection: &Connection) -> Result<Access, Error>;

    /// Returns a fresh access after a 401, or `None` if there is none.
    async fn renew(&self, _connection: &Connection, _refused: &Access) -> Result<Option<Access>, Error> {
        Ok(None)
    }
}

/// A connection that was chosen for a call. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// The id in the engine's store. Empty if the name identifies the connection.
    pub id: String,
    /// The name, which outcomes show.
    pub name: String,
    /// The host that a dry run shows.
    pub origin: String,
    /// `true` if it sends an API token, not an access token.
    pub api_token: bool,
    /// `true` for a sandbox, to which requests name the action's key.
    pub sandbox: bool,
    /// The scopes that were granted, if they are known. An API token has all scopes of its user.
    pub scopes: Option<Vec<String>>,
    /// The view of a call that names none. Left out, the runtime's own.
    pub view: Option<View>,
    /// The account whose daily budget the connection spends, as the vendor names it.
    ///
    /// Left out, each host is one account.
    pub account: Option<String>,
}

/// The connections of a runtime that was given none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoConnections;

/// The connection that was chosen for a call, and where its credential comes from.
pub(crate) struct Chosen<'a> {
    pub(crate) connection: Connection,
    from: Origin<'a>,
}

enum Origin<'a> {
    /// The connections of the engine.
    Engine(&'a dyn Connections),
    /// An API that is open to all.
    Open(OneConnection),
}

/// A single connection that does not change, for a program that knows its account.
#[derive(Clone, Debug)]
pub struct OneConnection {
    connection: Connection,
    access: Access,
}

impl<'a> Chosen<'a> {
    /// Chooses a connection of the engine. A call to an API that is open to all needs none.
    pub(crate) async fn choose(
        connections: &'a dyn Connections,
        connector: &'static Connector,
        named: Option<&str>,
    ) -> Result<Self, Error> {
        match connections.choose(connector.key, named).await {
            Ok(connection) => Ok(Self { connection, from: Origin::Engine(connections) }),
            Err(error) if error.kind() == ErrorKind::NoConnection && connector.is_open() => Self::open(connector, named),
            Err(error) => Err(error),
        }
    }

    /// Builds the connection to the host of an API that is open to all.
    fn open(connector: &'static Connector, named: Option<&str>) -> Result<Self, Error> {
        if let Some(named) = named {
            let message = format!("There is no connection {} of {}.", quote(named), connector.label);
            return Err(Error::new(ErrorKind::NoConnection, message).with_hint("Its API is open to all: name no connection."));
        }
        let account = OneConnection::new("open", connector.host.unwrap_or_default(), Credential::None)?;
        Ok(Self { connection: account.connection.clone(), from: Origin::Open(account) })
    }

    /// Returns the connections that give the credential.
    pub(crate) fn connections(&self) -> &dyn Connections {
        match &self.from {
            Origin::Engine(connections) => *connections,
            Origin::Open(account) => account,
        }
    }
}

impl NoConnections {
    fn explain() -> Error {
        Error::new(ErrorKind::NoConnection, "This program gave the runtime no connections.")
            .with_hint("Its author gives some by `Builder::connections`, as a `OneConnection` or a store.")
    }
}

#[async_trait]
impl Connections for NoConnections {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Err(Self::explain())
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Err(Self::explain())
    }
}

impl Connection {
    /// Builds a connection from its name and host.
    pub fn new(name: impl Into<String>, origin: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            name: name.into(),
            origin: origin.into(),
            api_token: false,
            sandbox: false,
            scopes: None,
            view: None,
            account: None,
        }
    }

    /// Returns what identifies the connection: its id, else its name.
    pub(crate) fn identity(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    /// Sets the id in the engine's store: a name may change between two calls.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Marks a connection that sends an API token.
    #[must_use]
    pub fn with_api_token(mut self) -> Self {
        self.api_token = true;
        self
    }

    /// Marks a sandbox.
    #[must_use]
    pub fn mark_as_sandbox(mut self) -> Self {
        self.sandbox = true;
        self
    }

    /// Sets the scopes that were granted.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the view of calls that name none.
    #[must_use]
    pub fn with_view(mut self, view: impl Into<Option<View>>) -> Self {
        self.view = view.into();
        self
    }

    /// Sets the account whose daily budget the connection spends.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<Option<String>>) -> Self {
        self.account = account.into();
        self
    }
}

impl OneConnection {
    /// Builds the connection `name` at `origin`.
    pub fn new(name: &str, origin: &str, credential: Credential) -> Result<Self, Error> {
        let access = Access::new(origin, credential)?;
        let mut connection = Connection::new(name, access.origin());
        connection.api_token = matches!(access.credential(), Credential::ApiToken(_));
        Ok(Self { connection, access })
    }

    /// Marks a sandbox.
    #[must_use]
    pub fn mark_as_sandbox(mut self) -> Self {
        self.connection = self.connection.mark_as_sandbox();
        self
    }

    /// Sets the scopes that were granted.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.connection = self.connection.with_scopes(scopes);
        self
    }

    /// Sets the view of calls that name none.
    #[must_use]
    pub fn with_view(mut self, view: impl Into<Option<View>>) -> Self {
        self.connection = self.connection.with_view(view);
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
