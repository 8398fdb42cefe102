//! Declared actions and data sources, and the runtime that invokes them: JSON in, JSON out.
//!
//! Data flows one way: invocation → catalogue → validated input → [`Request`] → transport → response → [`Outcome`].
//! This crate names no vendor: a [`Connector`] says how its answers and refusals are read.

mod declare;
mod embed;
mod exchange;
mod runtime;
mod value;
mod wire;

pub use connector_macros::{action, data_source, inputs, record};
pub use declare::action::{Declaration, Declares, InputValue, Inputs};
pub use declare::answer::Envelope;
pub use declare::case::Case;
pub use declare::connector::{Auth, ClientAuth, Connector, Identity, OAuth, OutOfSupport};
pub use declare::data_source::{Derivation, Picklist, SourceDeclaration};
pub use declare::field::{Field, Place};
pub use declare::flat::{Change, Flat, FlatWords};
pub use declare::method::{Effect, Endpoint, Method};
pub use declare::page::Paging;
pub use declare::refusal::Refusal;
pub use declare::rule::Rule;
pub use declare::shape::{ClosedValue, FieldShape, FieldType, Member, Notation, Schemas, ValueKind};
pub use declare::types::{Base64, Both, Date, DateTime, Either, File, Flag, Id, Json, List, MapOf, Nullable, Start, Text, UtcTime, Uuid};
pub use embed::connections::{Connection, Connections, OneConnection};
pub use embed::ledger::{Claim, Ledger};
pub use exchange::request::{Body, Part, Request};
pub use exchange::response::Response;
pub use runtime::builder::Builder;
pub use runtime::call::Call;
pub use runtime::catalogue::{Catalogue, Entry, EntryKind, Registration};
pub use runtime::data_source::{Choice, ChoiceHandler, Choices, DataSource, HandledSource};
pub use runtime::derived::DerivedSource;
pub use runtime::lines::{Line, Lines};
pub use runtime::operation::{Action, Code, CodedAction, DeclaredAction, HandledAction, Handler};
pub use runtime::spine::Runtime;
pub use runtime::stop::Stop;
pub use value::access::{Access, Credential};
pub use value::error::{Error, ErrorKind, Retry, Upstream};
pub use value::fault::{Fault, FaultCode, JsonType};
pub use value::file::{Content, Sink, Source, Upload};
pub use value::invocation::{Invocation, Options};
pub use value::outcome::{Answer, Meta, Outcome, Page};
pub use value::pointer::escape_segment;
pub use value::raw_json::RawJson;
pub use value::redaction::Redaction;
pub use value::view::View;
pub use value::wording::{find_nearest, list_names, quote, shorten};
pub use wire::http::{Http, HttpResponse};
pub use wire::passing::{ForwardedBody, ForwardedRequest, ForwardedResponse};

/// Names that the output of the macros uses. They are no interface.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;
    pub use serde_json::Value;

    pub use crate::declare::action::choose_inputs;
    pub use crate::declare::types::present;
}
