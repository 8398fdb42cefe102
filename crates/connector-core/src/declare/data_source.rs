//! Declarations of data sources.

use crate::declare::action::{Declaration, MadeByMacro};
use crate::declare::connector::Connector;
use crate::declare::field::Field;
use crate::declare::input_value::InputValue;

/// A struct under `#[data_source]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a data source", note = "name a struct that stands under #[data_source]")]
pub trait Picklist: MadeByMacro {
    /// The key of the data source.
    const KEY: &'static str;
    /// The words by which an input names a choice in place of giving its value, as `name`.
    const ACCEPTS: &'static [&'static str] = &[];
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

/// The way from the records of actions to choices.
///
/// A path is the names of members, divided by dots: `owner.name`. Where records have one of several shapes, the paths of
/// each stand beside each other: `field_code|key`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Derivation {
    /// The action that lists the records.
    pub list: fn() -> &'static Declaration,
    /// The inputs that the list is given, where it is kept.
    pub given: &'static [(&'static str, InputValue)],
    /// The action that finds records by a term, if there is one.
    pub search: Option<fn() -> &'static Declaration>,
    /// The input of that action that takes the term.
    pub term: &'static str,
    /// The path of the member whose value the choice gives.
    pub value: &'static str,
    /// The text of a choice, with paths of members in braces.
    pub text: &'static str,
    /// The place where choices are looked for.
    pub finding: Finding,
    /// The member of a record whose items are the choices, where the record itself is none.
    pub within: Option<&'static str>,
    /// The members of a record, each with the value that it must have.
    pub only: &'static [(&'static str, &'static str)],
    /// The members of a record, each with the value that it may not have.
    pub except: &'static [(&'static str, &'static str)],
    /// The members by which choices are sorted. Without any they stand as the vendor lists them.
    pub order: &'static [&'static str],
    /// The words of a reference in place of an ID, each with the member that it is compared with.
    pub named: &'static [(&'static str, &'static str)],
    /// The member that is true for the user of the connection, which `"me"` stands for.
    pub me: Option<&'static str>,
    /// The action that reads one record: what a search found for a reference is read and compared.
    pub read: Option<fn() -> &'static Declaration>,
    /// The input of the search that asks for exact matches.
    pub exact: Option<&'static str>,
}

/// The place where choices are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The vendor looks for them, if it has a search.
    AtVendor,
    /// Each page of the list is looked through as it is read.
    InPages,
    /// The whole list is kept and looked through. It is a list that the account defines.
    InKeptList,
}

impl Derivation {
    /// Lists the paths in the text of a choice.
    pub(crate) fn text_paths(&self) -> impl Iterator<Item = &'static str> {
        self.text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(path, _)| path)
    }

    /// Lists the paths of the members that decide whether a record is a choice.
    pub(crate) fn deciding_paths(&self) -> impl Iterator<Item = &'static str> {
        self.only.iter().chain(self.except).map(|(path, _)| *path)
    }

    /// Lists the paths of the members of a choice.
    pub(crate) fn choice_paths(&self) -> impl Iterator<Item = &'static str> {
        let named = self.named.iter().map(|(_, path)| *path).filter(|_| self.finding == Finding::InKeptList);
        std::iter::once(self.value).chain(self.text_paths()).chain(self.order.iter().copied()).chain(named).chain(self.me)
    }
}
