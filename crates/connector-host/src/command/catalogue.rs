//! `connector list`, `describe` and `manifest`: what there is.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use connector_core::{Catalogue, Entry, Kind};
use serde_json::Value;

use super::Failure;
use crate::connectors::CONNECTORS;
use crate::examples::example;
use crate::exit_code::Exit;
use crate::{reference, render};

#[derive(clap::Args)]
pub(super) struct ListArguments {
    /// Only these
    #[arg(long)]
    kind: Option<OfKind>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OfKind {
    Action,
    DataSource,
}

#[derive(clap::Args)]
pub(super) struct DescribeArguments {
    /// The key of an action or data source
    key: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true)]
    connection: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct ManifestArguments {
    /// The connector
    #[arg(default_value = "pipedrive")]
    connector: String,
    /// Compare with a file, and fail where it is stale
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    check: Option<PathBuf>,
    /// Write to a file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write the reference for people into a folder, one Markdown page for each kind of record
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["check", "write"])]
    docs: Option<PathBuf>,
}

fn catalogue() -> Result<Catalogue, Failure> {
    Ok(Catalogue::of(&CONNECTORS)?)
}

fn kind(entry: &Entry) -> OfKind {
    match entry.kind() {
        Kind::Action(_) => OfKind::Action,
        Kind::DataSource(_) => OfKind::DataSource,
    }
}

pub(super) fn list(arguments: &ListArguments) -> Result<Exit, Failure> {
    let catalogue = catalogue()?;
    let entries: Vec<&Entry> =
        catalogue.entries().iter().filter(|entry| arguments.kind.is_none_or(|wanted| kind(entry) == wanted)).collect();
    if arguments.json {
        let listed: Vec<Value> = entries.iter().map(|entry| entry.summary()).collect();
        return print(&serde_json::to_vec_pretty(&listed).expect("a value is written to memory"));
    }
    let name = |entry: &Entry| if kind(entry) == OfKind::Action { entry.effect().as_str() } else { "picklist" };
    let cost =
        |entry: &Entry| entry.declaration().and_then(|declaration| declaration.cost).map_or("–".to_owned(), |cost| cost.to_string());
    let rows =
        entries.iter().map(|entry| vec![entry.key().to_owned(), name(entry).to_owned(), cost(entry), entry.description().to_owned()]);
    print(render::table(&["KEY", "EFFECT", "TOKENS", "DESCRIPTION"], &rows.collect::<Vec<_>>()).as_bytes())
}

pub(super) fn describe(arguments: &DescribeArguments) -> Result<Exit, Failure> {
    if arguments.connection.is_some() {
        return Err(Failure::not_built("--connection"));
    }
    let catalogue = catalogue()?;
    let entry = catalogue.find(None, &arguments.key)?;
    let described = entry.described(example);
    if arguments.json {
        return print(&serde_json::to_vec_pretty(&described).expect("a value is written to memory"));
    }
    print(render::described(&described).as_bytes())
}

pub(super) fn manifest(arguments: &ManifestArguments) -> Result<Exit, Failure> {
    let catalogue = catalogue()?;
    let connector = CONNECTORS.iter().find(|connector| connector.key == arguments.connector);
    let connector = connector.ok_or_else(|| {
        let known: Vec<&str> = CONNECTORS.iter().map(|connector| connector.key).collect();
        Failure::usage(format!("there is no connector {:?}; there are: {}", arguments.connector, known.join(", ")))
    })?;
    let manifest = catalogue.manifest(connector, example);
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
        let there = std::fs::read_to_string(file).map_err(|error| Failure::host(format!("{}: {error}", file.display())))?;
        if there == text {
            return Ok(Exit::Ok);
        }
        let line = there.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
        let file = file.display();
        return Err(Failure::not_ok(format!(
            "{file} is stale from line {line}: run `connector manifest {} --write {file}`",
            connector.key
        )));
    }
    print(text.as_bytes())
}

fn write_pages(folder: &Path, manifest: &Value) -> Result<Exit, Failure> {
    let failed = |path: &Path, error: std::io::Error| Failure::host(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, page) in reference::pages(manifest) {
        let path = folder.join(name);
        std::fs::write(&path, page).map_err(|error| failed(&path, error))?;
    }
    Ok(Exit::Ok)
}

pub(super) fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    let end: &[u8] = if text.ends_with(b"\n") { b"" } else { b"\n" };
    let text = if out.is_terminal() { text.to_vec() } else { anstream::adapter::strip_bytes(text).into_vec() };
    match out.write_all(&text).and_then(|()| out.write_all(end)).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Ok),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::silent()),
        Err(error) => Err(Failure::host(format!("stdout: {error}"))),
    }
}
