//! The binary `connector`: the only crate that knows arguments, environment, files and ports.

mod accounts;
mod command;
mod connectors;
mod env;
mod examples;
mod exit_code;
mod files;
mod http;
mod reference;
mod render;
mod store;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match command::run(arguments) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(),
    }
}
