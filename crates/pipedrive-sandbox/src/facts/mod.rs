//! Facts of Pipedrive's API documents, and the validation of requests against them.

pub(crate) mod api;
pub(crate) mod form;
pub(crate) mod validate;
