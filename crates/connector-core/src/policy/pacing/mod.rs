//! Pacing: what may be sent now, as functions of what was sent and heard, and of the time.

pub(crate) mod budget;
#[cfg(test)]
mod day;
pub(crate) mod hearing;
pub(crate) mod queue;
pub(crate) mod share;
#[cfg(test)]
mod tests;
pub(crate) mod window;
