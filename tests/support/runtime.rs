//! Runtimes before a sandbox, and their outcomes as JSON.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Access, Cache, Connection, Connections, Credential, OneConnection};
use connector_core::run::{Builder, Invocation, Outcome, RecordStream, Runtime, Streamed};
use jsonschema::Validator;
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::assertions::assert_valid;
use super::evidence;
use super::repository::{CONNECTORS, read_protocol_schema, read_summary_schema};
use super::sandbox::{sandbox_options, start_sandbox};

/// A URL of this machine that nothing listens at.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// Starts a sandbox and builds a runtime that is connected to it.
pub(crate) async fn build_sandbox_runtime(options: Options) -> Runtime {
    build_runtime(&start_sandbox(options).await)
}

/// Builds a runtime whose one connection is a sandbox at a URL.
pub(crate) fn build_runtime(url: &str) -> Runtime {
    build(Runtime::builder().connections(connect(url)))
}

/// Builds the connection to a sandbox at a URL.
pub(crate) fn connect(url: &str) -> OneConnection {
    OneConnection::new("sandbox", url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is allowed").mark_as_sandbox()
}

/// Builds a runtime of all connectors.
pub(crate) fn build(builder: Builder) -> Runtime {
    builder.connectors(&CONNECTORS).build().expect("the runtime builds")
}

/// Invokes an action and returns its outcome as JSON.
pub(crate) async fn invoke(runtime: &Runtime, key: &str, input: Value) -> Value {
    run(runtime, Invocation::new(key).input(input)).await
}

/// Invokes an action as a dry run, which sends nothing.
pub(crate) async fn dry_run(runtime: &Runtime, key: &str, input: Value) -> Value {
    run(runtime, Invocation::new(key).input(input).dry_run()).await
}

/// Runs an invocation and returns its outcome as JSON.
pub(crate) async fn run(runtime: &Runtime, invocation: Invocation) -> Value {
    render(&runtime.invoke(invocation).await)
}

/// Runs an invocation that is written as JSON.
pub(crate) async fn run_text(runtime: &Runtime, invocation: impl AsRef<[u8]>) -> Value {
    render(&runtime.invoke_json(invocation.as_ref()).await)
}

/// The published schema of an outcome.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| read_protocol_schema("outcome"));

/// Renders an outcome as JSON, and checks it against its published schema.
pub(crate) fn render(outcome: &Outcome) -> Value {
    let text = outcome.to_json();
    assert!(!text.contains(&b'\n'), "write an outcome on one line");
    evidence::record_shown("outcome", &text);
    let value: Value = serde_json::from_slice(&text).expect("an outcome is JSON");
    assert_valid(&SCHEMA, &value, "outcome");
    value
}

/// Reads a stream to its end: its records, and its summary, which is checked against its published schema.
pub(crate) async fn read_stream(mut list: RecordStream) -> (Vec<Value>, Value) {
    let mut records = Vec::new();
    while let Some(streamed) = list.next().await {
        match streamed {
            Streamed::Record(record) => records.push(record.to_value().expect("a record is JSON")),
            summary => return (records, render_summary(&summary)),
        }
    }
    panic!("a stream ends with its summary");
}

/// The published schema of a summary.
static SUMMARY: LazyLock<Validator> = LazyLock::new(read_summary_schema);

/// Renders the last line of a stream, and checks it against its published schema. Returns the summary.
pub(crate) fn render_summary(streamed: &Streamed) -> Value {
    let mut line = Vec::new();
    streamed.write_line(&mut line);
    evidence::record_shown("outcome", &line);
    let value: Value = serde_json::from_slice(&line).expect("a summary is JSON");
    assert_valid(&SUMMARY, &value, "summary");
    value["summary"].clone()
}

/// An engine's connections, whose token is stale until it is renewed.
pub(crate) struct RenewingVault {
    pub(crate) url: String,
    pub(crate) renewed: Arc<AtomicU32>,
}

#[async_trait]
impl Connections for RenewingVault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("vault", &self.url).mark_as_sandbox())
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Access::new(&self.url, Credential::bearer("stale"))
    }

    async fn renew(&self, _connection: &Connection, refused: &Access) -> Result<Option<Access>, Error> {
        self.renewed.fetch_add(1, Ordering::Relaxed);
        Access::new(refused.origin(), Credential::bearer("fresh")).map(Some)
    }
}

/// A recording of the requests that a sandbox was asked.
pub(crate) struct Recorded(TempDir);

/// An account whose requests are recorded.
pub(crate) struct RecordedAccount {
    pub(crate) runtime: Runtime,
    pub(crate) url: String,
    recorded: Recorded,
}

impl Recorded {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be created"))
    }

    /// Returns options of a sandbox that records.
    pub(crate) fn options(&self) -> Options {
        Options { record_file: Some(self.0.path().join("traffic.jsonl")), ..sandbox_options() }
    }

    /// Reads the requests so far.
    pub(crate) fn read(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.0.path().join("traffic.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// Counts the requests whose method and URL have these texts.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let is_it = |line: &&Value| line["method"] == method && line["url"].as_str().is_some_and(|url| url.contains(path));
        self.read().iter().filter(is_it).count()
    }
}

impl RecordedAccount {
    pub(crate) async fn start() -> Self {
        let recorded = Recorded::new();
        let url = start_sandbox(recorded.options()).await;
        Self { runtime: build(Runtime::builder().connections(connect(&url))), url, recorded }
    }

    /// Builds another runtime before the account, which shares a cache.
    pub(crate) fn build_beside(&self, cache: impl Cache + 'static) -> Runtime {
        build(Runtime::builder().connections(connect(&self.url)).cache(cache))
    }

    /// Invokes an action with options, and returns its outcome as JSON.
    pub(crate) async fn call(&self, action: &str, input: Value, options: Value) -> Value {
        run_text(&self.runtime, json!({"action": action, "input": input, "options": options}).to_string()).await
    }

    /// Sends a request as it is, which must be accepted. Returns its `data`.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let mut input = json!({"method": method, "path": path});
        if !body.is_null() {
            input["json"] = body;
        }
        let outcome = self.call("rawRequest", input, json!({})).await;
        assert_eq!(outcome["ok"], true, "{method} {path}: {outcome}");
        outcome["data"].clone()
    }

    /// Counts the requests whose method and URL have these texts.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.recorded.count(method, path)
    }
}

/// Returns the number of requests that each look-up of an outcome cost, by its list or search.
pub(crate) fn list_look_ups(outcome: &Value) -> Value {
    let look_ups = outcome["meta"]["lookups"].as_array().cloned().unwrap_or_default();
    look_ups.iter().map(|look_up| (look_up["of"].as_str().unwrap_or_default().to_owned(), look_up["requests"].clone())).collect()
}

/// Returns the first fault of an outcome that must be refused for its input: its path and its message.
pub(crate) fn read_fault(outcome: &Value) -> (&str, &str) {
    assert_eq!(outcome["error"]["kind"], "invalid_input", "{outcome}");
    let text = |name: &str| outcome["error"]["faults"][0][name].as_str().unwrap_or_default();
    (text("path"), text("message"))
}
