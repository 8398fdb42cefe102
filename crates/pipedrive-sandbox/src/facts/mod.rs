//! What Pipedrive's API documents demand of a request and promise of an answer.

pub(crate) mod api;
pub(crate) mod form;
pub(crate) mod validate;
