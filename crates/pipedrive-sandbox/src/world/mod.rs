//! The data of a sandbox: its companies' records, and the access of apps to them.

pub(crate) mod company;
pub(crate) mod contents;
pub(crate) mod grants;
pub(crate) mod refusal;
pub(crate) mod store;
