//! The connections of the command line: those of the store and of the environment, else an embedded sandbox.

use std::sync::Arc;

use async_trait::async_trait;
use connector_connections::{OwnerVault, Status, Vault};
use connector_core::{Access, Connection, Connections, Credential, Error, ErrorKind, Http, OneConnection};

use crate::setup::app::build_apps;
use crate::setup::sandbox::{self, EmbeddedSandbox};
use crate::setup::store::{STORE_FILE, StorePlace};
use crate::terminal::arguments::LOCAL_OWNER;
use crate::terminal::connectors::{CONNECTORS, vendor_names};
use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};

/// The connections that a command can choose from.
#[derive(Clone)]
pub(crate) enum Accounts {
    /// The connections of the store, then those of the environment by name.
    Stored(Vault, Vec<(String, OneConnection)>),
    /// The connections of the environment by name.
    Named(Vec<(String, OneConnection)>),
    /// The embedded sandbox, where nothing at all is set up.
    Embedded(Arc<EmbeddedSandbox>),
}

impl Accounts {
    /// Finds what is set up on this machine.
    pub(crate) async fn find(store: Option<&str>, http: &Http) -> Result<Self, Failure> {
        let named = read_environment()?;
        let place = StorePlace::find(store, STORE_FILE)?;
        if place.is_set() {
            let public_url = env::variable(env::PUBLIC_URL).unwrap_or_default();
            return Ok(Self::Stored(place.open_or_create(build_apps(&public_url)?, http).await?, named));
        }
        if named.is_empty() && !place.is_expected() {
            return Ok(Self::Embedded(Arc::new(EmbeddedSandbox::new()?)));
        }
        Ok(Self::Named(named))
    }

    /// Returns the ledger that keeps outcomes by idempotency key. Only a store has one.
    pub(crate) fn ledger(&self) -> Option<OwnerVault> {
        match self {
            Self::Stored(vault, _) => Some(vault.for_owner(LOCAL_OWNER)),
            Self::Named(_) | Self::Embedded(_) => None,
        }
    }

    /// Starts to remove what nobody finished. The next command goes on with what is left when this one ends.
    pub(crate) fn spawn_sweep(&self) {
        if let Self::Stored(vault, _) = self {
            let vault = vault.clone();
            tokio::spawn(async move { vault.sweep().await });
        }
    }
}

/// Reads the connections that the environment names.
fn read_environment() -> Result<Vec<(String, OneConnection)>, Failure> {
    let mut named = Vec::new();
    if let Some(url) = env::variable(env::SANDBOX) {
        named.push(sandbox::build_connection(&url)?);
    }
    match (env::variable(env::API_TOKEN), env::variable(env::API_DOMAIN)) {
        (Some(token), Some(domain)) => named.push(("env".to_owned(), build_connection(&domain, token)?)),
        (Some(_), None) => {
            return Err(Failure::usage(format!("{} needs {}, as https://acme.pipedrive.com", env::API_TOKEN, env::API_DOMAIN)));
        }
        (None, Some(_)) => {
            return Err(Failure::usage(format!("{} needs {}, an API token of that account", env::API_DOMAIN, env::API_TOKEN)));
        }
        (None, None) => {}
    }
    Ok(named)
}

fn build_connection(domain: &str, token: String) -> Result<OneConnection, Failure> {
    check_account_host(domain, env::API_DOMAIN)?;
    let connection = OneConnection::new("env", domain, Credential::api_token(token));
    connection.map_err(|error| Failure::usage(format!("{}: {}", env::API_DOMAIN, one_line(&error))))
}

/// Checks that a flag or variable holds a host of a vendor, or of this machine.
pub(crate) fn check_account_host(domain: &str, name: &str) -> Result<Access, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{name}: {domain:?} is {what}; write it as https://acme.pipedrive.com"));
    let access = Access::new(domain, Credential::api_token("")).map_err(|_| wrong("no https URL of a host alone"))?;
    if CONNECTORS.iter().any(|connector| connector.accepts(&access)) {
        return Ok(access);
    }
    Err(wrong(&format!("no host of {}", vendor_names())))
}

#[async_trait]
impl Connections for Accounts {
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        match self {
            Self::Embedded(embedded) => embedded.choose(named),
            Self::Stored(vault, accounts) => match vault.for_owner(LOCAL_OWNER).choose(connector, named).await {
                Err(error) if error.kind() == ErrorKind::NoConnection => choose_elsewhere(error, vault, accounts, connector, named).await,
                chosen => chosen,
            },
            Self::Named(accounts) => choose_named(accounts, &[], connector, named).await,
        }
    }

    async fn access(&self, connection: &Connection) -> Result<Access, Error> {
        match self {
            Self::Embedded(embedded) => embedded.access().await,
            Self::Stored(vault, _) if !connection.id.is_empty() => vault.for_owner(LOCAL_OWNER).access(connection).await,
            Self::Named(accounts) | Self::Stored(_, accounts) => {
                let account = accounts.iter().find(|(name, _)| *name == connection.name);
                let (_, account) = account.ok_or_else(|| Error::new(ErrorKind::NoConnection, "The connection is gone."))?;
                account.access(connection).await
            }
        }
    }

    async fn renew(&self, connection: &Connection, refused: &Access) -> Result<Option<Access>, Error> {
        match self {
            Self::Stored(vault, _) if !connection.id.is_empty() => vault.for_owner(LOCAL_OWNER).renew(connection, refused).await,
            _ => Ok(None),
        }
    }
}

/// Chooses a connection of the environment where the store has none to give. The store goes first.
async fn choose_elsewhere(
    refused: Error,
    vault: &Vault,
    accounts: &[(String, OneConnection)],
    connector: &str,
    named: Option<&str>,
) -> Result<Connection, Error> {
    let stored = vault.list(LOCAL_OWNER, Some(connector), None).await?;
    let finished: Vec<&str> = stored.iter().filter(|one| one.status != Status::Pending).map(|one| one.name.as_str()).collect();
    match named {
        // The connection is in the store, whose error says what is missing.
        Some(named) if stored.iter().any(|one| one.name == named || one.id == named) => Err(refused),
        None if !finished.is_empty() => Err(no_connection(refused.message(), finished.into_iter().chain(names(accounts)))),
        _ => choose_named(accounts, &finished, connector, named).await,
    }
}

/// Chooses the account that is named, else the only one. `others` are names of the store, for the hint.
async fn choose_named(
    accounts: &[(String, OneConnection)],
    others: &[&str],
    connector: &str,
    named: Option<&str>,
) -> Result<Connection, Error> {
    let missing = |message: &str| no_connection(message, others.iter().copied().chain(names(accounts)));
    let (_, account) = match (named, accounts) {
        (Some(wanted), _) => {
            accounts.iter().find(|(name, _)| name == wanted).ok_or_else(|| missing(&format!("There is no connection {wanted:?}.")))?
        }
        (None, [only]) => only,
        (None, []) => {
            return Err(missing("No connection is set up, and the embedded sandbox is not used where a store, a key or an app is."));
        }
        (None, _) => return Err(missing("Several connections are set up, and none is named.")),
    };
    account.choose(connector, None).await
}

fn names(accounts: &[(String, OneConnection)]) -> impl Iterator<Item = &str> {
    accounts.iter().map(|(name, _)| name.as_str())
}

/// Builds the error for a connection that was not found. Its hint lists the names that exist.
pub(crate) fn no_connection<'a>(message: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let names: Vec<&str> = names.collect();
    let hint = match names.as_slice() {
        [] => "There is none yet: `connector connect` creates one.".to_owned(),
        names => format!("There are: {}.", names.join(", ")),
    };
    Error::new(ErrorKind::NoConnection, message).with_hint(hint)
}
