//! Actions that need code.

use std::pin::Pin;

use connector_core::by_hand::Stop;
use connector_core::run::Answer;

mod field_keys;
pub(crate) mod old_fields;
mod operations;
pub(crate) mod person_field;
mod raw_request;

pub(crate) use operations::{find_cost, find_out_of_support, find_template, list_operations};

/// The future of an action's code, as `connector_core::by_hand::Code` returns it.
type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>>;
