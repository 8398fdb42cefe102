//! Actions that need code.

mod operations;
mod raw_request;
