//! The binary `connector`: its commands, and the store that they share.

mod accounts;
mod batch;
mod command_line;
mod completion;
mod definitions;
mod estimates;
mod first_hour;
mod inputs;
mod limits;
mod rows;
mod sandbox;
mod search;
mod settings;
#[cfg(feature = "postgres")]
mod shared_limits;
mod upserts;
