//! Inputs of actions.

use crate::declare::method::Method;
use crate::declare::rule::Rule;
use crate::declare::shape::FieldShape;

/// An input of an action.
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// The name in an invocation's `input`.
    pub name: &'static str,
    /// The name on the wire.
    pub wire: &'static str,
    /// The part of the request that carries the input.
    pub place: Place,
    /// A sentence that says what to give.
    pub doc: &'static str,
    /// The key of the data source that offers choices for the input.
    pub source: Option<&'static str>,
    /// The words by which a choice of that data source is named in place of its value, as `name`.
    pub accepts: &'static [&'static str],
    /// The inputs of that data source that are given, each with the origin of its value.
    pub source_inputs: &'static [(&'static str, SourceInput)],
    /// The inputs that the vendor ignores if this one is given.
    pub overrides: &'static [&'static str],
    /// The rule that excludes the input for which this one stands: both have one name on the wire.
    pub instead_of: Option<Rule>,
    /// The input that has the date of this time of day: both together are one moment in UTC.
    pub time_of: Option<&'static str>,
    /// The shape of the value.
    pub shape: FieldShape,
}

/// The origin of a value that a data source is given where it fills an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceInput {
    /// The value of another input of the action. Where that is left out, so is this one.
    Input(&'static str),
    /// This text.
    Text(&'static str),
}

/// A part of a request that carries an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The path, percent-encoded.
    Path,
    /// The query.
    Query,
    /// A member of the JSON body.
    Body,
    /// Members of the JSON body, one for each member of the input, which is an object.
    Flat,
    /// A pair of the form.
    Form,
    /// A part of the multipart body.
    Multipart,
    /// No part. The code of the action reads the input.
    Own,
}

impl Place {
    /// Returns the place of an input that names none. Without an endpoint the code of the action reads the input.
    pub const fn from_method(method: Option<Method>) -> Self {
        match method {
            None => Self::Own,
            Some(Method::Head | Method::Get | Method::Delete) => Self::Query,
            Some(Method::Post | Method::Put | Method::Patch) => Self::Body,
        }
    }
}
