//! The repository's files, and the catalogue of its connectors.

use std::path::PathBuf;

use connector_core::declare::Connector;
use connector_core::run::Catalogue;
use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) static CONNECTORS: [&Connector; 1] = [&pipedrive_connector::CONNECTOR];

/// The path of a file of the repository.
pub(crate) fn path(relative: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(relative)
}

pub(crate) fn read(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub(crate) fn read_json(relative: &str) -> Value {
    serde_json::from_str(&read(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// Reads a schema of `spec/protocol`.
pub(crate) fn read_protocol_schema(name: &str) -> Validator {
    jsonschema::options().build(&read_json(&format!("spec/protocol/{name}.schema.json"))).expect("the schema compiles")
}

/// Reads the schema of the last line of a stream of records.
pub(crate) fn read_summary_schema() -> Validator {
    let mut schema = read_json("spec/protocol/outcome.schema.json");
    let summary = json!({"$ref": "#/$defs/summary", "$defs": schema["$defs"].take()});
    jsonschema::options().build(&summary).expect("the schema compiles")
}

pub(crate) fn build_catalogue() -> Catalogue {
    Catalogue::build(&CONNECTORS).expect("the catalogue builds")
}
