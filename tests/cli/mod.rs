//! The binary `connector`: its commands, and the store that they share.

mod accounts;
mod batch;
mod command_line;
mod definitions;
mod estimates;
mod limits;
mod sandbox;
#[cfg(feature = "postgres")]
mod shared_limits;
