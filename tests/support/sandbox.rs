//! Sandboxes of Pipedrive on loopback, in this process and in one of their own.

use std::io::{BufRead, BufReader, Lines};
use std::process::ChildStderr;

use pipedrive_sandbox::{Bearer, Clock, Options, Sandbox};
use tokio::net::TcpListener;

use super::evidence;
use super::process::{CommandLine, KilledOnDrop, send_signal};

/// Options with a fixed clock, so that answers do not change from run to run.
pub(crate) fn sandbox_options() -> Options {
    Options { clock: Clock::fixed("2026-11-22T12:00:00Z"), secrets_file: evidence::find_secrets_file(), ..Options::default() }
}

/// Starts a sandbox and returns its URL.
pub(crate) async fn start_sandbox(options: Options) -> String {
    let (listener, url) = bind().await;
    serve_sandbox(listener, options);
    url
}

/// Serves a sandbox on a listener. The sandbox that is returned shares its state.
pub(crate) fn serve_sandbox(listener: TcpListener, options: Options) -> Sandbox {
    let sandbox = Sandbox::open(options).expect("a sandbox in memory opens");
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox.clone()));
    sandbox
}

/// Binds a free port of loopback; the URL leads to it.
pub(crate) async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    (listener, url)
}

pub(crate) fn build_bearer(token: &str, scopes: &[&str]) -> Bearer {
    Bearer { token: token.to_owned(), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), user: None }
}

/// A running `connector sandbox`, and the messages of its start.
pub(crate) struct SandboxProcess {
    process: KilledOnDrop,
    pub(crate) url: String,
    pub(crate) messages: String,
    lines: Lines<BufReader<ChildStderr>>,
}

impl SandboxProcess {
    pub(crate) fn start(cli: &CommandLine, arguments: &[&str]) -> Self {
        let mut process =
            KilledOnDrop(cli.command(&[&["sandbox", "--memory", "--port", "0"], arguments].concat()).spawn().expect("the binary runs"));
        let mut lines = BufReader::new(process.0.stderr.take().expect("stderr is piped")).lines();
        let messages: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.starts_with("Ctrl-C")).collect();
        let url = messages.first().and_then(|line| line.strip_prefix("Sandbox: ")).expect("the sandbox prints its URL").to_owned();
        Self { process, url, messages: messages.join("\n"), lines }
    }

    /// Ends the sandbox as Ctrl-C does, and reads what it says then.
    pub(crate) fn stop(self) -> String {
        send_signal(self.process.0.id(), "-INT");
        self.lines.map_while(Result::ok).collect::<Vec<_>>().join("\n")
    }
}
