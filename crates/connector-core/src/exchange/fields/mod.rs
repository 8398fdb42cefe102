//! Custom fields by name: found in their definitions, written for the wire, and named in answers.

pub(crate) mod form;
mod kinds;
pub(crate) mod naming;
pub(crate) mod plan;
pub(crate) mod resolve;
pub(crate) mod set;
#[cfg(test)]
mod toy;
