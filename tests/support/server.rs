//! `connector serve` as a process, before a vendor that the test runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread::JoinHandle;

use example_connector::server::{CLIENT_ID, CLIENT_SECRET};
use pipedrive_sandbox::{App, Clock, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES, Sandbox};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::evidence;
use super::http::{JSON, Response, open, send};
use super::process::{KilledOnDrop, Program, read_lines, run_with_stdin, send_signal};
use super::sandbox::{bind, sandbox_options, serve_sandbox};

/// A running host. It ends with the test.
pub(crate) struct Server {
    child: Child,
    data: Arc<HostData>,
    upstream: String,
    pub(crate) url: String,
    log: Option<JoinHandle<String>>,
}

/// The data of a host: a folder, and its store if that is not the usual file in the folder.
struct HostData {
    program: Program,
    folder: tempfile::TempDir,
    store: Option<String>,
    /// Further variables of every command.
    variables: Vec<(&'static str, String)>,
}

impl Server {
    /// Starts a host whose vendor listens at a URL of this machine.
    pub(crate) fn start(upstream: &str, arguments: &[&str]) -> Self {
        let data = HostData::create();
        Self::spawn(data.command(upstream), data, upstream, arguments).0
    }

    /// Starts a host that links two connectors, each before a vendor of its own and with a client there.
    pub(crate) fn start_of_two(upstream: &str, larkdesk: &str, arguments: &[&str]) -> Self {
        let mut data = HostData::create();
        data.program = Program::TwoConnectors;
        let client = [("CONNECTOR_LARKDESK_CLIENT_ID", CLIENT_ID), ("CONNECTOR_LARKDESK_CLIENT_SECRET", CLIENT_SECRET)];
        data.variables = client.map(|(name, value)| (name, value.to_owned())).into();
        data.variables.push(("CONNECTOR_LARKDESK_SANDBOX", larkdesk.to_owned()));
        Self::spawn(data.command(upstream), data, upstream, arguments).0
    }

    /// Starts a host that links vendors of few words, all at one URL of this machine. Returns its messages too.
    pub(crate) fn start_of_plain_vendors(program: Program, upstream: &str) -> (Self, String) {
        let mut data = HostData::create();
        data.program = program;
        data.variables = vec![("CONNECTOR_FERRY_SANDBOX", upstream.to_owned())];
        Self::spawn(data.command(upstream), data, upstream, &[])
    }

    /// Starts another host over the same store, with the same key.
    pub(crate) fn start_beside(other: &Self) -> Self {
        let data = Arc::clone(&other.data);
        Self::spawn(data.command(&other.upstream), data, &other.upstream, &[]).0
    }

    /// Starts a host that is not registered with the vendor. Returns its messages too.
    pub(crate) fn start_without_app(upstream: &str) -> (Self, String) {
        let data = HostData::create();
        let mut command = data.command(upstream);
        command.env_remove("CONNECTOR_CLIENT_ID").env_remove("CONNECTOR_CLIENT_SECRET");
        Self::spawn(command, data, upstream, &[])
    }

    /// Starts a host that runs its own sandbox.
    pub(crate) fn start_with_own_sandbox() -> Self {
        let mut data = HostData::create();
        let file = data.folder.path().join("own.db").display().to_string();
        data.store.get_or_insert(file);
        Self::spawn(data.command(""), data, "", &["--sandbox"]).0
    }

    /// Starts a host before a fresh sandbox of three companies, whose app returns to the host.
    pub(crate) async fn start_with_sandbox(arguments: &[&str]) -> (Self, Sandbox) {
        Self::start_with_sandbox_at(sandbox_options().clock, arguments).await
    }

    /// Starts a host before a fresh sandbox, which sends its spans to a collector.
    #[cfg(feature = "otel-test")]
    pub(crate) async fn start_exporting(collector: &str, arguments: &[&str]) -> (Self, Sandbox) {
        let (listener, upstream) = bind().await;
        let data = HostData::create();
        let mut command = data.command(&upstream);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        Self::join_sandbox(Self::spawn(command, data, &upstream, arguments).0, listener, sandbox_options().clock)
    }

    /// Starts a host before a fresh sandbox with a clock that the test can advance.
    pub(crate) async fn start_with_sandbox_at(clock: Clock, arguments: &[&str]) -> (Self, Sandbox) {
        let (listener, upstream) = bind().await;
        Self::join_sandbox(Self::start(&upstream, arguments), listener, clock)
    }

    /// Serves the sandbox of a host, whose app returns to it.
    fn join_sandbox(server: Self, listener: TcpListener, clock: Clock) -> (Self, Sandbox) {
        let app = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &format!("{}/oauth/callback", server.url), SCOPES);
        let sandbox = serve_sandbox(listener, Options { companies: 3, apps: vec![app], clock, ..Options::default() });
        (server, sandbox)
    }

    fn spawn(mut command: Command, data: impl Into<Arc<HostData>>, upstream: &str, arguments: &[&str]) -> (Self, String) {
        let mut child = command.args(["serve", "--port", "0"]).args(arguments).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let mut seen = String::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the host ended before it listened:\n{seen}")).expect("stderr is text");
            seen = seen + &line + "\n";
            if let Some(url) = line.strip_prefix("Listening on ") {
                break url.to_owned();
            }
        };
        let start = seen.clone();
        let log = std::thread::spawn(move || lines.map_while(Result::ok).fold(start, |log, line| log + &line + "\n"));
        (Self { child, data: data.into(), upstream: upstream.to_owned(), url, log: Some(log) }, seen)
    }

    /// Returns the URL of the vendor.
    pub(crate) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Returns the path of a file in the folder of data.
    pub(crate) fn data_file(&self, name: &str) -> String {
        self.data.folder.path().join(name).display().to_string()
    }

    /// Builds a command that uses the same data.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.data.command(&self.upstream);
        command.args(arguments);
        command
    }

    /// Runs a command that uses the same data, and returns its stdout.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> String {
        finish(self.command(arguments), stdin).unwrap_or_else(|stderr| panic!("{arguments:?}: {stderr}"))
    }

    /// Runs a command under variables of its own. Returns its stderr if it fails.
    pub(crate) fn try_run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        finish(command, "")
    }

    /// Starts a command and waits for a line with this prefix.
    ///
    /// Returns the rest of the line, and a function that waits for the command's stdout.
    pub(crate) fn start_command(&self, arguments: &[&str], prefix: &str) -> (String, impl FnOnce() -> String + use<>) {
        let mut process = KilledOnDrop(self.command(arguments).spawn().expect("the binary runs"));
        let mut lines = BufReader::new(process.0.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
        let line = lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
        let line = line.unwrap_or_else(|| panic!("the command ended without a line that begins with {prefix:?}"));
        (line, move || {
            let printed = read_lines(&mut process.0).collect::<Vec<_>>().join("\n");
            let status = process.0.wait().expect("the binary ends");
            assert!(status.success(), "{status:?}");
            printed
        })
    }

    /// Creates a key of an owner, and returns it as the value of the header `authorization`.
    pub(crate) fn create_key(&self, owner: &str) -> String {
        self.create_key_with(&["keys", "create", "--owner", owner])
    }

    /// Creates a key of an owner with a view of its own.
    pub(crate) fn create_key_with_view(&self, owner: &str, view: Option<&str>) -> String {
        let view = view.map_or_else(Vec::new, |view| vec!["--view", view]);
        self.create_key_with(&[&["keys", "create", "--owner", owner], view.as_slice()].concat())
    }

    pub(crate) fn create_operator_key(&self) -> String {
        self.create_key_with(&["keys", "create", "--operator"])
    }

    fn create_key_with(&self, arguments: &[&str]) -> String {
        let key = self.run(arguments, "");
        evidence::record_secret(&key);
        format!("Bearer {key}")
    }

    /// Revokes the first key of an owner from another process.
    pub(crate) fn revoke_key(&self, owner: &str) {
        let listed = self.run(&["keys", "list", "--owner", owner], "");
        let id = listed.split('\t').next().expect("a line begins with the id");
        self.run(&["keys", "revoke", id, "--owner", owner], "");
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Response {
        send(&self.url, method, path, headers, body.as_ref()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Response {
        self.send("GET", path, &[("authorization", key)], "").await
    }

    pub(crate) async fn delete(&self, path: &str, key: &str) -> Response {
        self.send("DELETE", path, &[("authorization", key)], "").await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, key: &str, body: impl AsRef<[u8]>) -> Response {
        self.send("POST", path, &[("authorization", key), JSON], body).await
    }

    /// Sends JSON that changes something.
    pub(crate) async fn patch(&self, path: &str, key: &str, body: impl AsRef<[u8]>) -> Response {
        self.send("PATCH", path, &[("authorization", key), JSON], body).await
    }

    /// Posts an invocation and returns its outcome.
    pub(crate) async fn invoke(&self, key: &str, invocation: impl AsRef<[u8]>) -> Value {
        self.post("/v1/invoke", key, invocation).await.json()
    }

    /// Sends the head of a request. Its body is chunked if no length is given.
    pub(crate) async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], length: Option<usize>) -> TcpStream {
        open(&self.url, method, path, headers, length).await
    }

    /// Connects an owner to a company of the sandbox by its API token.
    pub(crate) async fn connect(&self, key: &str, token: &str) -> Value {
        let body = json!({"app": "pipedrive", "api_token": token, "api_domain": self.upstream}).to_string();
        let response = self.post("/v1/connections", key, &body).await;
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["connection"].clone()
    }

    /// Begins a connection by OAuth, and returns its id and its link.
    pub(crate) async fn begin_connection(&self, key: &str) -> (String, String) {
        let begun = self.post("/v1/connections", key, "{}").await.json();
        let text = |name: &str| begun["connection"][name].as_str().expect("a text").to_owned();
        (text("connection_id"), text("url"))
    }

    pub(crate) async fn read_connection(&self, key: &str, id: &str) -> Value {
        self.get(&format!("/v1/connections/{id}"), key).await.json()["connection"].clone()
    }

    /// Reads the status of each connection of an owner.
    pub(crate) async fn read_statuses(&self, key: &str) -> Vec<String> {
        let all = self.get("/v1/connections", key).await.json();
        all["connections"].as_array().expect("a list").iter().map(|one| one["status"].as_str().expect("a status").to_owned()).collect()
    }

    /// Sends a notice of an uninstall, as the vendor does.
    pub(crate) async fn notify_of_uninstall(&self, authorization: &str, notice: &str) -> Response {
        self.send("DELETE", "/oauth/callback", &[("authorization", authorization), JSON], notice).await
    }

    /// Sends the signal with which a supervisor stops the host.
    pub(crate) fn terminate(&self) {
        send_signal(self.child.id(), "-TERM");
    }

    pub(crate) fn wait_for_exit_code(mut self) -> i32 {
        self.child.wait().expect("the host ends").code().expect("no signal ended the host")
    }

    /// Stops the host and returns all that it logged.
    pub(crate) fn stop_and_read_log(mut self) -> String {
        self.terminate();
        self.child.wait().expect("the host ends");
        self.take_log().expect("the log is read to its end")
    }

    /// Returns the log once; after that, nothing.
    fn take_log(&mut self) -> Option<String> {
        let log = self.log.take()?.join().ok()?;
        evidence::record_shown("log", log.as_bytes());
        Some(log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.take_log();
        self.data.record_evidence();
    }
}

impl HostData {
    /// Creates data that no other test uses: in PostgreSQL if the host is built for it and a database is given.
    fn create() -> Self {
        #[cfg(feature = "postgres")]
        let store = super::postgres::create_schema();
        #[cfg(not(feature = "postgres"))]
        let store = None;
        Self { program: Program::find(), folder: tempfile::tempdir().expect("a temporary folder"), store, variables: Vec::new() }
    }

    fn command(&self, upstream: &str) -> Command {
        let mut command = self.program.command(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("CONNECTOR_SANDBOX", upstream);
        command.env("CONNECTOR_CLIENT_ID", DEMO_CLIENT_ID).env("CONNECTOR_CLIENT_SECRET", DEMO_CLIENT_SECRET);
        if let Some(store) = &self.store {
            command.env("CONNECTOR_STORE", store).env("CONNECTOR_KEY_FILE", self.folder.path().join("connections.key"));
        }
        command
    }

    /// Records all that the host kept.
    fn record_evidence(&self) {
        evidence::record_files(self.folder.path());
        #[cfg(feature = "postgres")]
        if let Some(url) = self.store.as_ref().filter(|store| store.starts_with("postgres") && evidence::find_secrets_file().is_some()) {
            evidence::record_shown("store", &super::postgres::dump_rows(url));
        }
    }
}

/// Builds the vendor's notice that the user of a connection uninstalled the app.
pub(crate) fn build_uninstall_notice(connection: &Value) -> String {
    let (company, user) = (&connection["metadata"]["company"]["id"], &connection["metadata"]["user"]["id"]);
    json!({"client_id": DEMO_CLIENT_ID, "company_id": company, "user_id": user, "timestamp": "now"}).to_string()
}

fn finish(command: Command, stdin: &str) -> Result<String, String> {
    let output = run_with_stdin(command, stdin.as_bytes());
    evidence::record_shown("stderr", &output.stderr);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text").trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
