//! Declarations of a connector: statics and function pointers that the macros write.

pub(crate) mod action;
pub(crate) mod answer;
pub(crate) mod case;
pub(crate) mod connector;
pub(crate) mod data_source;
pub(crate) mod field;
pub(crate) mod flat;
pub(crate) mod method;
pub(crate) mod page;
pub(crate) mod refusal;
pub(crate) mod rule;
pub(crate) mod shape;
#[cfg(test)]
pub(crate) mod toy;
pub(crate) mod types;
