//! An engine that serves any table: lists, single records, searches, writes and merges.
//!
//! It names no object. A table's row and its hooks say what differs.

pub(crate) mod changes;
pub(crate) mod collection;
pub(crate) mod dispatch;
pub(crate) mod envelope;
pub(crate) mod fields;
pub(crate) mod filters;
pub(crate) mod merge;
pub(crate) mod options;
pub(crate) mod paging;
pub(crate) mod read;
pub(crate) mod related;
pub(crate) mod search;
pub(crate) mod shape;
pub(crate) mod state;
pub(crate) mod write;
