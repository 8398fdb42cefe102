//! The actions that read the records which the IDs of an input stand for.

use crate::declare::action::Declaration;
use crate::declare::connector::Connector;
use crate::declare::data_source::Finding;
use crate::declare::field::{Field, Place};
use crate::declare::flat::to_camel_case;
use crate::runtime::catalogue::{Catalogue, Entry};

/// The IDs that a list takes at once where it declares no limit.
const USUAL_IDS: usize = 100;

/// An action that reads the records which the IDs of an input stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reader {
    /// The key of the action.
    pub action: &'static str,
    /// The input that takes the IDs.
    pub input: ReaderInput,
    /// The member of a record that holds its ID, in the flat view.
    pub id: String,
}

/// The input of a [`Reader`] that takes the IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReaderInput {
    /// Takes a list of so many at most.
    Several(&'static str, usize),
    /// Takes one.
    One(&'static str),
    /// There is none: the whole list, which the account defines, is read.
    Whole,
}

impl Catalogue {
    /// Finds the way to read the records that the values of a member stand for.
    ///
    /// The data source of the input of that name tells it. An input of the entry itself goes first, then those of its connector's other entries.
    pub fn find_reader(&self, of: &Entry, member: &str) -> Option<Reader> {
        let connector = of.connector();
        let others = self.entries().iter().filter(|entry| entry.connector().key == connector.key);
        let fields = std::iter::once(of).chain(others).flat_map(Entry::fields).filter(|field| field.name == member);
        fields.filter_map(|field| field.source).find_map(|source| self.build_reader(connector, source))
    }

    fn build_reader(&self, connector: &Connector, source: &str) -> Option<Reader> {
        let derivation = self.find_derived_source(connector, source).ok()?.derivation();
        // The choices within a record, or of a list that is asked for in a certain way, are not records that have these IDs.
        if derivation.within.is_some() || !derivation.given.is_empty() {
            return None;
        }
        let list = (derivation.list)();
        let is_filled = |field: &&'static Field| field.source == Some(source);
        let several =
            list.fields().filter(is_filled).find_map(|field| Some(ReaderInput::Several(field.name, self.count_ids(list, field)?)));
        let one =
            || derivation.read.and_then(|read| Some((read(), read().fields().filter(is_filled).find(|field| field.place == Place::Path)?)));
        let (action, input) = match several {
            Some(several) => (list, several),
            None if derivation.finding == Finding::InKeptList => (list, ReaderInput::Whole),
            None => one().map(|(read, field)| (read, ReaderInput::One(field.name)))?,
        };
        Some(Reader { action: action.key, input, id: to_camel_case(derivation.value).into_owned() })
    }

    /// Counts the IDs that an input takes at once, if it takes a list.
    fn count_ids(&self, list: &Declaration, field: &Field) -> Option<usize> {
        let schema = self.find(Some(list.connector.key), list.key).ok()?.input_schema();
        let input = &schema["properties"][field.name];
        let most = input["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(USUAL_IDS);
        (input["type"] == "array").then_some(most)
    }
}
