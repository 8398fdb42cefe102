//! Estimates: a call is carried out up to its own request, and what it would send is counted.

pub(crate) mod batch;
mod counting;
pub(super) mod planned;
mod work;

pub(super) use work::plan_call;
