//! The grammar: tokens are read into a declaration, or into an error that says what to do.

mod action;
mod inputs;
mod record;
mod source;
mod tokens;

pub(crate) use action::{Action, Endpoint, FoundIn, Upsert, Words, parse_action};
pub(crate) use inputs::{Given, Group, Input, PATH, Source, parse_group};
pub(crate) use record::{Change, Member, Record, Shape, parse_record};
pub(crate) use source::{DataSource, Derivation, Finding, Origin, parse_data_source};
pub(crate) use tokens::WireName;
