//! `connector list`, `describe` and `manifest`: the actions and data sources.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use connector_core::run::{Entry, EntryKind};
use connector_core::wording::quote;
use serde_json::Value;

use crate::command::invoke::open_runtime;
use crate::setup::accounts::AccountArguments;
use crate::terminal::arguments::read_key;
use crate::terminal::examples::Examples;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::{Linked, LinkedConnector};
use crate::terminal::stdout::{print, print_json};
use crate::terminal::{describe, reference, render};

#[derive(clap::Args)]
pub(super) struct ListArguments {
    /// Words to look for in keys, labels and descriptions; those of other programs are known, as create for add
    words: Vec<String>,
    /// List this kind alone
    #[arg(long)]
    kind: Option<KindFilter>,
    /// List this connector alone
    #[arg(long, value_name = "KEY")]
    connector: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindFilter {
    Action,
    DataSource,
}

#[derive(clap::Args)]
pub(super) struct DescribeArguments {
    /// The key of an action or data source, also as CONNECTOR/KEY
    key: String,
    /// The connector, where several have the key
    #[arg(long, value_name = "KEY")]
    connector: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Describe the form of this account, with its custom fields
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    #[command(flatten)]
    accounts: AccountArguments,
}

impl DescribeArguments {
    /// Checks that the form of one account is meant.
    pub(super) fn is_of_account(&self) -> bool {
        self.connection.is_some() || self.accounts.sandbox || self.accounts.store.is_some()
    }
}

#[derive(clap::Args)]
pub(super) struct ManifestArguments {
    /// The key of the connector; it may be left out if there is one alone
    connector: Option<String>,
    /// The key of the connector, as other commands take it
    #[arg(long = "connector", value_name = "KEY", conflicts_with = "connector")]
    named: Option<String>,
    /// Compare with a file, and fail if the file is out of date
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    check: Option<PathBuf>,
    /// Write to a file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write the reference into a folder, one Markdown page for each kind of record
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["check", "write"])]
    docs: Option<PathBuf>,
}

/// Checks that an entry is of a kind.
fn is_of_kind(entry: &Entry, kind: KindFilter) -> bool {
    matches!((kind, entry.kind()), (KindFilter::Action, EntryKind::Action(_)) | (KindFilter::DataSource, EntryKind::DataSource(_)))
}

pub(super) fn list(linked: Linked, arguments: &ListArguments) -> Result<Exit, Failure> {
    let catalogue = linked.build_catalogue()?;
    let connector = arguments.connector.as_deref().map(|named| linked.find(named)).transpose()?.map(LinkedConnector::key);
    let is_wanted = |entry: &&Entry| {
        arguments.kind.is_none_or(|kind| is_of_kind(entry, kind)) && connector.is_none_or(|key| entry.connector().key == key)
    };
    let words = arguments.words.join(" ");
    let found = if words.is_empty() { catalogue.entries().iter().collect() } else { catalogue.search(&words) };
    let entries: Vec<&Entry> = found.into_iter().filter(is_wanted).collect();
    if arguments.json {
        let listed: Vec<Value> = entries.iter().map(|entry| entry.summary()).collect();
        return print_json(&listed);
    }
    if entries.is_empty() && !words.is_empty() {
        return Err(Failure::not_ok(format!("Nothing is found for {}: `connector list` shows all keys.", quote(&words))));
    }
    let effect = |entry: &Entry| match entry.declaration() {
        Some(declaration) if declaration.removed.is_some() => "removed",
        Some(declaration) => declaration.effect().as_str(),
        None => "picklist",
    };
    let cost =
        |entry: &Entry| entry.declaration().and_then(|declaration| declaration.cost).map_or("–".to_owned(), |cost| cost.to_string());
    let key = |entry: &Entry| {
        let connector = if linked.are_several() { format!("{}/", entry.connector().key) } else { String::new() };
        connector + entry.key()
    };
    let rows = entries.iter().map(|entry| vec![key(entry), effect(entry).to_owned(), cost(entry), entry.description().to_owned()]);
    print(&render::table(&["KEY", "EFFECT", "TOKENS", "DESCRIPTION"], &rows.collect::<Vec<_>>()))
}

pub(super) fn describe(linked: Linked, arguments: &DescribeArguments) -> Result<Exit, Failure> {
    let (connector, key) = read_key(&arguments.key, arguments.connector.as_deref())?;
    let (catalogue, examples) = (linked.build_catalogue()?, Examples::new(linked));
    let entry = catalogue.find(connector, key)?;
    print_described(arguments, &entry.describe(|key| examples.find(entry.connector().key, key)))
}

/// Describes an entry with the custom fields of an account.
pub(super) async fn describe_account(linked: Linked, arguments: DescribeArguments) -> Result<Exit, Failure> {
    let (connector, key) = read_key(&arguments.key, arguments.connector.as_deref())?;
    let runtime = open_runtime(linked, &arguments.accounts, true, None).await?;
    let examples = Examples::new(linked);
    let find_example = |entry: &Entry| examples.find(entry.connector().key, entry.key());
    let described = runtime.describe(connector, key, arguments.connection.as_deref(), find_example).await?;
    print_described(&arguments, &described)
}

fn print_described(arguments: &DescribeArguments, described: &Value) -> Result<Exit, Failure> {
    if arguments.json {
        return print_json(described);
    }
    print(&describe::describe(described, render::find_columns()))
}

pub(super) fn manifest(linked: Linked, arguments: &ManifestArguments) -> Result<Exit, Failure> {
    let named = arguments.connector.as_deref().or(arguments.named.as_deref());
    let connector = linked.choose(named, |_| Ok(false))?.connector;
    let examples = Examples::new(linked);
    let manifest = linked.build_catalogue()?.manifest(connector, |key| examples.find(connector.key, key));
    if let Some(folder) = &arguments.docs {
        return write_pages(folder, &manifest);
    }
    let mut text = serde_json::to_string_pretty(&manifest).expect("a value is written to memory");
    text.push('\n');
    if let Some(file) = &arguments.write {
        std::fs::write(file, text).map_err(|error| Failure::host(format!("{}: {error}", file.display())))?;
        return Ok(Exit::Ok);
    }
    if let Some(file) = &arguments.check {
        let current = std::fs::read_to_string(file).map_err(|error| Failure::host(format!("{}: {error}", file.display())))?;
        if current == text {
            return Ok(Exit::Ok);
        }
        let line = current.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
        let file = file.display();
        return Err(Failure::not_ok(format!(
            "{file} is out of date from line {line}: run `connector manifest {} --write {file}`",
            connector.key
        )));
    }
    print(&text)
}

fn write_pages(folder: &Path, manifest: &Value) -> Result<Exit, Failure> {
    let failed = |path: &Path, error: std::io::Error| Failure::host(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, page) in reference::write_pages(manifest) {
        let path = folder.join(name);
        std::fs::write(&path, page).map_err(|error| failed(&path, error))?;
    }
    Ok(Exit::Ok)
}
