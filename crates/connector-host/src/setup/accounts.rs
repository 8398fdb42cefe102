//! The connections of the command line: those of the store and of the environment, else an embedded sandbox.

use std::sync::Arc;

use async_trait::async_trait;
use connector_connections::{Status, Vault};
use connector_core::embed::{Access, Connection, Connections, Credential};
use connector_core::run::Http;
use connector_core::{Error, ErrorKind};

use crate::setup::app::build_apps;
use crate::setup::http::build_client;
use crate::setup::ledger::{LEDGER_FILE, LocalLedger, SANDBOX_LEDGER_FILE};
use crate::setup::sandbox::{self, EmbeddedSandbox, Reason};
use crate::setup::store::{STORE_FILE, StorePlace};
use crate::terminal::arguments::LOCAL_OWNER;
use crate::terminal::env;
use crate::terminal::failure::Failure;
use crate::terminal::linked::{Linked, LinkedConnector};

/// The name of the connection that the environment makes.
const ENVIRONMENT: &str = "env";

/// The flags that say which connections a command can choose from.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct AccountArguments {
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Use the embedded sandbox, whatever is set up
    #[arg(long, conflicts_with = "store")]
    pub(crate) sandbox: bool,
}

/// The connections that a command can choose from.
#[derive(Clone)]
pub(crate) struct Accounts {
    linked: Linked,
    /// The connections of the store, which go first.
    vault: Option<Vault>,
    named: Arc<[EnvironmentAccount]>,
    /// The embedded sandbox, where nothing at all is set up.
    embedded: Option<Arc<EmbeddedSandbox>>,
    ledger: LocalLedger,
}

/// An account of a connector that the environment names.
struct EnvironmentAccount {
    connector: &'static str,
    connection: Connection,
    access: Access,
}

impl Accounts {
    /// Finds what is set up on this machine, or takes the embedded sandbox where that is asked for.
    pub(crate) async fn find(linked: Linked, arguments: &AccountArguments, http: &Http) -> Result<Self, Failure> {
        if arguments.sandbox {
            let (sandboxed, sandbox) = linked.require_sandboxed()?;
            let embedded = EmbeddedSandbox::new(sandboxed, sandbox, Reason::AskedFor)?;
            return Self::embed(linked, embedded, http);
        }
        let named: Arc<[EnvironmentAccount]> = read_environment(linked)?.into();
        let place = StorePlace::find(arguments.store.as_deref(), STORE_FILE)?;
        if place.is_set() {
            let public_url = env::variable(env::PUBLIC_URL).unwrap_or_default();
            let vault = place.open_or_create(build_apps(linked, &public_url)?, http).await?;
            let ledger = LocalLedger::of_vault(&vault);
            return Ok(Self { linked, vault: Some(vault), named, embedded: None, ledger });
        }
        let is_untouched = named.is_empty() && !place.is_expected(linked)?;
        match linked.find_sandboxed().filter(|_| is_untouched) {
            Some((sandboxed, sandbox)) => Self::embed(linked, EmbeddedSandbox::new(sandboxed, sandbox, Reason::NothingSetUp)?, http),
            None => Ok(Self { linked, vault: None, named, embedded: None, ledger: LocalLedger::beside(LEDGER_FILE, http)? }),
        }
    }

    fn embed(linked: Linked, sandbox: EmbeddedSandbox, http: &Http) -> Result<Self, Failure> {
        let ledger = LocalLedger::beside(SANDBOX_LEDGER_FILE, http)?;
        Ok(Self { linked, vault: None, named: Arc::default(), embedded: Some(Arc::new(sandbox)), ledger })
    }

    /// Lists the names of the connections of this machine. It creates no store.
    pub(crate) async fn list_names(linked: Linked) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = read_environment(linked)?.into_iter().map(|account| account.connection.name).collect();
        let place = StorePlace::find(None, STORE_FILE)?;
        if place.exists() {
            let vault = place.open_or_create(build_apps(linked, "")?, &build_client()?).await?;
            names.extend(vault.list(LOCAL_OWNER, None, None).await?.into_iter().map(|one| one.name));
        }
        Ok(names)
    }

    /// Returns the store of connections, if there is one.
    pub(crate) fn vault(&self) -> Option<&Vault> {
        self.vault.as_ref()
    }

    /// Returns the ledger that keeps outcomes by idempotency key.
    pub(crate) fn ledger(&self) -> &LocalLedger {
        &self.ledger
    }

    /// Starts to remove what nobody finished. The next command goes on with what is left when this one ends.
    pub(crate) fn spawn_sweep(&self) {
        if let Some(vault) = self.vault.clone() {
            tokio::spawn(async move { vault.sweep().await });
        }
    }

    /// Chooses a connection of the environment where the store has none to give. The store goes first.
    async fn choose_elsewhere(&self, refused: Error, vault: &Vault, connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        let stored = vault.list(LOCAL_OWNER, Some(connector), None).await?;
        let finished: Vec<&str> = stored.iter().filter(|one| one.status != Status::Pending).map(|one| one.name.as_str()).collect();
        match named {
            // The connection is in the store, whose error says what is missing.
            Some(named) if stored.iter().any(|one| one.name == named || one.id == named) => Err(refused),
            None if !finished.is_empty() => Err(self.no_connection(refused.message(), connector, &finished)),
            _ => self.choose_named(&finished, connector, named),
        }
    }

    /// Chooses the account that is named, else the only one. `others` are names of the store, for the hint.
    fn choose_named(&self, others: &[&str], connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        let accounts: Vec<&EnvironmentAccount> = self.named.iter().filter(|account| account.connector == connector).collect();
        let missing = |message: &str| self.no_connection(message, connector, others);
        let account = match (named, accounts.as_slice()) {
            (Some(wanted), _) => {
                let found = accounts.iter().find(|account| account.connection.name == wanted);
                found.ok_or_else(|| missing(&format!("There is no connection {wanted:?}{}.", self.linked.of_vendor(connector))))?
            }
            (None, [only]) => only,
            (None, []) => return Err(missing(&self.explain_missing(connector))),
            (None, _) => return Err(missing("Several connections are set up, and none is named.")),
        };
        Ok(account.connection.clone())
    }

    /// Explains why no connection of a connector can be used, although none is named.
    fn explain_missing(&self, connector: &str) -> String {
        let label = self.linked.get(connector).map_or(connector, |linked| linked.connector.label);
        match self.linked.find_sandboxed() {
            Some((sandboxed, _)) if sandboxed.key() == connector => {
                "No connection is set up, and the embedded sandbox is not used where a store, a key or an app is.".to_owned()
            }
            Some((sandboxed, _)) if self.embedded.is_some() => {
                format!("No account of {label} is set up. The embedded sandbox stands in for {} alone.", sandboxed.connector.label)
            }
            _ => format!("No account of {label} is set up."),
        }
    }

    fn no_connection(&self, message: &str, connector: &str, others: &[&str]) -> Error {
        let own = self.named.iter().filter(|account| account.connector == connector).map(|account| account.connection.name.as_str());
        let names: Vec<&str> = others.iter().copied().chain(own).collect();
        let is_sandboxed = self.linked.find_sandboxed().is_some_and(|(sandboxed, _)| sandboxed.key() == connector);
        let error = no_connection(self.linked, self.linked.get(connector), message, names.iter().copied());
        if !names.is_empty() || self.embedded.is_some() || !is_sandboxed {
            return error;
        }
        let hint = error.hint().unwrap_or_default().to_owned();
        error.with_hint(format!("{hint} `connector invoke --sandbox` uses the embedded sandbox."))
    }

    /// Finds the account of the environment that was chosen. No connection of the store has the id of one.
    fn find_account(&self, connection: &Connection) -> Option<&EnvironmentAccount> {
        self.named.iter().find(|account| account.connection.id == connection.id && account.connection.name == connection.name)
    }
}

/// Reads the connections that the environment names.
fn read_environment(linked: Linked) -> Result<Vec<EnvironmentAccount>, Failure> {
    let mut named = Vec::new();
    for one in linked.all() {
        if let Some(sandbox) = one.sandbox
            && let Some(url) = one.setting(env::SANDBOX)?
        {
            let (connection, access) = sandbox::build_connection(one, sandbox, &url)?;
            named.push(EnvironmentAccount { connector: one.key(), connection, access });
        }
        if let Some((credential, name, domain)) = read_credential(one)? {
            let access = linked.check_host(Some(one), &domain, &name)?;
            let access = Access::new(access.origin(), credential).map_err(Failure::from)?;
            // Accounts of two connectors may have one name and one host, and those of two users too.
            let id = format!("{}/{}", one.key(), access.credential().digest());
            let mut connection = Connection::new(ENVIRONMENT, access.origin()).with_id(id);
            connection.api_token = matches!(access.credential(), Credential::ApiToken(_));
            named.push(EnvironmentAccount { connector: one.key(), connection, access });
        }
    }
    Ok(named)
}

/// Reads the credential of an account, and the host with the name of where it stands.
fn read_credential(one: &LinkedConnector) -> Result<Option<(Credential, String, String)>, Failure> {
    let (token_name, host_name) = (one.variable(env::API_TOKEN), one.variable(env::API_DOMAIN));
    let is_open = one.connector.is_open();
    match (one.setting(env::API_TOKEN)?, one.setting(env::API_DOMAIN)?, one.fixed_host()?) {
        (Some(_), ..) if is_open => {
            Err(Failure::usage(format!("{token_name}: the API of {} is open to all, and takes no token", one.connector.label)))
        }
        (Some(token), Some(domain), _) => Ok(Some((Credential::api_token(token), host_name, domain))),
        (Some(token), None, Some((name, host))) => Ok(Some((Credential::api_token(token), name, host))),
        (Some(_), None, None) => Err(Failure::usage(format!("{token_name} needs {host_name}, as {}", one.example_url()))),
        (None, Some(domain), _) if is_open => Ok(Some((Credential::None, host_name, domain))),
        (None, Some(_), _) => Err(Failure::usage(format!("{host_name} needs {token_name}, an API token of that account"))),
        (None, None, _) => Ok(None),
    }
}

#[async_trait]
impl Connections for Accounts {
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        match (&self.embedded, &self.vault) {
            (Some(embedded), _) if embedded.stands_in_for(connector) => embedded.choose(named),
            (_, Some(vault)) => match vault.for_owner(LOCAL_OWNER).choose(connector, named).await {
                Err(error) if error.kind() == ErrorKind::NoConnection => self.choose_elsewhere(error, vault, connector, named).await,
                chosen => chosen,
            },
            _ => self.choose_named(&[], connector, named),
        }
    }

    async fn access(&self, connection: &Connection) -> Result<Access, Error> {
        match (&self.embedded, &self.vault, self.find_account(connection)) {
            (Some(embedded), ..) => embedded.access().await,
            (_, _, Some(account)) => Ok(account.access.clone()),
            (_, Some(vault), None) => vault.for_owner(LOCAL_OWNER).access(connection).await,
            _ => Err(Error::new(ErrorKind::NoConnection, "The connection is gone.")),
        }
    }

    async fn renew(&self, connection: &Connection, refused: &Access) -> Result<Option<Access>, Error> {
        match &self.vault {
            Some(vault) if self.find_account(connection).is_none() => vault.for_owner(LOCAL_OWNER).renew(connection, refused).await,
            _ => Ok(None),
        }
    }
}

/// Builds the error for a connection that was not found. Its hint lists the names that exist, or how to make one.
pub(crate) fn no_connection<'a>(
    linked: Linked,
    connector: Option<&LinkedConnector>,
    message: &str,
    names: impl Iterator<Item = &'a str>,
) -> Error {
    let names: Vec<&str> = names.collect();
    let hint = match (names.as_slice(), connector.filter(|_| linked.are_several())) {
        ([], None) => "There is none yet: `connector connect` creates one.".to_owned(),
        ([], Some(connector)) => {
            let variables = connector.token_variables().map_or_else(String::new, |variables| format!("; or set {variables}"));
            format!("`connector connect --connector {}` connects one{variables}.", connector.key())
        }
        (names, _) => format!("There are: {}.", names.join(", ")),
    };
    Error::new(ErrorKind::NoConnection, message).with_hint(hint)
}
