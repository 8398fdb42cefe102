//! The connector of Larkdesk, a help desk that does not exist: the example that the guide leads through.
//!
//! The vendor has what makes connectors differ: names in camelCase, four ways to page, bare answers and wrapped ones,
//! empty ones, a token that a person copies, and OAuth with a code challenge. No program links it but tests, which
//! find the vendor under the feature `server`.

mod by_hand;
mod connector;
mod data_sources;
mod error;
mod rooms;
#[cfg(feature = "server")]
pub mod server;

pub use connector::CONNECTOR;
