//! `connector serve` as a process of its own, and a client that shows all of an answer.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use pipedrive_sandbox::{App, Clock, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::evidence;

use super::http::{JSON, Reply, ask};

/// A running host. It ends with the test.
pub(crate) struct Served {
    child: Child,
    place: Arc<Place>,
    upstream: String,
    pub(crate) url: String,
    log: Option<JoinHandle<String>>,
}

/// Where a host keeps what is its own: a folder, and its store where that is not the usual file in it.
struct Place {
    folder: tempfile::TempDir,
    store: Option<String>,
}

impl Served {
    /// A host whose one vendor is whatever listens at a URL of this machine.
    pub(crate) fn before(upstream: &str, arguments: &[&str]) -> Self {
        let place = Place::fresh();
        Self::started(place.connector(upstream), place, upstream, arguments).0
    }

    /// Another host over the same store, under the same key.
    #[cfg(feature = "postgres")]
    pub(crate) fn beside(other: &Self) -> Self {
        let place = Arc::clone(&other.place);
        Self::started(place.connector(&other.upstream), place, &other.upstream, &[]).0
    }

    /// A host that nobody registered with the vendor, and what it says of that.
    pub(crate) fn without_app(upstream: &str) -> (Self, String) {
        let place = Place::fresh();
        let mut command = place.connector(upstream);
        command.env_remove("CONNECTOR_CLIENT_ID").env_remove("CONNECTOR_CLIENT_SECRET");
        Self::started(command, place, upstream, &[])
    }

    /// A host that brings its own sandbox.
    pub(crate) fn with_its_own_sandbox() -> Self {
        let mut place = Place::fresh();
        let file = place.folder.path().join("own.db").display().to_string();
        place.store.get_or_insert(file);
        Self::started(place.connector(""), place, "", &["--sandbox"]).0
    }

    fn started(mut command: Command, place: impl Into<Arc<Place>>, upstream: &str, arguments: &[&str]) -> (Self, String) {
        let mut child = command.args(["serve", "--port", "0"]).args(arguments).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let mut seen = String::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended before it listened:\n{seen}")).expect("stderr is text");
            seen = seen + &line + "\n";
            if let Some(url) = line.strip_prefix("Listening on ") {
                break url.to_owned();
            }
        };
        let before = seen.clone();
        let log = std::thread::spawn(move || lines.map_while(Result::ok).fold(before, |log, line| log + &line + "\n"));
        (Self { child, place: place.into(), upstream: upstream.to_owned(), url, log: Some(log) }, seen)
    }

    /// A host before a fresh sandbox of several companies, whose app comes back to it.
    pub(crate) async fn before_sandbox(arguments: &[&str]) -> (Self, Sandbox) {
        Self::before_sandbox_at(crate::support::world::options().clock, arguments).await
    }

    /// The same at a time that the test can let pass.
    pub(crate) async fn before_sandbox_at(clock: Clock, arguments: &[&str]) -> (Self, Sandbox) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let served = Self::before(&format!("http://{}", listener.local_addr().expect("it is bound")), arguments);
        let app = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &format!("{}/oauth/callback", served.url), SCOPES);
        let options = Options { companies: 3, apps: vec![app], clock, ..Options::default() };
        let sandbox = Sandbox::open(options).expect("a sandbox in memory opens");
        tokio::spawn(pipedrive_sandbox::serve(listener, sandbox.clone()));
        (served, sandbox)
    }

    /// What a command of this host's prints.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> String {
        finished(self.command(arguments), stdin).unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
    }

    /// The same under variables of its own; what it says where it fails.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        finished(command, "")
    }

    /// A file of the folder that it keeps its data in.
    pub(crate) fn file(&self, name: &str) -> String {
        self.place.folder.path().join(name).display().to_string()
    }

    /// What a command says after `before`, and how to wait for what it prints in the end.
    pub(crate) fn waiting(&self, arguments: &[&str], before: &str) -> (String, impl FnOnce() -> String + use<>) {
        let mut waiting = Ended(self.command(arguments).spawn().expect("the binary runs"));
        let mut lines = BufReader::new(waiting.0.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
        let said = lines.find_map(|line| line.strip_prefix(before).map(str::to_owned)).unwrap_or_else(|| panic!("it never says {before}"));
        (said, move || {
            let printed = std::io::read_to_string(waiting.0.stdout.take().expect("stdout is piped")).expect("it is text");
            let status = waiting.0.wait().expect("the binary ends");
            assert!(status.success(), "{status:?}");
            printed
        })
    }

    /// A command of this host's, to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.connector(&self.upstream);
        command.args(arguments);
        command
    }

    /// The header of a fresh key of an owner's.
    pub(crate) fn key(&self, owner: &str) -> String {
        self.made(&["keys", "create", "--owner", owner])
    }

    pub(crate) fn operator_key(&self) -> String {
        self.made(&["keys", "create", "--operator"])
    }

    fn made(&self, arguments: &[&str]) -> String {
        let key = self.run(arguments, "");
        evidence::secret(&key);
        format!("Bearer {key}")
    }

    /// Connects an owner to a company of the sandbox by its API token.
    pub(crate) async fn connect(&self, key: &str, token: &str) -> Value {
        let body = json!({"app": "pipedrive", "api_token": token, "api_domain": self.upstream}).to_string();
        let reply = self.ask("POST", "/v1/connections", &[("authorization", key), JSON], &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["connection"].clone()
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        ask(&self.url, method, path, headers, body.as_ref()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Reply {
        self.ask("GET", path, &[("authorization", key)], "").await
    }

    pub(crate) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// All that it logged, once it ended.
    pub(crate) fn log(mut self) -> String {
        self.terminate();
        self.child.wait().expect("it ends");
        self.logged().expect("its log is read to the end")
    }

    /// Nothing where it was asked for before.
    fn logged(&mut self) -> Option<String> {
        let log = self.log.take()?.join().ok()?;
        evidence::shown("log", log.as_bytes());
        Some(log)
    }

    /// Tells it to end, as a supervisor does.
    pub(crate) fn terminate(&self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(told.success());
    }

    pub(crate) fn ended(mut self) -> i32 {
        self.child.wait().expect("it ends").code().expect("no signal ended it")
    }
}

impl Place {
    /// One that no other test has: in PostgreSQL where the host is built for it and a database is given.
    fn fresh() -> Self {
        #[cfg(feature = "postgres")]
        let store = crate::support::postgres::schema();
        #[cfg(not(feature = "postgres"))]
        let store = None;
        Self { folder: tempfile::tempdir().expect("a folder for data"), store }
    }

    /// Leaves what the host kept as evidence.
    fn leave(&self) {
        evidence::kept(self.folder.path());
        #[cfg(feature = "postgres")]
        if let Some(url) = self.store.as_ref().filter(|store| store.starts_with("postgres") && evidence::secrets().is_some()) {
            evidence::shown("store", &crate::support::postgres::rows(url));
        }
    }

    fn connector(&self, upstream: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connector"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
            command.env_remove(name);
        }
        command.env("CONNECTOR_DATA_DIR", self.folder.path()).env("CONNECTOR_SANDBOX", upstream);
        command.env("CONNECTOR_CLIENT_ID", DEMO_CLIENT_ID).env("CONNECTOR_CLIENT_SECRET", DEMO_CLIENT_SECRET);
        if let Some(store) = &self.store {
            command.env("CONNECTOR_STORE", store).env("CONNECTOR_KEY_FILE", self.folder.path().join("connections.key"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A process that ends with the test, whatever becomes of it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.logged();
        self.place.leave();
    }
}

fn finished(mut command: Command, stdin: &str) -> Result<String, String> {
    let mut child = command.spawn().expect("the binary runs");
    let _ = std::io::Write::write_all(&mut child.stdin.take().expect("stdin is piped"), stdin.as_bytes());
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text").trim().to_owned();
    evidence::shown("stderr", &output.stderr);
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
