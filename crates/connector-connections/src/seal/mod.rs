//! Secrets at rest: the keys that seal them, and files that only their owner can read.

pub(crate) mod files;
pub(crate) mod keys;
