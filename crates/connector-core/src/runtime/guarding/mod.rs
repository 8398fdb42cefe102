//! Writes that look at the record first: what it is expected to be, and what they would change.

mod changes;
mod expectation;
mod guard;

pub(super) use guard::{Guard, ResolvedGuard, show_changes};
