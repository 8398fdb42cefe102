//! Names in place of IDs: definitions that are kept, and records that are looked up.

pub(crate) mod definitions;
mod keeper;

pub(crate) use keeper::Keeper;
