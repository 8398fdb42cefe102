//! The reasons for which a sandbox cannot be opened.

use std::fmt;
use std::path::{Path, PathBuf};

/// The reason for which a sandbox cannot be opened. An unreadable file is left as it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is no state file.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A newer sandbox wrote the file.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// The options contradict each other.
    Options {
        /// The reason.
        reason: String,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file cannot be written.
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { path, reason } => {
                write!(f, "{} is no state file of the sandbox ({reason}); move it away to start anew.", path.display())
            }
            Self::Newer { path, version } => {
                write!(f, "{} is of version {version}, which a newer sandbox wrote; use that one or another file.", path.display())
            }
            Self::Options { reason } => f.write_str(reason),
            Self::Unreadable { path, reason } => {
                write!(f, "{} cannot be read: {reason}.", path.display())
            }
            Self::Unwritable { path, reason } => {
                write!(f, "{} cannot be written: {reason}.", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}
