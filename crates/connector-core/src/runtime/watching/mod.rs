//! The view of a call from outside: its spans, and the facts that an observer is told.

pub(crate) mod requests;
mod spans;
pub(super) mod watch;
