//! The reasons why an action ends without an answer of its own.

use serde_json::Value;

use crate::value::error::{Error, ErrorKind};

/// A reason why an action ends without an answer of its own.
///
/// An action hands it on with `?`, and never looks into it: an [`Error`] becomes one by itself.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop {
    /// A dry run or an estimate has come to this request, which it does not send.
    ///
    /// Of a dry run the request is the answer.
    Planned(Value),
    /// The action failed.
    Failed(Error),
}

impl Stop {
    /// Returns the error of what reads for a call, which is sent in a dry run and an estimate too.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Planned(_) => Error::new(ErrorKind::Bug, "A request that reads for a call was planned, and not sent."),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
