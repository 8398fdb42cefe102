//! The checks, a file each.

pub(crate) mod answers;
pub(crate) mod estimates;
pub(crate) mod fixtures;
pub(crate) mod flat;
pub(crate) mod loss;
pub(crate) mod prose;
pub(crate) mod read_back;
pub(crate) mod requests;
pub(crate) mod schemas;
pub(crate) mod three_states;
pub(crate) mod times;
