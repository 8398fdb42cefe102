//! Lifetimes of states, links, codes, sessions and idempotency keys.

use std::time::Duration;

/// Lifetime of an authorization's state, and of a claimed install that waits to be confirmed.
pub const STATE_LIFETIME: Duration = Duration::from_mins(10);
/// Lifetime of the code of an unclaimed install. The vendor accepts it no longer.
pub const CODE_LIFETIME: Duration = Duration::from_mins(5);
/// Lifetime of a sign-in session. Requests do not prolong it.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(12);
/// Lifetime of a link, of a connection that a platform began, and of the record of its end.
pub(crate) const LINK_LIFETIME: Duration = Duration::from_hours(24);
/// Lifetime of a sign-in link.
pub(crate) const SIGN_IN_LINK_LIFETIME: Duration = Duration::from_mins(15);
/// Lifetime of an idempotency key, by the clock of the ledger.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_hours(7 * 24);
