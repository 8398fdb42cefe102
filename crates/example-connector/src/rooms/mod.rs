//! Actions, one file an object.

pub(crate) mod people;
pub(crate) mod tags;
pub(crate) mod tickets;
