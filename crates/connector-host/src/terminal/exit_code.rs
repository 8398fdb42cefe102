//! The exit codes of the process.

/// The exit codes of `connector`; each is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Every outcome is ok.
    Ok = 0,
    /// Some outcome is not ok, or a check found a difference.
    NotOk = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The host itself failed: a file, a port, a store.
    Host = 3,
}
