//! The failure of a command: a message for stderr and an exit code.

use std::path::Path;
use std::{fmt, io};

use connector_connections::Store;
use connector_core::{Error, ErrorKind};

use crate::terminal::exit_code::Exit;
use crate::terminal::render;

/// A failure that ends the process without an outcome.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// Reports that the command line or the environment is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// Reports that this host failed: a file, a port, the store.
    pub(crate) fn host(message: impl Into<String>) -> Self {
        Self { exit: Exit::Host, message: message.into() }
    }

    /// Reports that the command ran, and that its result is negative.
    pub(crate) fn not_ok(message: impl Into<String>) -> Self {
        Self { exit: Exit::NotOk, message: message.into() }
    }

    /// Reports a failed call to the vendor. A vendor that cannot be reached is no failure of this host.
    pub(crate) fn from_vendor(error: &Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::InvalidInput => Exit::Usage,
            ErrorKind::Bug => Exit::Host,
            _ if Store::is_cause_of(error) => Exit::Host,
            _ => Exit::NotOk,
        };
        Self { exit, message: one_line(error) }
    }

    /// Ends the process without a message: the reader of stdout has gone, as with `| head`.
    pub(crate) fn silent() -> Self {
        Self { exit: Exit::Host, message: String::new() }
    }

    /// Returns the message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Writes the message to stderr, and returns the exit code.
    pub(crate) fn report(&self) -> Exit {
        if !self.message.is_empty() {
            render::say(&format!("error: {}", self.message));
        }
        self.exit
    }
}

/// Reports a failure of the store, or of what this host was built with.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::InvalidInvocation => Exit::Usage,
            ErrorKind::Bug | ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Cancelled => Exit::Host,
            _ => Exit::NotOk,
        };
        Self { exit, message: one_line(&error) }
    }
}

/// Explains why a port could not be bound. `why` says what it is for, where that is not plain.
pub(crate) fn explain_unbound(port: u16, error: &io::Error, why: &str) -> Failure {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
        _ => format!("cannot be listened on: {error}"),
    };
    Failure::host(format!("port {port}{why} {what}: --port N takes another one, --port 0 one that is free"))
}

/// The failure of this host that is the cause of an outcome's error.
#[derive(Debug)]
pub(crate) struct HostFailure(String);

impl HostFailure {
    /// Builds the error of a call that needs the disk of this host, and was not begun.
    pub(crate) fn from_disk(what: &str, why: &str, folder: &Path) -> Error {
        let hint = format!(
            "Check that {} can be written and that its disk is not full, or name another folder in CONNECTOR_DATA_DIR.",
            folder.display()
        );
        Error::new(ErrorKind::Unreachable, format!("{what}: {}.", why.trim_end_matches('.')))
            .with_hint(hint)
            .with_source(Self(why.to_owned()))
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostFailure {}

/// Returns the exit code of an outcome with this error, or with none.
pub(crate) fn exit_for(error: Option<&Error>) -> Exit {
    let Some(error) = error else { return Exit::Ok };
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let is_of_host = Store::is_cause_of(error) || causes.any(<dyn std::error::Error>::is::<HostFailure>);
    if is_of_host { Exit::Host } else { Exit::NotOk }
}

/// Writes an error as one line: its message, its hint, and the causes that only an operator can use.
pub(crate) fn one_line(error: &Error) -> String {
    let mut line = error.message().to_owned();
    if let Some(hint) = error.hint() {
        line = line + " " + hint;
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let mut chain = String::new();
    // Many causes repeat the one below them.
    for cause in causes.map(ToString::to_string) {
        if !line.contains(&cause) && !chain.contains(&cause) {
            chain = chain + ": " + &cause;
        }
    }
    if !chain.is_empty() {
        line = line + " Cause" + &chain + ".";
    }
    line.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_holds_message_hint_and_causes() {
        let cause = std::io::Error::other("the disk\nis gone");
        let error = Error::new(ErrorKind::TimedOut, "The store is locked.").with_hint("Try again.").with_source(cause);
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Host, "The store is locked. Try again. Cause: the disk is gone."));
    }

    #[test]
    fn exit_code_depends_on_kind_and_on_who_failed() {
        for (kind, of_store, of_vendor) in [
            (ErrorKind::Bug, Exit::Host, Exit::Host),
            (ErrorKind::Unreachable, Exit::Host, Exit::NotOk),
            (ErrorKind::InvalidInput, Exit::Usage, Exit::Usage),
            (ErrorKind::InvalidInvocation, Exit::Usage, Exit::NotOk),
            (ErrorKind::NoConnection, Exit::NotOk, Exit::NotOk),
        ] {
            let error = || Error::new(kind, "It failed.");
            assert_eq!((Failure::from(error()).exit, Failure::from_vendor(&error()).exit), (of_store, of_vendor), "{kind}");
        }
    }
}
