//! Pacing: each request waits here until the limits of its connection have room for it.

mod leasing;
mod paced_line;
mod pacer;
mod permit;

pub(crate) use paced_line::Ask;
pub(crate) use pacer::Pacer;
pub(crate) use permit::{LimitsHeard, Permit};
