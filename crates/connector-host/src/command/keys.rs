//! `connector keys`: the API keys of `connector serve`.

use connector_connections::{ApiKey, Holder};
use connector_core::ErrorKind;
use connector_core::run::View;
use secrecy::ExposeSecret;

use crate::setup::http::build_client;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{LOCAL_OWNER, build_view_parser, parse_name, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;
use crate::terminal::render;
use crate::terminal::stdout::{print, print_json, print_table};

#[derive(clap::Subcommand)]
pub(super) enum KeysCommand {
    /// Create a key, which is shown only once
    Create {
        /// The name of the key
        #[arg(long, default_value = "key", value_parser = parse_name)]
        name: String,
        /// The shape of the data for invocations that name none. By default that of their connection
        #[arg(long, value_parser = build_view_parser())]
        view: Option<View>,
        #[command(flatten)]
        holder: HolderArguments,
    },
    /// List the keys, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        holder: HolderArguments,
    },
    /// Revoke a key
    Revoke {
        /// The id of the key, as `list` shows it
        id: String,
        #[command(flatten)]
        holder: HolderArguments,
    },
}

/// The holder of a key, and the store.
#[derive(clap::Args)]
pub(super) struct HolderArguments {
    /// A key for whoever runs the host: it acts for the owner that each call names
    #[arg(long, conflicts_with = "owner")]
    operator: bool,
    /// The owner of the key, which reaches no connections of other owners
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

impl HolderArguments {
    fn to_holder(&self) -> Holder {
        if self.operator { Holder::Operator } else { Holder::Owner(self.owner.clone()) }
    }
}

pub(super) async fn run(linked: Linked, command: KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::Create { name, view, holder } => {
            let vault = holder.stored.open_or_create(linked, "", &build_client()?).await?;
            let key = vault.create_api_key(&holder.to_holder(), &name, view).await?;
            render::say("Store the key now: it is not shown again.");
            print(key.secret.expose_secret())
        }
        KeysCommand::List { json, holder } => {
            let keys = match holder.stored.open_existing(linked).await? {
                Some(vault) => vault.list_api_keys(&holder.to_holder()).await?,
                None => Vec::new(),
            };
            if json {
                return print_json(&keys);
            }
            let rows: Vec<Vec<String>> = keys.into_iter().map(build_row).collect();
            print_table(
                &["ID", "NAME", "KEY", "CREATED", "VIEW"],
                &rows,
                &format!("There is no key for {} yet.", describe_holder(&holder.to_holder())),
            )
        }
        KeysCommand::Revoke { id, holder } => match holder.stored.require(linked).await?.revoke_api_key(&holder.to_holder(), &id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::not_ok(explain_missing(&id, &holder.to_holder()))),
            revoked => Ok(revoked.map(|()| Exit::Ok)?),
        },
    }
}

fn build_row(key: ApiKey) -> Vec<String> {
    let view = key.view.map_or_else(String::new, |view| view.to_string());
    vec![key.id, key.name, format!("{}…", key.prefix), key.creation_time.to_string(), view]
}

/// Explains where the key was looked for, since another holder may have it.
fn explain_missing(id: &str, holder: &Holder) -> String {
    let elsewhere = "Name another owner with --owner, or use --operator.";
    format!("There is no key {id:?} for {}. {elsewhere}", describe_holder(holder))
}

fn describe_holder(holder: &Holder) -> String {
    match holder {
        Holder::Operator => "the operator".to_owned(),
        Holder::Owner(owner) => format!("the owner {owner:?}"),
    }
}
