//! The binary `connector`.

use std::process::ExitCode;

fn main() -> ExitCode {
    connector_host::run(connector_host::CONNECTORS, std::env::args_os()).into()
}
