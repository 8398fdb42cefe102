//! `connector keys`: the API keys by which programs call `connector serve`.

use connector_connections::Holder;
use connector_core::ErrorKind;
use secrecy::ExposeSecret;

use super::{Failure, Stored, client, name, owner, print, table};
use crate::exit_code::Exit;
use crate::render;
use crate::store::LOCAL;

#[derive(clap::Subcommand)]
pub(super) enum Arguments {
    /// Make a key; it is shown this once
    Create {
        /// What it is for
        #[arg(long, default_value = "key", value_parser = name)]
        name: String,
        #[command(flatten)]
        held: Held,
    },
    /// List the keys, without the keys themselves
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        held: Held,
    },
    /// End a key at once
    Revoke {
        /// The key's id, as `list` shows it
        id: String,
        #[command(flatten)]
        held: Held,
    },
}

#[derive(clap::Args)]
pub(super) struct Held {
    /// A key of whoever runs the host: it acts for the owner that each call names
    #[arg(long, conflicts_with = "owner")]
    operator: bool,
    /// Whose key: it reaches this owner's connections and no others
    #[arg(long, value_name = "NAME", default_value = LOCAL, value_parser = owner)]
    owner: String,
    #[command(flatten)]
    stored: Stored,
}

impl Held {
    fn holder(&self) -> Holder {
        if self.operator { Holder::Operator } else { Holder::Owner(self.owner.clone()) }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments {
        Arguments::Create { name, held } => {
            let vault = held.stored.made("", &client()?).await?;
            let made = vault.create_api_key(&held.holder(), &name).await?;
            render::say("Keep it: it is not shown again.");
            print(made.secret.expose_secret().as_bytes())
        }
        Arguments::List { json, held } => {
            let keys = match held.stored.there().await? {
                Some(vault) => vault.list_api_keys(&held.holder()).await?,
                None => Vec::new(),
            };
            if json {
                return print(&serde_json::to_vec_pretty(&keys).expect("keys are written to memory"));
            }
            let rows: Vec<Vec<String>> =
                keys.into_iter().map(|key| vec![key.id, key.name, format!("{}…", key.prefix), key.creation_time.to_string()]).collect();
            table(&["ID", "NAME", "KEY", "CREATED"], &rows, &format!("There is no key of {} yet.", whose(&held.holder())))
        }
        Arguments::Revoke { id, held } => match held.stored.needed().await?.revoke_api_key(&held.holder(), &id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::not_ok(missing(&id, &held.holder()))),
            revoked => Ok(revoked.map(|()| Exit::Ok)?),
        },
    }
}

/// Where it was looked for, which may not be where it is.
fn missing(id: &str, holder: &Holder) -> String {
    let elsewhere = "--owner names another, and --operator whoever runs the host.";
    format!("There is no key {id:?} of {}. {elsewhere}", whose(holder))
}

fn whose(holder: &Holder) -> String {
    match holder {
        Holder::Operator => "the operator".to_owned(),
        Holder::Owner(owner) => format!("the owner {owner:?}"),
    }
}
