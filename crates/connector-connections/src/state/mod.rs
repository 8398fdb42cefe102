//! State of a vault: the rows of its tables, what is kept in memory, and the context that all share.

pub(crate) mod cache;
pub(crate) mod context;
pub(crate) mod flights;
pub(crate) mod key_room;
pub(crate) mod lookup;
pub(crate) mod permits;
pub(crate) mod refreshes;
pub(crate) mod rekey;
pub(crate) mod rows;
pub(crate) mod tickets;
