//! What tests stand on: the repository's files, the catalogue, and a runtime beside a fresh sandbox on loopback.

use std::path::PathBuf;

use connector_core::{Catalogue, Connector, Credential, OneConnection, Outcome, Runtime};
use jsonschema::Validator;
use pipedrive_sandbox::{Clock, DEMO_API_TOKEN, Options, Sandbox};
use serde_json::Value;
use tokio::net::TcpListener;

use super::evidence;

pub(crate) static CONNECTORS: [&Connector; 1] = [&pipedrive_connector::CONNECTOR];

/// A file of the repository.
pub(crate) fn path(relative: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(relative)
}

pub(crate) fn read(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub(crate) fn read_json(relative: &str) -> Value {
    serde_json::from_str(&read(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::of(&CONNECTORS).expect("the catalogue is sound")
}

/// A sandbox whose clock stands at a moment of the test's own.
pub(crate) fn options() -> Options {
    Options { clock: Clock::fixed("2026-11-22T12:00:00Z"), secrets_file: evidence::secrets(), ..Options::default() }
}

/// A runtime beside a fresh sandbox.
pub(crate) async fn beside_sandbox(options: Options) -> Runtime {
    let sandbox = Sandbox::open(options).expect("a sandbox in memory opens");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
    runtime(&url)
}

/// A runtime whose one connection is a sandbox at a URL.
pub(crate) fn runtime(url: &str) -> Runtime {
    let connection = OneConnection::new("sandbox", url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is a host").as_sandbox();
    Runtime::builder().connectors(&CONNECTORS).connections(connection).build().expect("the runtime is sound")
}

/// An outcome as JSON, held against its published schema.
pub(crate) fn rendered(outcome: &Outcome) -> Value {
    let text = outcome.to_json();
    assert!(!text.contains(&b'\n'), "an outcome is one line");
    evidence::shown("outcome", &text);
    let value: Value = serde_json::from_slice(&text).expect("an outcome is JSON");
    assert_valid(&protocol("outcome"), &value, "outcome");
    value
}

/// A schema of `spec/protocol`.
pub(crate) fn protocol(name: &str) -> Validator {
    jsonschema::options().build(&read_json(&format!("spec/protocol/{name}.schema.json"))).expect("the schema is sound")
}

pub(crate) fn assert_valid(schema: &Validator, value: &Value, what: &str) {
    let faults: Vec<String> = schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{what} does not fit its schema:\n{}\n{value}", faults.join("\n"));
}

/// Fails with all that was found, so that one run shows everything.
pub(crate) fn none(found: &[String], what_to_do: &str) {
    assert!(found.is_empty(), "{} found; {what_to_do}:\n{}", found.len(), found.join("\n"));
}
