//! `connector connections`: the connections of an owner.

use connector_connections::{Connection, Revocation, Vault};

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
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: OwnerArguments,
    },
    /// Show one as JSON
    Show(ConnectionArguments),
    /// Ask Pipedrive whose a connection is, with its own credential
    Test(ConnectionArguments),
    /// Use it for calls that name no connection
    Default(ConnectionArguments),
    /// Give it another name
    Rename {
        #[command(flatten)]
        one: ConnectionArguments,
        /// The name that it is to have
        #[arg(value_parser = parse_name)]
        new: String,
    },
    /// Remove it, and give its grant back
    Remove(ConnectionArguments),
    /// Seal the store with the key that is set now
    Rekey(StoreArguments),
}

/// The owner of the connections, and their store.
#[derive(clap::Args)]
pub(super) struct OwnerArguments {
    /// Whose connections; those of this command line unless told otherwise
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

#[derive(clap::Args)]
pub(super) struct ConnectionArguments {
    /// The connection's name or id
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
            let message = format!("There is no connection {:?} of the owner {:?}.", self.connection, self.of.owner);
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
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            print_table(
                &["NAME", "STATUS", "METHOD", "COMPANY", "USER", "ID"],
                &rows,
                &format!("There is no connection of the owner {:?} yet.", of.owner),
            )
        }
        ConnectionsCommand::Show(one) => print_json(&one.find().await?.1),
        ConnectionsCommand::Test(one) => {
            let (vault, found) = one.find().await?;
            print_json(&vault.test(&found.owner, &found.id).await.map_err(|error| Failure::from_vendor(&error))?)
        }
        ConnectionsCommand::Default(one) => {
            let (vault, found) = one.find().await?;
            print_json(&vault.set_default(&found.owner, &found.id).await?)
        }
        ConnectionsCommand::Rename { one, new } => {
            let (vault, found) = one.find().await?;
            print_json(&vault.rename(&found.owner, &found.id, &new).await?)
        }
        ConnectionsCommand::Remove(one) => {
            let (vault, found) = one.find().await?;
            let label = vault.app(&found.app)?.label();
            render::say(&match vault.remove(&found.owner, &found.id).await? {
                Revocation::Yes => format!("It is removed, and its access was given back to {label}."),
                Revocation::StillUsed => "It is removed. Another connection uses the same access, which stays.".to_owned(),
                Revocation::No => format!(
                    "It is removed. {label} could not be told yet: `connector serve` tries again for a day. Or uninstall the app there."
                ),
                _ => "It is removed; there was no access to give back.".to_owned(),
            });
            Ok(Exit::Ok)
        }
        ConnectionsCommand::Rekey(stored) => {
            let sealed = stored.require().await?.rekey().await?;
            render::say(&format!("{sealed} secrets are sealed with the key that is set now."));
            Ok(Exit::Ok)
        }
    }
}

fn row(one: &Connection) -> Vec<String> {
    let mark = if one.is_default { " (default)" } else { "" };
    let status = one.reason.map_or_else(|| one.status.as_str().to_owned(), |reason| format!("{} {}", one.status.as_str(), reason.as_str()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (company, user) = (text(&one.metadata.company.name), text(&one.metadata.user.email));
    vec![format!("{}{mark}", one.name), status, one.method.as_str().to_owned(), company, user, one.id.clone()]
}
