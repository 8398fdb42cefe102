//! The command line `connector`: the only crate that knows arguments, environment, files and ports.
//!
//! A program lists the connectors that it links, and runs the commands for them:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     connector_host::run(connector_host::CONNECTORS, std::env::args_os()).into()
//! }
//! ```

mod command;
mod connectors;
mod setup;
mod terminal;

pub use command::run;
pub use connectors::CONNECTORS;
pub use terminal::linked::{LinkedConnector, SandboxSetup, VendorSandbox};
