//! Actions that need code.

pub(crate) mod old_fields;
mod operations;
pub(crate) mod person_field;
mod raw_request;

pub(crate) use operations::find_out_of_support;
