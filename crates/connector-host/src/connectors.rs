//! The connectors that are linked in, and the sandbox that stands in for one of them.

use pipedrive_sandbox::{App, DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, FaultSpecError, Faults, Options, SCOPES, Sandbox, Store};
use tokio::net::TcpListener;

use crate::terminal::linked::{LinkedConnector, SandboxSetup, VendorSandbox};

/// The connector that the program began with. It keeps the settings without a key in their names.
const PIPEDRIVE: LinkedConnector = LinkedConnector::new(&pipedrive_connector::CONNECTOR)
    .with_plain_settings()
    .with_sandbox(&PIPEDRIVE_SANDBOX)
    .with_examples(include_str!(concat!(env!("OUT_DIR"), "/pipedrive.json")));

/// All connectors of the program. A line here is also what links a connector's crate.
pub static CONNECTORS: &[LinkedConnector] = &[PIPEDRIVE];

static PIPEDRIVE_SANDBOX: VendorSandbox = VendorSandbox {
    api_token: DEMO_API_TOKEN,
    client_id: DEMO_CLIENT_ID,
    client_secret: DEMO_CLIENT_SECRET,
    install_url: |base| format!("{base}/marketplace/{DEMO_CLIENT_ID}"),
    check_faults: |text| parse_faults(text).map(drop),
    start: start_pipedrive_sandbox,
};

fn parse_faults(text: &str) -> Result<Faults, String> {
    text.parse().map_err(|error: FaultSpecError| error.to_string())
}

/// Opens a sandbox, and serves it on a task.
fn start_pipedrive_sandbox(listener: TcpListener, setup: SandboxSetup) -> Result<(), String> {
    let mut options = match setup.redirect_uri {
        None => Options::default(),
        Some(uri) => {
            let app = App { name: "Connector".to_owned(), ..App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &uri, SCOPES) };
            Options { companies: 3, ..Options::for_app(app) }
        }
    };
    options.store = Store::File(setup.data);
    options.faults = parse_faults(setup.faults.as_deref().unwrap_or_default())?;
    if let Some(token) = setup.api_token {
        options.api_token = token;
    }
    let sandbox = Sandbox::open(options).map_err(|error| error.to_string())?;
    tokio::spawn(pipedrive_sandbox::serve(listener, sandbox));
    Ok(())
}
