//! `connector keys`: the API keys by which programs call `connector serve`.

use connector_connections::Holder;
use secrecy::ExposeSecret;

use super::{Failure, Of, print};
use crate::exit_code::Exit;
use crate::render;

#[derive(clap::Subcommand)]
pub(super) enum Arguments {
    /// Make a key; it is shown this once
    Create {
        /// What it is for
        #[arg(long, default_value = "key")]
        name: String,
        #[command(flatten)]
        holder: Held,
    },
    /// List the keys, without the keys themselves
    List {
        #[command(flatten)]
        holder: Held,
    },
    /// End a key at once
    Revoke {
        /// The key's id, as `list` shows it
        id: String,
        #[command(flatten)]
        holder: Held,
    },
}

#[derive(clap::Args)]
pub(super) struct Held {
    /// A key of whoever runs the host: it acts for the owner that each call names
    #[arg(long, conflicts_with = "owner")]
    operator: bool,
    #[command(flatten)]
    of: Of,
}

impl Held {
    fn holder(&self) -> Holder {
        if self.operator { Holder::Operator } else { Holder::Owner(self.of.owner.clone()) }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments {
        Arguments::Create { name, holder } => {
            let made = holder.of.vault().await?.create_api_key(&holder.holder(), &name).await?;
            render::say("Keep it: it is not shown again.");
            print(made.secret.expose_secret().as_bytes())
        }
        Arguments::List { holder } => {
            let keys = holder.of.vault().await?.list_api_keys(&holder.holder()).await?;
            let rows: Vec<Vec<String>> =
                keys.into_iter().map(|key| vec![key.id, key.name, format!("{}…", key.prefix), key.creation_time.to_string()]).collect();
            print(render::table(&["ID", "NAME", "KEY", "CREATED"], &rows).as_bytes())
        }
        Arguments::Revoke { id, holder } => {
            holder.of.vault().await?.revoke_api_key(&holder.holder(), &id).await?;
            Ok(Exit::Ok)
        }
    }
}
