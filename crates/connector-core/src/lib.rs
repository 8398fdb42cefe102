//! Declared actions and data sources, and the runtime that invokes them: JSON in, JSON out.
//!
//! Data flows one way: invocation → catalogue → validated input → request → transport → response → outcome.
//!
//! - [`declare`] has the words of a connector: its [`declare::Connector`], the types of inputs and members, how it pages and refuses.
//! - [`by_hand`] has what an action or data source that needs code works with.
//! - [`embed`] has the traits that an engine implements: connections with their credentials, outcomes by idempotency key.
//! - [`run`] has the runtime: invocations in, outcomes out, and the catalogue.
//!
//! This crate names no vendor: a connector says how its answers and refusals are read.
//!
//! ```standalone_crate
//! use connector_core::declare::{Auth, Connector, Id};
//! use connector_core::embed::{Credential, OneConnection};
//! use connector_core::run::{Invocation, Runtime};
//! use connector_core::{Error, action, record};
//!
//! /// The macros look for the connector here, at the root of its crate.
//! pub static CONNECTOR: Connector = Connector::new("harbour", "Harbour", "Work with ships.", "1.0.0")
//!     .with_host("https://api.harbour.example")
//!     .with_auth(&[Auth::bearer_token()]);
//!
//! /// A ship.
//! #[record]
//! struct Ship {
//!     /// The number of the ship.
//!     id: Id,
//!     /// The name.
//!     name: String,
//! }
//!
//! /// Get Ship
//! ///
//! /// Get a ship
//! #[action(get("/v1/ships/{ship_id}"), returns(Ship))]
//! struct GetShip {
//!     /// The ship to read.
//!     ship_id: Id,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let account = OneConnection::new("fleet", "https://api.harbour.example", Credential::bearer("a token"))?;
//! let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build()?;
//!
//! // A dry run builds the request and sends nothing.
//! let invocation = Invocation::new("getShip").input(serde_json::json!({"shipId": 7})).dry_run();
//! let outcome = runtime.invoke(invocation).await;
//! let answer = outcome.into_result()?;
//! assert!(answer.data.as_str().contains("https://api.harbour.example/v1/ships/7"));
//! # Ok(())
//! # }
//! ```

pub mod declare;
pub mod embed;
mod exchange;
mod policy;
mod runtime;
mod value;
mod wire;

pub use connector_macros::{action, data_source, inputs, record};
pub use value::error::{Error, ErrorKind, Retry, Upstream};
pub use value::fault::{Candidate, Fault, FaultCode, JsonType};

/// Actions and data sources that need code: what the code is given, and what it returns.
pub mod by_hand {
    pub use crate::exchange::request::{Body, Part, Request};
    pub use crate::exchange::response::Response;
    pub use crate::runtime::call::Call;
    pub use crate::runtime::data_source::{Choice, ChoiceHandler, Choices};
    pub use crate::runtime::naming::definitions::{Definitions, ListOf};
    pub use crate::runtime::operation::{Code, Handler};
    pub use crate::runtime::stop::Stop;
    pub use crate::value::outcome::Answer;
    pub use crate::value::raw_json::RawJson;
}

/// The runtime: invocations in, outcomes out, and the catalogue of what is linked in.
pub mod run {
    pub use crate::policy::retry::Retries;
    pub use crate::runtime::builder::Builder;
    pub use crate::runtime::catalogue::{Catalogue, Entry, EntryKind};
    pub use crate::runtime::data_source::DataSource;
    pub use crate::runtime::estimate::batch::BatchEstimate;
    pub use crate::runtime::lines::{Line, LinePlace, Lines};
    pub use crate::runtime::naming::reader::{Reader, ReaderInput};
    pub use crate::runtime::operation::Action;
    pub use crate::runtime::spine::Runtime;
    pub use crate::runtime::streaming::{RecordStream, Streamed};
    pub use crate::runtime::watching::requests::SPANS;
    pub use crate::value::file::{Content, Sink, Source, Upload};
    pub use crate::value::invocation::Invocation;
    pub use crate::value::options::{DryRun, FieldNames, Options, Pages, Priority, Resolve};
    pub use crate::value::outcome::{Answer, Budget, LookUp, Meta, Outcome, Page};
    pub use crate::value::raw_json::RawJson;
    pub use crate::value::summary::Summary;
    pub use crate::value::time_zone::{TimeZone, UnknownTimeZone};
    pub use crate::value::view::View;
    pub use crate::wire::http::{Http, HttpResponse};
    pub use crate::wire::passing::{ForwardedBody, ForwardedRequest, ForwardedResponse};
}

/// Words of errors and hints: values quoted and shortened, names listed, the nearest one found.
pub mod wording {
    pub use crate::value::pointer::escape_segment;
    pub use crate::value::wording::{count_of, find_nearest, list_names, quote, shorten};
}

/// Names that the output of the macros uses. They are no interface.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;
    pub use serde_json::Value;

    pub use crate::declare::action::{Declaration, Declares, FoundIn, Inputs, MadeByMacro, Upsert, choose_inputs};
    pub use crate::declare::data_source::{Derivation, Finding, Picklist, SourceDeclaration};
    pub use crate::declare::field::{Field, Place, SourceInput};
    pub use crate::declare::flat::{Change, Flat};
    pub use crate::declare::input_value::InputValue;
    pub use crate::declare::method::{Endpoint, Method};
    pub use crate::declare::rule::Rule;
    pub use crate::declare::shape::{ClosedValue, FieldShape, FieldType, Member, Schemas};
    pub use crate::declare::types::{Json, present};
    pub use crate::runtime::catalogue::Registration;
    pub use crate::runtime::data_source::HandledSource;
    pub use crate::runtime::derived::DerivedSource;
    pub use crate::runtime::operation::{CodedAction, DeclaredAction, HandledAction, UpsertAction};
}
