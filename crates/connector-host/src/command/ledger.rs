//! `connector ledger`: idempotency keys, and what a person found out about those whose outcome was lost.

use connector_connections::{KeyState, LedgerKey, OwnerVault, Resolution};
use connector_core::run::RawJson;
use serde_json::{Value, json};

use crate::setup::accounts::{AccountArguments, Accounts};
use crate::setup::http::build_client;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{LOCAL_OWNER, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;
use crate::terminal::render;
use crate::terminal::stdout::{print_json, print_table};

#[derive(clap::Subcommand)]
pub(super) enum LedgerCommand {
    /// List the idempotency keys of the last seven days, newest first
    List {
        /// Only those whose outcome was lost: the call may have been carried out
        #[arg(long)]
        unknown: bool,
        /// The most keys to list
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: LedgerArguments,
    },
    /// Settle a key whose outcome was lost, once you looked whether the call was carried out
    #[command(group = clap::ArgGroup::new("finding").required(true).args(["done", "not_done"]))]
    Resolve {
        /// The idempotency key
        key: String,
        /// The call was carried out: the data that later calls with the key are answered with, as JSON
        #[arg(long, value_name = "JSON")]
        done: Option<String>,
        /// The call was not carried out: the key is free again
        #[arg(long)]
        not_done: bool,
        #[command(flatten)]
        of: LedgerArguments,
    },
}

/// The owner of the keys, and their store.
#[derive(clap::Args)]
pub(super) struct LedgerArguments {
    /// The owner of the keys
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

impl LedgerArguments {
    /// Opens the ledger that `connector invoke` would use, if it is there.
    async fn open(&self, linked: Linked) -> Result<Option<OwnerVault>, Failure> {
        if let Some(vault) = self.stored.open_existing(linked).await? {
            return Ok(Some(vault.for_owner(&self.owner)));
        }
        if self.stored.place()?.is_set() {
            return Ok(None);
        }
        let accounts = AccountArguments { store: None, sandbox: self.stored.sandbox };
        Accounts::find(linked, &accounts, &build_client()?).await?.ledger().open_existing().await
    }
}

pub(super) async fn run(linked: Linked, command: LedgerCommand) -> Result<Exit, Failure> {
    match command {
        LedgerCommand::List { unknown, limit, json, of } => {
            let keys = match of.open(linked).await? {
                Some(ledger) => ledger.list_keys(unknown, limit).await?,
                None => Vec::new(),
            };
            if json {
                return print_json(&keys.iter().map(describe).collect::<Vec<_>>());
            }
            let rows: Vec<Vec<String>> = keys.iter().map(build_row).collect();
            let none = if unknown { "No outcome was lost." } else { "There is no idempotency key." };
            print_table(&["KEY", "STATE", "ACTION", "CONNECTION", "STARTED"], &rows, none)
        }
        LedgerCommand::Resolve { key, done, not_done: _, of } => {
            let resolution = match done {
                Some(text) => Resolution::Done(read_data(&text)?),
                None => Resolution::NotDone,
            };
            let Some(ledger) = of.open(linked).await? else {
                return Err(Failure::not_ok("There is no ledger yet: a write under an idempotency key creates one."));
            };
            let is_done = matches!(resolution, Resolution::Done(_));
            ledger.resolve_key(&key, resolution).await?;
            let what = if is_done { "is answered with this data from now on" } else { "is free: the same call is carried out next time" };
            render::say(&format!("The key {key:?} {what}."));
            Ok(Exit::Ok)
        }
    }
}

fn read_data(text: &str) -> Result<RawJson, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|error| Failure::usage(format!("--done is not JSON: {error}")))?;
    Ok(RawJson::from_value(&value))
}

fn describe(key: &LedgerKey) -> Value {
    json!({
        "key": key.key, "state": key.state, "connector": key.connector, "action": key.action, "connection": key.connection,
        "started": key.started,
    })
}

fn build_row(key: &LedgerKey) -> Vec<String> {
    let state = match key.state {
        KeyState::Running => "running",
        KeyState::Done => "done",
        _ => "unknown",
    };
    // A key is the caller's text, and must not steer a terminal.
    let shown = key.key.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    vec![shown, state.to_owned(), key.action.clone(), key.connection.clone(), key.started.to_string()]
}
