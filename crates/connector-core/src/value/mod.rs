//! Values that go in and come out. They know no declaration and do no IO.

pub(crate) mod access;
pub(crate) mod error;
pub(crate) mod estimate;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod invocation;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod pointer;
pub(crate) mod raw_json;
pub(crate) mod redaction;
pub(crate) mod retry_after;
pub(crate) mod scan;
pub(crate) mod strict;
pub(crate) mod summary;
pub(crate) mod time_zone;
pub(crate) mod utc;
pub(crate) mod view;
pub(crate) mod wording;
