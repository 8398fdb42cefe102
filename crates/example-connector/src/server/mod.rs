//! Larkdesk, played for tests: it keeps what it is told, and refuses what its API does not take.
//!
//! It is written without a look at the connector, so that each checks the other.

mod account;
mod api;
mod check;
mod grants;
mod listen;
mod message;
mod oauth;

pub use account::{NORTH_TOKEN, SOUTH_TOKEN};
pub use grants::{CLIENT_ID, CLIENT_SECRET, PUBLIC_CLIENT_ID};
pub use listen::LarkdeskServer;
