//! The spine of the runtime: what is linked in, and one call from its invocation to its outcome.

mod attempts;
pub(crate) mod builder;
pub(crate) mod call;
pub(crate) mod catalogue;
pub(crate) mod data_source;
mod deadline;
pub(crate) mod derived;
mod download;
pub(crate) mod estimate;
mod form;
mod guarding;
mod keyed;
pub(crate) mod lines;
mod manifest;
pub(crate) mod naming;
pub(crate) mod operation;
mod pacing;
mod pages;
mod pass;
mod search;
mod session;
pub(crate) mod spine;
pub(crate) mod stop;
pub(crate) mod streaming;
mod upsert;
pub(crate) mod watching;
