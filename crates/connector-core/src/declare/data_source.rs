//! Declarations of data sources.

use crate::declare::action::Declaration;
use crate::declare::connector::Connector;

/// A struct under `#[data_source]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a data source", note = "name a struct that stands under #[data_source]")]
pub trait Picklist {
    /// The key of the data source.
    const KEY: &'static str;
}

/// A data source made of two actions: one that lists and one that searches.
#[derive(Debug)]
pub struct DeclaredSource {
    /// The stable key.
    pub key: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// A sentence that says which choices the data source offers.
    pub description: &'static str,
    /// The file and line of the declaration.
    pub line: &'static str,
    /// The connector of the data source.
    pub connector: &'static Connector,
    /// The action that lists the records.
    pub list: fn() -> &'static Declaration,
    /// The action that finds records by a term.
    pub search: fn() -> &'static Declaration,
    /// The text of a choice, with members of the record in braces.
    pub choice: &'static str,
}
