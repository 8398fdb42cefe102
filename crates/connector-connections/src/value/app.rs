//! Apps: a connector, and this host's registration with its vendor.

use connector_core::declare::{ClientAuth, Connector, OAuth};
use connector_core::embed::{Access, Credential};
use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::value::random;

/// App that accounts connect through. It takes API tokens alone until it is given a client.
#[derive(Clone, Debug)]
pub struct App {
    connector: &'static Connector,
    /// The scopes to ask for, in place of the connector's own.
    scopes: Option<Vec<String>>,
    /// The base URL of a sandbox, in place of the vendor's own hosts.
    sandbox: Option<String>,
    client: Option<Client>,
}

/// Registration of this host with the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// Absent for a public client.
    pub(crate) secret: Option<SecretString>,
    pub(crate) redirect_uri: String,
}

impl App {
    /// Builds the app of a connector.
    pub fn new(connector: &'static Connector) -> Result<Self, Error> {
        if connector.is_open() && connector.host.is_none() {
            return Err(Error::new(ErrorKind::Bug, format!("{} declares no way to sign in, and no host.", connector.label)));
        }
        Ok(Self { connector, scopes: None, sandbox: None, client: None })
    }

    /// Sets the client that the vendor registered, and the URI to which it sends browsers back.
    #[must_use]
    pub fn with_client(mut self, id: impl Into<String>, secret: impl Into<SecretString>, redirect_uri: impl Into<String>) -> Self {
        self.client = Some(Client { id: id.into(), secret: Some(secret.into()), redirect_uri: redirect_uri.into() });
        self
    }

    /// Sets a client that has no secret. The vendor must take a code challenge (PKCE).
    #[must_use]
    pub fn with_public_client(mut self, id: impl Into<String>, redirect_uri: impl Into<String>) -> Self {
        self.client = Some(Client { id: id.into(), secret: None, redirect_uri: redirect_uri.into() });
        self
    }

    /// Sets the scopes to ask for, if the client was registered with other ones than the connector asks for.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Points the app at a sandbox on this machine, such as `http://127.0.0.1:8020`, and at nothing else.
    pub fn with_sandbox(mut self, base: &str) -> Result<Self, Error> {
        let access = Access::new(base, Credential::bearer(""))?;
        if !access.is_local() {
            return Err(Error::new(ErrorKind::NoConnection, format!("{base} is not on this machine, and cannot be a sandbox.")));
        }
        self.sandbox = Some(access.origin().to_owned());
        Ok(self)
    }

    /// Returns the connector's key.
    pub fn key(&self) -> &'static str {
        self.connector.key
    }

    /// Returns the vendor's name.
    pub fn label(&self) -> &'static str {
        self.connector.label
    }

    /// Checks whether the vendor registered a client for this host, so that accounts can connect by OAuth.
    pub fn is_registered(&self) -> bool {
        self.client.is_some() && self.connector.oauth().is_some()
    }

    /// Returns the host of every account, if accounts have no hosts of their own.
    pub fn host(&self) -> Option<&str> {
        self.connector.host.map(|host| self.sandbox.as_deref().unwrap_or(host))
    }

    /// Checks that the vendor tells the account of a credential. Else a token is not checked when it is added.
    pub fn has_identity(&self) -> bool {
        self.connector.identity.is_some()
    }

    /// Returns the URI to which the vendor sends browsers back, if it registered a client.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.client.as_ref().map(|client| client.redirect_uri.as_str())
    }

    /// Checks that a caller knows the client's secret, as the vendor does when it reports an uninstall.
    pub fn is_client(&self, id: &str, secret: &str) -> bool {
        // Digests are compared, so that the time taken reveals nothing of the secret.
        let is_same = |own: &SecretString| random::digest(own.expose_secret().as_bytes()) == random::digest(secret.as_bytes());
        self.client.as_ref().is_some_and(|client| client.id == id && client.secret.as_ref().is_some_and(is_same))
    }

    /// Checks whether accounts of the app are at a host: at its sandbox, else at one of the vendor's own hosts.
    pub fn is_at(&self, access: &Access) -> bool {
        match &self.sandbox {
            Some(sandbox) => access.origin() == sandbox,
            None => !access.is_local() && self.connector.accepts(access),
        }
    }

    pub(crate) fn connector(&self) -> &'static Connector {
        self.connector
    }

    /// Returns how accounts sign in by OAuth, or an error if they cannot.
    pub(crate) fn oauth(&self) -> Result<&'static OAuth, Error> {
        self.connector.oauth().ok_or_else(|| {
            let hint =
                if self.connector.is_open() { "Its API is open to all: no connection is needed." } else { "Connect by an API token." };
            Error::new(ErrorKind::NoConnection, format!("{} has no OAuth.", self.connector.label)).with_hint(hint)
        })
    }

    /// Lists the scopes to ask for.
    pub(crate) fn scopes(&self) -> Vec<&str> {
        match &self.scopes {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => self.connector.oauth().map_or_else(Vec::new, |oauth| oauth.scopes.to_vec()),
        }
    }

    /// Checks that a grant can be revoked at the vendor.
    pub(crate) fn can_revoke(&self) -> bool {
        self.connector.oauth().is_some_and(|oauth| oauth.revoke.is_some())
    }

    pub(crate) fn is_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Returns the registered client, or an error that says what to set.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        let oauth = self.oauth()?;
        self.client.as_ref().ok_or_else(|| {
            let parts = if oauth.client_auth == ClientAuth::Public { "id and redirect URI" } else { "id, secret and redirect URI" };
            let otherwise = if self.connector.takes_token() { ", or connect by an API token" } else { "" };
            Error::new(ErrorKind::NoConnection, format!("No client is registered for {} on this host.", self.connector.label))
                .with_hint(format!("Set the client's {parts}{otherwise}."))
        })
    }

    pub(crate) fn has_client(&self, id: &str) -> bool {
        self.client.as_ref().is_some_and(|client| client.id == id)
    }

    /// Returns the URL of an OAuth endpoint, at the sandbox if there is one.
    pub(crate) fn url(&self, url: &str) -> String {
        let Some(base) = &self.sandbox else { return url.to_owned() };
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
        format!("{base}{path}")
    }

    /// Builds the access to a host of the vendor over https, or to the sandbox. Other hosts get no credential.
    pub(crate) fn access(&self, origin: &str, credential: Credential) -> Result<Access, Error> {
        let access = Access::new(origin, credential)?;
        let allowed = match &self.sandbox {
            Some(_) => access.is_local(),
            None => !access.is_local() && self.connector.accepts(&access),
        };
        if allowed {
            return Ok(access);
        }
        let hosts = self.sandbox.clone().unwrap_or_else(|| format!("below {}", self.connector.domains.join(", ")));
        let host: String = access.origin().chars().take(100).collect();
        Err(Error::new(ErrorKind::NoConnection, format!("The host {host} is none of {}'s, and gets no credential.", self.connector.label))
            .with_hint(format!("Its hosts are {hosts}.")))
    }
}
