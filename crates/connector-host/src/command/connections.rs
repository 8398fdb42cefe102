//! `connector connections`: an owner's connections, seen and changed.

use connector_connections::{Connection, Revoked, Vault};

use super::{Failure, Of, print};
use crate::exit_code::Exit;
use crate::render;

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
    /// Make it the one that a call uses which names none
    Default(One),
    /// Remove it, and give its grant back
    Remove(One),
    /// Seal the store with the key that is set now
    Rekey {
        #[command(flatten)]
        of: Of,
    },
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The connection's name or id
    connection: String,
    #[command(flatten)]
    of: Of,
}

impl One {
    /// The vault, and the connection in it.
    async fn found(&self) -> Result<(Vault, Connection), Failure> {
        let vault = self.of.vault().await?;
        let all = vault.list(&self.of.owner, None, None).await?;
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        let missing = format!("there is no connection {:?}; there are: {}", self.connection, names.join(", "));
        let found = all.iter().find(|one| one.name == self.connection || one.id == self.connection).cloned();
        Ok((vault, found.ok_or_else(|| Failure::not_ok(missing))?))
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments {
        Arguments::List { json, of } => {
            let all = of.vault().await?.list(&of.owner, None, None).await?;
            if json {
                return print(&serde_json::to_vec_pretty(&all).expect("connections are written to memory"));
            }
            print(
                render::table(&["NAME", "STATUS", "METHOD", "COMPANY", "USER", "ID"], &all.iter().map(row).collect::<Vec<_>>()).as_bytes(),
            )
        }
        Arguments::Show(one) => shown(&one.found().await?.1),
        Arguments::Test(one) => {
            let (vault, found) = one.found().await?;
            shown(&vault.test(&found.owner, &found.id).await?)
        }
        Arguments::Default(one) => {
            let (vault, found) = one.found().await?;
            shown(&vault.set_default(&found.owner, &found.id).await?)
        }
        Arguments::Remove(one) => {
            let (vault, found) = one.found().await?;
            if vault.remove(&found.owner, &found.id).await? == Revoked::No {
                render::say("Pipedrive could not be told: the grant may live on there, unused. Uninstall the app there.");
            }
            Ok(Exit::Ok)
        }
        Arguments::Rekey { of } => {
            let sealed = of.vault().await?.rekey().await?;
            render::say(&format!("{sealed} secrets are sealed with the key that is set now."));
            Ok(Exit::Ok)
        }
    }
}

fn shown(connection: &Connection) -> Result<Exit, Failure> {
    print(&serde_json::to_vec_pretty(connection).expect("a connection is written to memory"))
}

fn row(one: &Connection) -> Vec<String> {
    let mark = if one.is_default { " (default)" } else { "" };
    let status = one.reason.map_or_else(|| one.status.as_str().to_owned(), |reason| format!("{} {}", one.status.as_str(), reason.as_str()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (company, user) = (text(&one.metadata.company.name), text(&one.metadata.user.email));
    vec![format!("{}{mark}", one.name), status, one.method.as_str().to_owned(), company, user, one.id.clone()]
}
