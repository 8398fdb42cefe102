//! One input of an action.

use crate::declare::shape::FieldShape;

/// One input of an action.
#[derive(Debug)]
pub struct Field {
    /// The name in an invocation's `input`.
    pub name: &'static str,
    /// The name on the wire.
    pub wire: &'static str,
    /// Where it travels.
    pub place: Place,
    /// What to give, as a sentence.
    pub doc: &'static str,
    /// The key of the data source that fills it.
    pub source: Option<&'static str>,
    /// The inputs that the vendor ignores beside it.
    pub overrides: &'static [&'static str],
    /// What its type says.
    pub shape: FieldShape,
}

/// Where an input travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path, percent-encoded.
    Path,
    /// In the query.
    Query,
    /// As a member of the JSON body.
    Body,
    /// As an object whose members are members of the JSON body.
    Flat,
    /// As a pair of the form.
    Form,
    /// As a part of the multipart body.
    Multipart,
    /// Nowhere by itself: an action by hand reads it.
    Own,
}
