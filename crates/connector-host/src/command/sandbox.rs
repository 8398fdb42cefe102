//! `connector sandbox`: a Pipedrive of one's own on this machine.

use std::path::PathBuf;

use pipedrive_sandbox::{DEMO_API_TOKEN, Options, Sandbox, Store};
use tokio::net::TcpListener;

use super::Failure;
use crate::accounts::sandbox_file;
use crate::env;
use crate::exit_code::Exit;
use crate::render;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The port on this machine; 0 takes a free one
    #[arg(long, default_value_t = 8020)]
    port: u16,
    /// The file that keeps the data; without one, that of the embedded sandbox
    #[arg(long, value_name = "FILE", conflicts_with = "memory")]
    data: Option<PathBuf>,
    /// Keep the data in memory alone
    #[arg(long)]
    memory: bool,
    /// Append a line for each request served to a file, as JSON
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[arg(long, hide = true)]
    faults: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if arguments.faults.is_some() {
        return Err(Failure::not_built("--faults"));
    }
    let store = match (arguments.memory, arguments.data) {
        (true, _) => Store::Memory,
        (false, Some(file)) => Store::File(file),
        (false, None) => Store::File(sandbox_file()?),
    };
    let keeps = match &store {
        Store::File(file) => format!("Data: {}", file.display()),
        Store::Memory => "Data: in memory, gone when it ends".to_owned(),
    };
    let sandbox = Sandbox::open(Options { store, record: arguments.record, ..Options::default() })
        .map_err(|error| Failure::host(error.to_string()))?;
    let address = ("127.0.0.1", arguments.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure::host(format!("port {}: {error}; --port 0 takes a free one", arguments.port)))?;
    let address = listener.local_addr().map_err(|error| Failure::host(error.to_string()))?;
    render::say(&format!(
        "A Pipedrive of your own: http://{address}\n{keeps}\nAPI token: {DEMO_API_TOKEN}\nUse it:  {}=http://{address} connector invoke getDeals --input '{{\"limit\": 3}}'\nCtrl-C ends it.",
        env::SANDBOX
    ));
    tokio::select! {
        served = pipedrive_sandbox::serve(listener, sandbox) => served.map_err(|error| Failure::host(error.to_string()))?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Ok)
}
