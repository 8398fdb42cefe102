//! Messages and hints that several floors share.

use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};

/// Hint for a person whose link or authorization can no longer be used.
pub(crate) const BEGIN_AGAIN: &str = "Begin again with a new link, from whoever sent this one.";

/// Builds the error for an id that none of the owner's connections has.
pub(crate) fn no_connection(id: &str) -> Error {
    Error::new(ErrorKind::NoConnection, format!("There is no connection {}.", quote(id)))
        .with_hint("List the connections by GET /v1/connections or `connector connections list`.")
}

/// Builds the error for a name that another connection has.
pub(crate) fn name_taken(name: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("Another connection has the name {}.", quote(name))).with_hint("Give another name.")
}
