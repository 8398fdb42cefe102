//! `connector connections`: an owner's connections, seen and changed.

use connector_connections::{Connection, Revocation, Vault};

use super::{Failure, Stored, name, owner, print, table};
use crate::accounts::no_connection;
use crate::exit_code::Exit;
use crate::render;
use crate::store::LOCAL;

#[derive(clap::Subcommand)]
pub(super) enum Arguments {
    /// List the connections, oldest first
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Show one as JSON
    Show(One),
    /// Ask Pipedrive whose a connection is, with its own credential
    Test(One),
    /// Use it for calls that name no connection
    Default(One),
    /// Give it another name
    Rename {
        #[command(flatten)]
        one: One,
        /// The name that it is to have
        #[arg(value_parser = name)]
        new: String,
    },
    /// Remove it, and give its grant back
    Remove(One),
    /// Seal the store with the key that is set now
    Rekey(Stored),
}

/// Whose connections, and where they are kept.
#[derive(clap::Args)]
pub(super) struct Of {
    /// Whose connections; those of this command line unless told otherwise
    #[arg(long, value_name = "NAME", default_value = LOCAL, value_parser = owner)]
    owner: String,
    #[command(flatten)]
    stored: Stored,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The connection's name or id
    connection: String,
    #[command(flatten)]
    of: Of,
}

impl One {
    /// The vault, and the connection in it, be it finished or not.
    async fn found(&self) -> Result<(Vault, Connection), Failure> {
        let vault = self.of.stored.needed().await?;
        let all = vault.list(&self.of.owner, None, None).await?;
        let found = all.iter().find(|one| one.name == self.connection || one.id == self.connection).cloned();
        let found = found.ok_or_else(|| {
            let message = format!("There is no connection {:?} of the owner {:?}.", self.connection, self.of.owner);
            no_connection(&message, all.iter().map(|one| one.name.as_str()))
        })?;
        Ok((vault, found))
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments {
        Arguments::List { json, of } => {
            let all = match of.stored.there().await? {
                Some(vault) => vault.list(&of.owner, None, None).await?,
                None => Vec::new(),
            };
            if json {
                return print(&serde_json::to_vec_pretty(&all).expect("connections are written to memory"));
            }
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            table(
                &["NAME", "STATUS", "METHOD", "COMPANY", "USER", "ID"],
                &rows,
                &format!("There is no connection of the owner {:?} yet.", of.owner),
            )
        }
        Arguments::Show(one) => shown(&one.found().await?.1),
        Arguments::Test(one) => {
            let (vault, found) = one.found().await?;
            shown(&vault.test(&found.owner, &found.id).await.map_err(|error| Failure::of_vendor(&error))?)
        }
        Arguments::Default(one) => {
            let (vault, found) = one.found().await?;
            shown(&vault.set_default(&found.owner, &found.id).await?)
        }
        Arguments::Rename { one, new } => {
            let (vault, found) = one.found().await?;
            shown(&vault.rename(&found.owner, &found.id, &new).await?)
        }
        Arguments::Remove(one) => {
            let (vault, found) = one.found().await?;
            render::say(match vault.remove(&found.owner, &found.id).await? {
                Revocation::Yes => "It is removed, and its access was given back to Pipedrive.",
                Revocation::StillUsed => "It is removed. Another connection lives by the same access, which stays.",
                Revocation::No => {
                    "It is removed. Pipedrive could not be told yet: `connector serve` tries it again for a day. Or uninstall the app there."
                }
                _ => "It is removed; there was no access to give back.",
            });
            Ok(Exit::Ok)
        }
        Arguments::Rekey(stored) => {
            let sealed = stored.needed().await?.rekey().await?;
            render::say(&format!("{sealed} secrets are sealed with the key that is set now."));
            Ok(Exit::Ok)
        }
    }
}

/// One connection as JSON.
pub(super) fn shown(connection: &Connection) -> Result<Exit, Failure> {
    print(&serde_json::to_vec_pretty(connection).expect("a connection is written to memory"))
}

fn row(one: &Connection) -> Vec<String> {
    let mark = if one.is_default { " (default)" } else { "" };
    let status = one.reason.map_or_else(|| one.status.as_str().to_owned(), |reason| format!("{} {}", one.status.as_str(), reason.as_str()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (company, user) = (text(&one.metadata.company.name), text(&one.metadata.user.email));
    vec![format!("{}{mark}", one.name), status, one.method.as_str().to_owned(), company, user, one.id.clone()]
}
