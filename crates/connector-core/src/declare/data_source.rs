//! Declarations of data sources.

use crate::declare::action::{Declaration, MadeByMacro};
use crate::declare::connector::Connector;
use crate::declare::field::Field;

/// A struct under `#[data_source]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a data source", note = "name a struct that stands under #[data_source]")]
pub trait Picklist: MadeByMacro {
    /// The key of the data source.
    const KEY: &'static str;
}

/// A declaration of a data source. The macro writes it as a static.
#[derive(Debug)]
#[non_exhaustive]
pub struct SourceDeclaration {
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
    /// The inputs of a data source that runs code. Those of any other follow from its actions.
    pub own: &'static [Field],
}

/// The way from the records of actions to choices. A path is the names of members, divided by dots: `owner.name`.
#[derive(Debug)]
pub struct Derivation {
    /// The action that lists the records.
    pub list: fn() -> &'static Declaration,
    /// The action that finds records by a term, if there is one.
    pub search: Option<fn() -> &'static Declaration>,
    /// The input of that action that takes the term.
    pub term: &'static str,
    /// The path of the member whose value the choice gives.
    pub value: &'static str,
    /// The text of a choice, with paths of members in braces.
    pub text: &'static str,
}

impl Derivation {
    /// Lists the paths in the text of a choice.
    pub(crate) fn text_paths(&self) -> impl Iterator<Item = &'static str> {
        self.text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(path, _)| path)
    }
}
