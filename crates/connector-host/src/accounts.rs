//! The connections of the command line: those of the store and of the environment, else an embedded sandbox.

use std::path::PathBuf;
use std::sync::{Arc, Once};

use async_trait::async_trait;
use connector_connections::{OwnerVault, Status, Vault};
use connector_core::{Access, Connection, Connections, Credential, Error, ErrorKind, Http, OneConnection};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options, Sandbox, Store};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::command::{Failure, told};
use crate::connectors::CONNECTORS;
use crate::env;
use crate::store::{Kept, LOCAL, STORE_FILE, app};

/// What the store holds, then what the environment names; the embedded sandbox where nothing at all is set up.
#[derive(Clone)]
pub(crate) enum Accounts {
    Stored(Vault, Vec<(String, OneConnection)>),
    Named(Vec<(String, OneConnection)>),
    Embedded(Arc<Embedded>),
}

/// A sandbox of this process, started when a request is first sent.
pub(crate) struct Embedded {
    data: PathBuf,
    said: Once,
    access: OnceCell<Access>,
}

impl Accounts {
    /// What is set up on this machine.
    pub(crate) async fn set_up(store: Option<&str>, http: &Http) -> Result<Self, Failure> {
        let named = named()?;
        let kept = Kept::at(store, STORE_FILE)?;
        if kept.is_set() {
            let public_url = env::variable(env::PUBLIC_URL).unwrap_or_default();
            return Ok(Self::Stored(kept.open(app(&public_url)?, http).await?, named));
        }
        if named.is_empty() && !kept.is_expected() {
            return Ok(Self::Embedded(Arc::new(Embedded { data: sandbox_file()?, said: Once::new(), access: OnceCell::new() })));
        }
        Ok(Self::Named(named))
    }

    /// Where outcomes are kept by idempotency key.
    pub(crate) fn ledger(&self) -> Option<OwnerVault> {
        match self {
            Self::Stored(vault, _) => Some(vault.for_owner(LOCAL)),
            Self::Named(_) | Self::Embedded(_) => None,
        }
    }

    /// Removes what nobody finished, beside the work and no longer than it: what is left is removed the next time.
    pub(crate) fn sweep(&self) {
        if let Self::Stored(vault, _) = self {
            let vault = vault.clone();
            tokio::spawn(async move { vault.sweep().await });
        }
    }
}

/// What the environment names.
fn named() -> Result<Vec<(String, OneConnection)>, Failure> {
    let mut named = Vec::new();
    if let Some(url) = env::variable(env::SANDBOX) {
        let sandbox = OneConnection::new("sandbox", &url, Credential::api_token(DEMO_API_TOKEN));
        let sandbox = sandbox.map_err(|error| Failure::usage(format!("{}: {}", env::SANDBOX, told(&error))))?;
        if !url.starts_with("http://") {
            return Err(Failure::usage(format!("{} takes a sandbox on this machine, as http://127.0.0.1:8020", env::SANDBOX)));
        }
        named.push(("sandbox".to_owned(), sandbox.as_sandbox()));
    }
    match (env::variable(env::API_TOKEN), env::variable(env::API_DOMAIN)) {
        (Some(token), Some(domain)) => named.push(("env".to_owned(), account(&domain, token)?)),
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

fn account(domain: &str, token: String) -> Result<OneConnection, Failure> {
    account_host(domain, env::API_DOMAIN)?;
    let connection = OneConnection::new("env", domain, Credential::api_token(token));
    connection.map_err(|error| Failure::usage(format!("{}: {}", env::API_DOMAIN, told(&error))))
}

/// A host of the vendor's, or of this machine, that somebody gave.
pub(crate) fn account_host(domain: &str, given: &str) -> Result<Access, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{given}: {domain:?} is {what}; write it as https://acme.pipedrive.com"));
    let access = Access::new(domain, Credential::api_token("")).map_err(|_| wrong("no https URL of a host alone"))?;
    if CONNECTORS.iter().any(|connector| connector.accepts(&access)) { Ok(access) } else { Err(wrong("no host of Pipedrive's")) }
}

/// Where the sandbox keeps its data.
pub(crate) fn sandbox_file() -> Result<PathBuf, Failure> {
    Ok(env::data_folder()?.join("sandbox.json"))
}

#[async_trait]
impl Connections for Accounts {
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        match self {
            Self::Embedded(embedded) => embedded.choose(named),
            Self::Stored(vault, accounts) => match vault.for_owner(LOCAL).choose(connector, named).await {
                Err(error) if error.kind() == ErrorKind::NoConnection => instead(error, vault, accounts, connector, named).await,
                chosen => chosen,
            },
            Self::Named(accounts) => of_environment(accounts, &[], connector, named).await,
        }
    }

    async fn access(&self, connection: &Connection) -> Result<Access, Error> {
        match self {
            Self::Embedded(embedded) => embedded.access.get_or_try_init(|| embedded.start()).await.cloned(),
            Self::Stored(vault, _) if !connection.id.is_empty() => vault.for_owner(LOCAL).access(connection).await,
            Self::Named(accounts) | Self::Stored(_, accounts) => {
                let account = accounts.iter().find(|(name, _)| *name == connection.name);
                let (_, account) = account.ok_or_else(|| Error::new(ErrorKind::NoConnection, "The connection is gone."))?;
                account.access(connection).await
            }
        }
    }

    async fn renew(&self, connection: &Connection, refused: &Access) -> Result<Option<Access>, Error> {
        match self {
            Self::Stored(vault, _) if !connection.id.is_empty() => vault.for_owner(LOCAL).renew(connection, refused).await,
            _ => Ok(None),
        }
    }
}

/// What the store did not give may stand in the environment; what the store has goes first.
async fn instead(
    refused: Error,
    vault: &Vault,
    accounts: &[(String, OneConnection)],
    connector: &str,
    named: Option<&str>,
) -> Result<Connection, Error> {
    let kept = vault.list(LOCAL, Some(connector), None).await?;
    let finished: Vec<&str> = kept.iter().filter(|one| one.status != Status::Pending).map(|one| one.name.as_str()).collect();
    match named {
        // It was found, and is not finished: the store has the words for it.
        Some(named) if kept.iter().any(|one| one.name == named || one.id == named) => Err(refused),
        None if !finished.is_empty() => Err(no_connection(refused.message(), finished.into_iter().chain(names(accounts)))),
        _ => of_environment(accounts, &finished, connector, named).await,
    }
}

/// The one that is named, else the only one; `others` are there too, by name alone.
async fn of_environment(
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

/// That none could be chosen, and which there are.
pub(crate) fn no_connection<'a>(message: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let names: Vec<&str> = names.collect();
    let hint = match names.as_slice() {
        [] => "There is none yet: `connector connect` makes one.".to_owned(),
        names => format!("There are: {}.", names.join(", ")),
    };
    Error::new(ErrorKind::NoConnection, message).with_hint(hint)
}

impl Embedded {
    fn choose(&self, named: Option<&str>) -> Result<Connection, Error> {
        if let Some(named) = named.filter(|named| *named != "sandbox") {
            return Err(Error::new(ErrorKind::NoConnection, format!("There is no connection {named:?}; no account is set up."))
                .with_hint(format!("Set {} and {}, or name no connection to use the sandbox.", env::API_TOKEN, env::API_DOMAIN)));
        }
        self.said.call_once(|| {
            crate::render::say(&format!(
                "No account is set up: using the embedded sandbox, which keeps its data in {}.",
                self.data.display()
            ));
        });
        Ok(Connection::new("sandbox", "http://127.0.0.1").with_api_token().as_sandbox())
    }

    /// Any port, and a token that nobody else knows: another program of this machine could find the port.
    async fn start(&self) -> Result<Access, Error> {
        let failed = |message: String| Error::new(ErrorKind::Bug, format!("The embedded sandbox cannot start: {message}"));
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|error| failed(error.to_string()))?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let options = Options { store: Store::File(self.data.clone()), api_token: token.clone(), ..Options::default() };
        let sandbox = Sandbox::open(options).map_err(|error| failed(error.to_string()))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
        Access::new(&format!("http://{address}"), Credential::api_token(token))
    }
}
