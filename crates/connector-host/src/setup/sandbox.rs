//! The sandbox that stands in for the vendor: in this process, or at a URL of this machine.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Once;

use connector_connections::App;
use connector_core::embed::{Access, Connection, Credential};
use connector_core::{Error, ErrorKind};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::terminal::failure::{Failure, HostFailure, one_line};
use crate::terminal::linked::{Linked, LinkedConnector, SandboxSetup, VendorSandbox};
use crate::terminal::{env, render};

/// The name of the connection to a sandbox.
const NAME: &str = "sandbox";

/// The URL of the sandbox of `connector serve --sandbox`.
pub(crate) const DEFAULT_SANDBOX_URL: &str = "http://127.0.0.1:8031";

/// Finds the file that holds the data of the sandbox.
pub(crate) fn data_file() -> Result<PathBuf, Failure> {
    Ok(env::data_folder()?.join("sandbox.json"))
}

/// Reads the text of faults: the argument itself, or for `@FILE` the file.
pub(crate) fn read_faults(argument: &str) -> Result<Cow<'_, str>, String> {
    let Some(file) = argument.strip_prefix('@') else { return Ok(argument.into()) };
    std::fs::read_to_string(file).map(Cow::from).map_err(|error| format!("{file}: {error}"))
}

/// Checks the text of the flag `--faults`.
pub(crate) fn check_faults(linked: Linked, faults: &str) -> Result<(), Failure> {
    let (_, sandbox) = linked.require_sandboxed()?;
    read_faults(faults).and_then(|faults| (sandbox.check_faults)(&faults)).map_err(|error| Failure::usage(format!("--faults: {error}")))
}

/// Sends the requests of an app to a sandbox. `name` is the variable that holds its URL.
pub(crate) fn use_sandbox(app: App, url: &str, name: &str) -> Result<App, Failure> {
    app.with_sandbox(url).map_err(|error| Failure::usage(format!("{name}: {}", one_line(&error))))
}

/// Builds the app of a sandbox that knows this host as its demo app.
pub(crate) fn build_demo_app(linked: Linked, url: &str, public_url: &str) -> Result<App, Failure> {
    let (sandboxed, sandbox) = linked.require_sandboxed()?;
    let app = App::new(sandboxed.connector).map_err(|error| Failure::host(one_line(&error)))?;
    let app = app.with_client(sandbox.client_id, sandbox.client_secret, linked.callback_url(sandboxed, public_url));
    use_sandbox(app, url, &sandboxed.variable(env::SANDBOX))
}

/// Builds the connection to a running sandbox.
pub(crate) fn build_connection(sandboxed: &LinkedConnector, sandbox: &VendorSandbox, url: &str) -> Result<(Connection, Access), Failure> {
    let name = sandboxed.variable(env::SANDBOX);
    let access = Access::new(url, Credential::api_token(sandbox.api_token));
    let access = access.map_err(|error| Failure::usage(format!("{name}: {}", one_line(&error))))?;
    if !url.starts_with("http://") {
        return Err(Failure::usage(format!("{name} takes a sandbox on this machine, as http://127.0.0.1:8020")));
    }
    Ok((Connection::new(NAME, access.origin()).with_api_token().mark_as_sandbox(), access))
}

/// Serves a sandbox that knows this host as its demo app, and builds that app.
pub(crate) fn serve_beside_host(linked: Linked, listener: TcpListener, public_url: &str, faults: Option<&str>) -> Result<App, Failure> {
    let url = format!("http://{}", listener.local_addr().map_err(|error| Failure::host(error.to_string()))?);
    let (sandboxed, sandbox) = linked.require_sandboxed()?;
    let redirect_uri = Some(linked.callback_url(sandboxed, public_url));
    let faults = faults.map(read_faults).transpose().map_err(Failure::usage)?;
    let setup = SandboxSetup { data: data_file()?, api_token: None, redirect_uri, faults: faults.map(Cow::into_owned) };
    (sandbox.start)(listener, setup).map_err(Failure::host)?;
    render::say(&format!(
        "Sandbox: {url}\nInstall from its marketplace: {}\nSign in: connector sign-in --sandbox --public-url {public_url}",
        (sandbox.install_url)(&url)
    ));
    build_demo_app(linked, &url, public_url)
}

/// The reason for which calls use the embedded sandbox.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A flag asked for it.
    AskedFor,
    /// There is neither a store, a key, an app nor an account.
    NothingSetUp,
}

/// A sandbox within this process, which starts when the first request is sent.
pub(crate) struct EmbeddedSandbox {
    reason: Reason,
    linked: &'static LinkedConnector,
    sandbox: &'static VendorSandbox,
    data: PathBuf,
    announced: Once,
    access: OnceCell<Access>,
}

impl EmbeddedSandbox {
    pub(crate) fn new(linked: &'static LinkedConnector, sandbox: &'static VendorSandbox, reason: Reason) -> Result<Self, Failure> {
        Ok(Self { reason, linked, sandbox, data: data_file()?, announced: Once::new(), access: OnceCell::new() })
    }

    /// Checks that calls of a connector may use it. Those of another vendor never do.
    pub(crate) fn stands_in_for(&self, connector: &str) -> bool {
        self.linked.key() == connector
    }

    /// Chooses the sandbox, and says so once.
    pub(crate) fn choose(&self, named: Option<&str>) -> Result<Connection, Error> {
        if let Some(named) = named.filter(|named| *named != NAME) {
            if self.reason == Reason::AskedFor {
                let message = format!("There is no connection {named:?} of the embedded sandbox: its only one is `{NAME}`.");
                return Err(Error::new(ErrorKind::NoConnection, message).with_hint("Leave out --connection, or --sandbox."));
            }
            let set_up = match self.linked.token_variables() {
                Some(variables) => format!("Set {variables}"),
                None => "Connect an account by `connector connect`".to_owned(),
            };
            return Err(Error::new(ErrorKind::NoConnection, format!("There is no connection {named:?}; no account is set up."))
                .with_hint(format!("{set_up}, or name no connection to use the sandbox.")));
        }
        self.announced.call_once(|| {
            let using = if self.reason == Reason::AskedFor { "Using" } else { "No account is set up: using" };
            render::say(&format!("{using} the embedded sandbox, which keeps its data in {}.", self.data.display()));
        });
        Ok(Connection::new(NAME, "http://127.0.0.1").with_api_token().mark_as_sandbox())
    }

    /// Starts the sandbox, unless it runs already.
    pub(crate) async fn access(&self) -> Result<Access, Error> {
        self.access.get_or_try_init(|| self.start()).await.cloned()
    }

    /// Starts the sandbox on a free port.
    ///
    /// The token is random, since another program of this machine could find the port.
    async fn start(&self) -> Result<Access, Error> {
        let folder = self.data.parent().unwrap_or(Path::new("."));
        let failed = |why: String| HostFailure::from_disk("The embedded sandbox cannot start", &why, folder);
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|error| failed(error.to_string()))?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        let setup = SandboxSetup { data: self.data.clone(), api_token: Some(token.clone()), redirect_uri: None, faults: None };
        (self.sandbox.start)(listener, setup).map_err(failed)?;
        Access::new(&format!("http://{address}"), Credential::api_token(token))
    }
}
