//! Calls under an idempotency key: carried out once, found again, and run to their end without a caller.

mod look;
pub(super) mod once;
pub(super) mod plan;
pub(super) mod tether;
