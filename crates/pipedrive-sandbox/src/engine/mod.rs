//! Serves any table: lists, single records, searches, writes and merges as the table's row says. It names no object.

pub(crate) mod fields;
pub(crate) mod filters;
pub(crate) mod merge;
pub(crate) mod options;
pub(crate) mod read;
pub(crate) mod related;
pub(crate) mod search;
pub(crate) mod state;
pub(crate) mod write;
