//! Declarations: the connector, the types of inputs and members, and the statics that the macros write.

pub(crate) mod action;
pub(crate) mod answer;
mod builders;
pub(crate) mod case;
pub(crate) mod connector;
pub(crate) mod data_source;
pub(crate) mod field;
pub(crate) mod fields;
pub(crate) mod flat;
pub(crate) mod input_value;
pub(crate) mod limits;
pub(crate) mod match_key;
pub(crate) mod method;
pub(crate) mod page;
pub(crate) mod refusal;
pub(crate) mod rule;
pub(crate) mod shape;
#[cfg(test)]
pub(crate) mod toy;
pub(crate) mod types;

pub use action::{Declaration, Declares, Inputs, Upsert};
pub use answer::Envelope;
pub use case::Case;
pub use connector::{Auth, ClientAuth, Connector, Identity, OAuth, OutOfSupport, RawAccess};
pub use data_source::{Picklist, SourceDeclaration};
pub use field::{Field, Place, SourceInput};
pub use fields::{AccountField, FieldKind, FieldLayout, FieldOption, FieldWords, FieldsOf, Naming, PairedField};
pub use flat::FlatWords;
pub use input_value::InputValue;
pub use limits::{BudgetHeaders, Lane, Limits, WindowHeaders};
pub use match_key::{MatchKey, MatchKind};
pub use method::{Effect, Endpoint, Method};
pub use page::Paging;
pub use refusal::{Refusal, RefusedOperation};
pub use rule::Rule;
pub use shape::{ClosedValue, FieldShape, FieldType, Notation, Schemas, ValueKind};
pub use types::{
    Base64, Both, Date, DateTime, Either, File, Flag, Id, Json, List, MapOf, MatchBy, Nothing, Nullable, Start, Text, UtcTime, Uuid,
};
