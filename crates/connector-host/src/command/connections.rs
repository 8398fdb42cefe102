//! `connector connections`: the connections of an owner.

use connector_connections::{App, Connection, Revocation, Vault};
use connector_core::run::View;
use connector_core::wording::list_names;

use crate::setup::accounts::no_connection;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{LOCAL_OWNER, parse_name, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::{Linked, LinkedConnector};
use crate::terminal::render;
use crate::terminal::stdout::{print_json, print_table};

#[derive(clap::Subcommand)]
pub(super) enum ConnectionsCommand {
    /// List the connections, oldest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: OwnerArguments,
    },
    /// Show a connection as JSON
    Show(ConnectionArguments),
    /// Test a connection: ask the vendor for the account of its credential
    Test(ConnectionArguments),
    /// Make a connection the default, for calls that name none
    Default(ConnectionArguments),
    /// Rename a connection
    Rename {
        #[command(flatten)]
        arguments: ConnectionArguments,
        /// The new name
        #[arg(value_parser = parse_name)]
        new: String,
    },
    /// Set the shape of the data for calls that name none
    View {
        #[command(flatten)]
        arguments: ConnectionArguments,
        /// The view
        view: ViewChoice,
    },
    /// Remove a connection, and revoke its grant
    Remove(ConnectionArguments),
    /// Seal the store with the current key
    Rekey(StoreArguments),
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum ViewChoice {
    /// The vendor's own data
    Record,
    /// One flat shape
    Flat,
    /// No view of its own: that of the host
    None,
}

impl ViewChoice {
    fn to_view(self) -> Option<View> {
        match self {
            Self::Record => Some(View::Record),
            Self::Flat => Some(View::Flat),
            Self::None => None,
        }
    }
}

/// The owner of the connections, and their store.
#[derive(clap::Args)]
pub(super) struct OwnerArguments {
    /// The owner of the connections
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    /// The connector of the connections
    #[arg(long, value_name = "KEY")]
    connector: Option<String>,
    #[command(flatten)]
    stored: StoreArguments,
}

impl OwnerArguments {
    /// Lists the owner's connections, whatever their status: of one connector, if it is named.
    async fn list(&self, linked: Linked, vault: &Vault) -> Result<Vec<Connection>, Failure> {
        let named = self.connector.as_deref().map(|named| linked.find(named)).transpose()?;
        Ok(vault.list(&self.owner, named.map(LinkedConnector::key), None).await?)
    }
}

/// One connection of an owner.
#[derive(clap::Args)]
pub(super) struct ConnectionArguments {
    /// The name or the id of the connection
    connection: String,
    #[command(flatten)]
    of: OwnerArguments,
}

impl ConnectionArguments {
    /// Opens the vault, and finds the connection in it, whatever its status.
    async fn find(&self, linked: Linked) -> Result<(Vault, Connection), Failure> {
        let vault = self.of.stored.require(linked).await?;
        let all = self.of.list(linked, &vault).await?;
        let found: Vec<&Connection> = all.iter().filter(|one| one.name == self.connection || one.id == self.connection).collect();
        match found.as_slice() {
            [only] => Ok((vault, (*only).clone())),
            [] => {
                let message = format!("The owner {:?} has no connection {:?}.", self.of.owner, self.connection);
                let connector = self.of.connector.as_deref().and_then(|key| linked.get(key));
                Err(no_connection(linked, connector, &message, all.iter().map(|one| one.name.as_str())).into())
            }
            several => {
                let apps: Vec<&str> = several.iter().map(|one| one.app.as_str()).collect();
                Err(Failure::usage(format!(
                    "several connections are called {:?}: name its connector with --connector, {}",
                    self.connection,
                    list_names(&apps, "or")
                )))
            }
        }
    }
}

pub(super) async fn run(linked: Linked, command: ConnectionsCommand) -> Result<Exit, Failure> {
    match command {
        ConnectionsCommand::List { json, of } => {
            let all = match of.stored.open_existing(linked).await? {
                Some(vault) => of.list(linked, &vault).await?,
                None => Vec::new(),
            };
            if json {
                return print_json(&all);
            }
            let rows: Vec<Vec<String>> = all.iter().map(|one| build_row(linked, one)).collect();
            let mut headings = vec!["NAME", "STATUS", "METHOD", "COMPANY", "USER", "ID", "VIEW"];
            if linked.are_several() {
                headings.insert(CONNECTOR_COLUMN, "CONNECTOR");
            }
            print_table(&headings, &rows, &format!("The owner {:?} has no connection yet.", of.owner))
        }
        ConnectionsCommand::Show(arguments) => print_json(&arguments.find(linked).await?.1),
        ConnectionsCommand::Test(arguments) => {
            let (vault, found) = arguments.find(linked).await?;
            print_json(&vault.test(&found.owner, &found.id).await.map_err(|error| Failure::from_vendor(&error))?)
        }
        ConnectionsCommand::Default(arguments) => {
            let (vault, found) = arguments.find(linked).await?;
            print_json(&vault.set_default(&found.owner, &found.id).await?)
        }
        ConnectionsCommand::Rename { arguments, new } => {
            let (vault, found) = arguments.find(linked).await?;
            print_json(&vault.rename(&found.owner, &found.id, &new).await?)
        }
        ConnectionsCommand::View { arguments, view } => {
            let (vault, found) = arguments.find(linked).await?;
            print_json(&vault.set_view(&found.owner, &found.id, view.to_view()).await?)
        }
        ConnectionsCommand::Remove(arguments) => {
            let (vault, found) = arguments.find(linked).await?;
            let label = vault.app(&found.app).map_or("the vendor", App::label);
            render::say(&match vault.remove(&found.owner, &found.id).await? {
                Revocation::Yes => format!("The connection is removed, and its access was given back to {label}."),
                Revocation::StillUsed => "The connection is removed. Another connection uses the same access, which stays.".to_owned(),
                Revocation::No => format!(
                    "The connection is removed. {label} could not be told yet: `connector serve` tries again for a day. Or uninstall the app there."
                ),
                Revocation::NotOffered => {
                    format!("The connection is removed. {label} takes no access back from programs: remove the app in the account there.")
                }
                _ => "The connection is removed; there was no access to give back.".to_owned(),
            });
            Ok(Exit::Ok)
        }
        ConnectionsCommand::Rekey(stored) => {
            let sealed = stored.require(linked).await?.rekey().await?;
            render::say(&format!("{sealed} secrets are sealed with the current key."));
            Ok(Exit::Ok)
        }
    }
}

/// The place of the connector in a row, where there are several.
const CONNECTOR_COLUMN: usize = 3;

fn build_row(linked: Linked, connection: &Connection) -> Vec<String> {
    let mark = if connection.is_default { " (default)" } else { "" };
    let status = connection
        .reason
        .map_or_else(|| connection.status.as_str().to_owned(), |reason| format!("{} {}", connection.status.as_str(), reason.as_str()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (company, user) = (text(&connection.metadata.company.name), text(&connection.metadata.user.email));
    let view = connection.view.map_or_else(String::new, |view| view.to_string());
    let (name, method) = (format!("{}{mark}", connection.name), connection.method.as_str().to_owned());
    let mut row = vec![name, status, method, company, user, connection.id.clone(), view];
    if linked.are_several() {
        row.insert(CONNECTOR_COLUMN, connection.app.clone());
    }
    row
}
