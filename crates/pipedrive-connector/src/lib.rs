//! Pipedrive's actions and data sources, declared.
//!
//! Nothing here opens a socket or a file, or reads the environment.

mod account_fields;
mod by_hand;
mod connector;
mod data_sources;
mod error;
mod rooms;
mod types;

pub use connector::CONNECTOR;
