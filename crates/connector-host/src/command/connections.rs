//! `connector connections`: the connections of an owner.

use connector_connections::{App, Connection, Revocation, Vault};
use connector_core::View;

use crate::setup::accounts::no_connection;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{LOCAL_OWNER, parse_name, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
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
    /// Test a connection: ask Pipedrive for the account of its credential
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
    /// Pipedrive's own data
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
    #[command(flatten)]
    stored: StoreArguments,
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
    async fn find(&self) -> Result<(Vault, Connection), Failure> {
        let vault = self.of.stored.require().await?;
        let all = vault.list(&self.of.owner, None, None).await?;
        let found = all.iter().find(|one| one.name == self.connection || one.id == self.connection).cloned();
        let found = found.ok_or_else(|| {
            let message = format!("The owner {:?} has no connection {:?}.", self.of.owner, self.connection);
            no_connection(&message, all.iter().map(|one| one.name.as_str()))
        })?;
        Ok((vault, found))
    }
}

pub(super) async fn run(command: ConnectionsCommand) -> Result<Exit, Failure> {
    match command {
        ConnectionsCommand::List { json, of } => {
            let all = match of.stored.open_existing().await? {
                Some(vault) => vault.list(&of.owner, None, None).await?,
                None => Vec::new(),
            };
            if json {
                return print_json(&all);
            }
            let rows: Vec<Vec<String>> = all.iter().map(build_row).collect();
            print_table(
                &["NAME", "STATUS", "METHOD", "COMPANY", "USER", "ID", "VIEW"],
                &rows,
                &format!("The owner {:?} has no connection yet.", of.owner),
            )
        }
        ConnectionsCommand::Show(arguments) => print_json(&arguments.find().await?.1),
        ConnectionsCommand::Test(arguments) => {
            let (vault, found) = arguments.find().await?;
            print_json(&vault.test(&found.owner, &found.id).await.map_err(|error| Failure::from_vendor(&error))?)
        }
        ConnectionsCommand::Default(arguments) => {
            let (vault, found) = arguments.find().await?;
            print_json(&vault.set_default(&found.owner, &found.id).await?)
        }
        ConnectionsCommand::Rename { arguments, new } => {
            let (vault, found) = arguments.find().await?;
            print_json(&vault.rename(&found.owner, &found.id, &new).await?)
        }
        ConnectionsCommand::View { arguments, view } => {
            let (vault, found) = arguments.find().await?;
            print_json(&vault.set_view(&found.owner, &found.id, view.to_view()).await?)
        }
        ConnectionsCommand::Remove(arguments) => {
            let (vault, found) = arguments.find().await?;
            let label = vault.app(&found.app).map_or("the vendor", App::label);
            render::say(&match vault.remove(&found.owner, &found.id).await? {
                Revocation::Yes => format!("The connection is removed, and its access was given back to {label}."),
                Revocation::StillUsed => "The connection is removed. Another connection uses the same access, which stays.".to_owned(),
                Revocation::No => format!(
                    "The connection is removed. {label} could not be told yet: `connector serve` tries again for a day. Or uninstall the app there."
                ),
                _ => "The connection is removed; there was no access to give back.".to_owned(),
            });
            Ok(Exit::Ok)
        }
        ConnectionsCommand::Rekey(stored) => {
            let sealed = stored.require().await?.rekey().await?;
            render::say(&format!("{sealed} secrets are sealed with the current key."));
            Ok(Exit::Ok)
        }
    }
}

fn build_row(connection: &Connection) -> Vec<String> {
    let mark = if connection.is_default { " (default)" } else { "" };
    let status = connection
        .reason
        .map_or_else(|| connection.status.as_str().to_owned(), |reason| format!("{} {}", connection.status.as_str(), reason.as_str()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (company, user) = (text(&connection.metadata.company.name), text(&connection.metadata.user.email));
    let view = connection.view.map_or_else(String::new, |view| view.to_string());
    vec![format!("{}{mark}", connection.name), status, connection.method.as_str().to_owned(), company, user, connection.id.clone(), view]
}
