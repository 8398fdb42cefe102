//! A stateful Pipedrive to develop against: it answers as the API documents say, and remembers what it was told.

mod account;
mod activity_types;
mod answer;
mod attached;
mod calls;
mod collections;
mod comments;
mod computed;
mod demo;
mod edge;
mod engine;
mod facts;
mod files;
mod flow;
mod followers;
mod leads;
mod mail;
mod oauth;
mod participants;
mod permitted;
mod pictures;
mod products;
mod reports;
mod roles;
mod rules;
mod statistics;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use edge::faults::{Fault, Gate};
pub use edge::options::{Bearer, DEMO_API_TOKEN, Downloads, Options};
pub use edge::sandbox::Sandbox;
pub use edge::server::serve;
pub use oauth::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES};
pub use value::clock::Clock;
pub use value::open_error::OpenError;
pub use world::company::Company;
pub use world::grants::RefreshTokens;
pub use world::kept::Store;
