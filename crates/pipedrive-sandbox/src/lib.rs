//! A local, stateful Pipedrive to develop against, which answers as Pipedrive's API documents say.

mod demo;
mod edge;
mod engine;
mod facts;
mod oauth;
mod objects;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use edge::fault_kind::FAULTS_HELP;
pub use edge::fault_source::FaultCount;
pub use edge::fault_spec::{FaultSpecError, Faults};
pub use edge::faults::{Gate, TokenFault};
pub use edge::limits::LimitCount;
pub use edge::options::{Bearer, DEMO_API_TOKEN, Downloads, Options};
pub use edge::plan::{Plan, PlanError};
pub use edge::sandbox::Sandbox;
pub use edge::server::serve;
pub use oauth::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES};
pub use value::clock::Clock;
pub use value::open_error::OpenError;
pub use world::company::Company;
pub use world::grants::RefreshTokens;
pub use world::store::Store;
