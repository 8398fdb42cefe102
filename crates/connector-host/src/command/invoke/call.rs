//! The invocation that the arguments of `connector invoke ACTION` make.

use std::io::Read;
use std::time::Duration;

use connector_core::run::{Entry, Invocation, Outcome, Pages, Runtime};

use crate::command::invoke::arguments::InvokeArguments;
use crate::command::invoke::named::{NamedInput, find_named};
use crate::terminal::arguments::read_key;
use crate::terminal::failure::Failure;
use crate::terminal::files::attach_file;

/// The timeout of a call that sends or fetches a file, or reads a list whole.
const LONG_TIMEOUT: Duration = Duration::from_mins(15);

/// Builds the invocation of the arguments. The error is the outcome of an input that cannot be read.
pub(super) fn build_invocation(
    runtime: &Runtime,
    action: &str,
    arguments: &InvokeArguments,
) -> Result<Result<Invocation, Box<Outcome>>, Failure> {
    if let Some(input) = find_named(action) {
        return Err(Failure::usage(format!("{action}: name the action before its inputs, as connector invoke addThing {input}")));
    }
    let (connector, key) = read_key(action, arguments.connector.as_deref())?;
    let mut invocation = Invocation::new(key);
    invocation.connector = connector.map(str::to_owned);
    invocation.connection.clone_from(&arguments.connection);
    invocation.options.dry_run = arguments.plan.dry_run.unwrap_or_default();
    invocation.options.estimate = arguments.plan.estimate;
    invocation.options.view = arguments.view;
    invocation.options.fields = arguments.fields.unwrap_or_default();
    invocation.options.time_zone.clone_from(&arguments.time_zone);
    invocation.options.pages = arguments.list.pages.unwrap_or_default();
    invocation.options.max_items = arguments.list.max_items;
    let invocation = match &arguments.input {
        Some(argument) => invocation.input_json(&read_json("--input", argument)?),
        None => Ok(invocation),
    };
    let invocation = match (&arguments.expect, invocation) {
        (Some(argument), Ok(invocation)) => invocation.expect_json(&read_json("--expect", argument)?),
        (_, invocation) => invocation,
    };
    let mut invocation = match invocation {
        Ok(invocation) => invocation,
        Err(refused) => return Ok(Err(refused)),
    };
    if !arguments.inputs.is_empty() {
        // The input of an action that is not there is not looked at.
        let schema = runtime.catalogue().find(connector, key).map(Entry::input_schema).unwrap_or_default();
        for input in NamedInput::read_all(&arguments.inputs, &schema)? {
            invocation = input.overlay(invocation, &schema)?;
        }
    }
    for argument in &arguments.file {
        invocation = attach_file(invocation, argument)?;
    }
    if !arguments.file.is_empty() || arguments.output.is_some() || arguments.list.pages == Some(Pages::All) {
        invocation.options.timeout = LONG_TIMEOUT;
    }
    Ok(Ok(invocation))
}

/// Reads JSON of a flag: the argument itself, a file after `@`, or stdin for `-`.
fn read_json(flag: &str, argument: &str) -> Result<Vec<u8>, Failure> {
    if let Some(input) = find_named(argument).filter(|_| flag == "--input") {
        return Err(Failure::usage(format!("{flag} {argument}: an input by name stands without {flag}: write {input} alone")));
    }
    match argument.strip_prefix('@') {
        Some(file) => std::fs::read(file).map_err(|error| Failure::usage(format!("{flag} @{file}: {error}"))),
        None if argument == "-" => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).map_err(|error| Failure::host(format!("stdin: {error}")))?;
            Ok(text)
        }
        None => Ok(argument.as_bytes().to_vec()),
    }
}
