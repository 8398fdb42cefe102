//! The sandbox that stands in for the vendor: in this process, or at a URL of this machine.

use std::path::PathBuf;
use std::sync::Once;

use connector_connections::App;
use connector_core::{Access, Connection, Credential, Error, ErrorKind, OneConnection};
use pipedrive_sandbox::{DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES, Sandbox, Store};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::terminal::arguments::callback_url;
use crate::terminal::connectors::SANDBOXED;
use crate::terminal::failure::{Failure, one_line};
use crate::terminal::{env, render};

/// The name of the connection to a sandbox.
const NAME: &str = "sandbox";

/// The URL of the sandbox of `connector serve --sandbox`.
pub(crate) const DEFAULT_SANDBOX_URL: &str = "http://127.0.0.1:8031";

/// Finds the file that holds the data of the sandbox.
pub(crate) fn data_file() -> Result<PathBuf, Failure> {
    Ok(env::data_folder()?.join("sandbox.json"))
}

/// Sends the requests of an app to a sandbox.
pub(crate) fn use_sandbox(app: App, url: &str) -> Result<App, Failure> {
    app.with_sandbox(url).map_err(|error| Failure::usage(format!("{}: {}", env::SANDBOX, one_line(&error))))
}

/// Builds the app of a sandbox that knows this host as its demo app.
pub(crate) fn build_demo_app(url: &str, public_url: &str) -> Result<App, Failure> {
    let app = App::new(SANDBOXED).map_err(|error| Failure::host(one_line(&error)))?;
    use_sandbox(app.with_client(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, callback_url(public_url)), url)
}

/// Builds the connection to a running sandbox.
pub(crate) fn build_connection(url: &str) -> Result<(String, OneConnection), Failure> {
    let connection = OneConnection::new(NAME, url, Credential::api_token(DEMO_API_TOKEN));
    let connection = connection.map_err(|error| Failure::usage(format!("{}: {}", env::SANDBOX, one_line(&error))))?;
    if !url.starts_with("http://") {
        return Err(Failure::usage(format!("{} takes a sandbox on this machine, as http://127.0.0.1:8020", env::SANDBOX)));
    }
    Ok((NAME.to_owned(), connection.mark_as_sandbox()))
}

/// Serves a sandbox that knows this host as its demo app, and builds that app.
pub(crate) fn serve_beside_host(listener: TcpListener, public_url: &str) -> Result<App, Failure> {
    let url = format!("http://{}", listener.local_addr().map_err(|error| Failure::host(error.to_string()))?);
    let client = pipedrive_sandbox::App {
        name: "Connector".to_owned(),
        ..pipedrive_sandbox::App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &callback_url(public_url), SCOPES)
    };
    let options = Options { store: Store::File(data_file()?), companies: 3, ..Options::for_app(client) };
    let sandbox = Sandbox::open(options).map_err(|error| Failure::host(error.to_string()))?;
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
    render::say(&format!(
        "Sandbox: {url}\nInstall from its marketplace: {url}/marketplace/{DEMO_CLIENT_ID}\n\
         Sign in: connector sign-in --sandbox --public-url {public_url}"
    ));
    build_demo_app(&url, public_url)
}

/// A sandbox within this process, which starts when the first request is sent.
pub(crate) struct EmbeddedSandbox {
    data: PathBuf,
    announced: Once,
    access: OnceCell<Access>,
}

impl EmbeddedSandbox {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self { data: data_file()?, announced: Once::new(), access: OnceCell::new() })
    }

    /// Chooses the sandbox, and says so once.
    pub(crate) fn choose(&self, named: Option<&str>) -> Result<Connection, Error> {
        if let Some(named) = named.filter(|named| *named != NAME) {
            return Err(Error::new(ErrorKind::NoConnection, format!("There is no connection {named:?}; no account is set up."))
                .with_hint(format!("Set {} and {}, or name no connection to use the sandbox.", env::API_TOKEN, env::API_DOMAIN)));
        }
        self.announced.call_once(|| {
            render::say(&format!("No account is set up: using the embedded sandbox, which keeps its data in {}.", self.data.display()));
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
        let failed = |message: String| Error::new(ErrorKind::Bug, format!("The embedded sandbox cannot start: {message}"));
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|error| failed(error.to_string()))?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let options = Options { store: Store::File(self.data.clone()), api_token: token.clone(), ..Options::default() };
        let sandbox = Sandbox::open(options).map_err(|error| failed(error.to_string()))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
        Access::new(&format!("http://{address}"), Credential::api_token(token))
    }
}
