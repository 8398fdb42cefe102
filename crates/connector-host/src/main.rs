//! The binary `connector`: the only crate that knows arguments, environment, files and ports.

mod command;
mod setup;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match command::run(arguments) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(),
    }
}
