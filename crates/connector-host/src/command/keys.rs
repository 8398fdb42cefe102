//! `connector keys`: the API keys by which programs call `connector serve`.

use connector_connections::Holder;
use connector_core::ErrorKind;
use secrecy::ExposeSecret;

use crate::setup::http::build_client;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{LOCAL_OWNER, parse_name, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::render;
use crate::terminal::stdout::{print, print_json, print_table};

#[derive(clap::Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key; it is shown this once
    Create {
        /// What it is for
        #[arg(long, default_value = "key", value_parser = parse_name)]
        name: String,
        #[command(flatten)]
        held: HolderArguments,
    },
    /// List the keys, without the keys themselves
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        held: HolderArguments,
    },
    /// End a key at once
    Revoke {
        /// The key's id, as `list` shows it
        id: String,
        #[command(flatten)]
        held: HolderArguments,
    },
}

#[derive(clap::Args)]
pub(super) struct HolderArguments {
    /// A key of whoever runs the host: it acts for the owner that each call names
    #[arg(long, conflicts_with = "owner")]
    operator: bool,
    /// Whose key: it reaches this owner's connections and no others
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

impl HolderArguments {
    fn holder(&self) -> Holder {
        if self.operator { Holder::Operator } else { Holder::Owner(self.owner.clone()) }
    }
}

pub(super) async fn run(command: KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::Create { name, held } => {
            let vault = held.stored.open_or_create("", &build_client()?).await?;
            let key = vault.create_api_key(&held.holder(), &name).await?;
            render::say("Keep it: it is not shown again.");
            print(key.secret.expose_secret())
        }
        KeysCommand::List { json, held } => {
            let keys = match held.stored.open_existing().await? {
                Some(vault) => vault.list_api_keys(&held.holder()).await?,
                None => Vec::new(),
            };
            if json {
                return print_json(&keys);
            }
            let rows: Vec<Vec<String>> =
                keys.into_iter().map(|key| vec![key.id, key.name, format!("{}…", key.prefix), key.creation_time.to_string()]).collect();
            print_table(&["ID", "NAME", "KEY", "CREATED"], &rows, &format!("There is no key of {} yet.", describe_holder(&held.holder())))
        }
        KeysCommand::Revoke { id, held } => match held.stored.require().await?.revoke_api_key(&held.holder(), &id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::not_ok(explain_missing(&id, &held.holder()))),
            revoked => Ok(revoked.map(|()| Exit::Ok)?),
        },
    }
}

/// Explains where the key was looked for, since another holder may have it.
fn explain_missing(id: &str, holder: &Holder) -> String {
    let elsewhere = "--owner names another, and --operator whoever runs the host.";
    format!("There is no key {id:?} of {}. {elsewhere}", describe_holder(holder))
}

fn describe_holder(holder: &Holder) -> String {
    match holder {
        Holder::Operator => "the operator".to_owned(),
        Holder::Owner(owner) => format!("the owner {owner:?}"),
    }
}
