//! What any connector is: declared actions and data sources, and the runtime that invokes them, JSON in and JSON out.
//!
//! Data flows one way: invocation → catalogue → validated input → [`Request`] → transport → response → [`Outcome`].
//! This crate names no vendor: a [`Connector`] says how its answers and refusals are read.

mod action;
mod catalogue;
mod connections;
mod connector;
mod data_source;
mod field;
mod files;
mod input;
mod ledger;
mod manifest;
mod page;
mod record;
mod request;
mod response;
mod runtime;
mod schema;
mod value;

pub use action::{Action, ByHand, Code, Coded, Declaration, Declared, Declares, Effect, Endpoint, Handler, Inputs, Method, Rule};
pub use catalogue::{Catalogue, Entry, Kind, Registered};
pub use connections::{Connection, Connections, OneConnection};
pub use connector::{Auth, Connector, Envelope, Identity, OAuth, OutOfSupport};
pub use connector_macros::{action, data_source, inputs, record};
pub use data_source::{Choice, Choices, DataSource, DeclaredSource, Picklist};
pub use field::{
    Base64, Both, Date, DateTime, Either, Field, FieldShape, FieldType, File, Flag, Holds, Id, Json, List, MapOf, Nullable, Place, Start,
    Text, UtcTime, Uuid, Written,
};
pub use ledger::{Claim, Ledger};
pub use page::Paging;
pub use record::{Closed, Member};
pub use request::{Body, Part, Request};
pub use response::{Refusal, Response};
pub use runtime::{Builder, Call, Http, HttpAnswer, Line, Lines, Passed, PassedBody, Passing, Runtime};
pub use schema::Schemas;
pub use value::access::{Access, Credential};
pub use value::error::{Error, ErrorKind, Fault, Retry, Upstream};
pub use value::file::{Content, Sink, Source, Upload};
pub use value::invocation::{Invocation, Options};
pub use value::outcome::{Answer, Meta, Outcome, Page};
pub use value::pointer::escape_segment;
pub use value::raw_json::RawJson;
pub use value::wording::{find_nearest, list_names, quote, shorten};

/// What the macros' output names; not an interface.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;
    pub use serde_json::Value;

    pub use crate::field::present;
}
