//! Several connectors in one program: each has its own settings, connections and examples.

mod accounts;
mod catalogue;
mod guide;
mod http;
mod plain;

use crate::support::example::TWO_CONNECTORS;
use crate::support::process::read_arguments;

/// Becomes the program of two connectors, if another test started this process as that.
#[test]
fn program_of_two_connectors() {
    if let Some(arguments) = read_arguments() {
        std::process::exit(connector_host::run(&TWO_CONNECTORS, arguments).into());
    }
    assert_eq!(TWO_CONNECTORS.len(), 2, "link the first connector of the released program, and another");
}
