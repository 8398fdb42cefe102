//! All that a sandbox keeps: its companies' records, and the access that apps have to them.

pub(crate) mod company;
pub(crate) mod contents;
pub(crate) mod grants;
pub(crate) mod kept;
pub(crate) mod refusal;
