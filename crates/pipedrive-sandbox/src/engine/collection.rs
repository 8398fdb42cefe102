//! The tables that the engine serves, and a valid request to one of them.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;

use crate::engine::state::State;
use crate::facts::api::{Operation, Schema, api};
use crate::facts::validate::Query;
use crate::value::content::File;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_text};

/// A valid request.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) tables: &'static Tables,
    pub(crate) operation: &'static Operation,
    pub(crate) variables: BTreeMap<&'static str, String>,
    pub(crate) query: Query,
    pub(crate) body: Record,
    /// The file that a form carries beside its fields.
    pub(crate) file: Option<File>,
    pub(crate) now: OffsetDateTime,
    pub(crate) user: u64,
    /// The time after which records were added that a search does not find.
    pub(crate) found_until: Option<String>,
}

impl Call {
    /// Returns the id in the path. Text that cannot be an id becomes 0, which no record has.
    pub(crate) fn id(&self) -> u64 {
        self.variables.get("id").and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Splits a comma-separated parameter into its tokens.
    pub(crate) fn tokens(&self, name: &str) -> Option<Vec<&str>> {
        self.parameter(name).map(|text| text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect())
    }

    /// Reads the ids in a comma-separated parameter. Tokens that are no ids are skipped.
    pub(crate) fn ids(&self, name: &str) -> Option<Vec<u64>> {
        self.tokens(name).map(|tokens| tokens.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Copies the request with another body.
    pub(crate) fn with_body(&self, body: Record) -> Self {
        Self { body, ..self.clone() }
    }

    /// Tells whether a parameter is set to true.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1"))
    }

    /// Builds the failure that the document has for a record that the path names but that does not exist.
    pub(crate) fn refuse_missing(&self, label: &str) -> Failure {
        if self.operation.documents(StatusCode::GONE) { Failure::gone(label) } else { Failure::not_found(label) }
    }

    /// Finds the documented shape at a path below the answer, such as that of `data`.
    pub(crate) fn shape(&self, path: &[&str]) -> Option<&'static Schema> {
        api().find_below(self.operation.success().1?, path)
    }
}

/// A read that no collection describes.
pub(crate) type Report = fn(&State, &Call) -> Result<Value, Failure>;
/// A write that no collection describes.
pub(crate) type Write = fn(&mut State, &Call) -> Result<Value, Failure>;
/// A download of a file.
pub(crate) type Download = fn(&State, &Call) -> Result<File, Failure>;

/// One kind of object: its collections, and the operations that no collection describes.
pub(crate) struct Object {
    pub(crate) collections: &'static [Collection],
    /// Reports, by path.
    pub(crate) reports: &'static [(&'static str, Report)],
    /// Writes, by method and path.
    pub(crate) writes: &'static [(&'static str, &'static str, Write)],
    /// Downloads, by path.
    pub(crate) downloads: &'static [(&'static str, Download)],
}

pub(crate) const NO_OBJECT: Object = Object { collections: &[], reports: &[], writes: &[], downloads: &[] };

/// All objects that a sandbox serves.
pub(crate) struct Tables {
    pub(crate) objects: &'static [Object],
    /// The table of saved filters.
    pub(crate) filters: &'static str,
    /// Objects that a filter's conditions may name although they are not served.
    pub(crate) unserved_filter_objects: &'static [&'static str],
}

impl Tables {
    pub(crate) fn collections(&self) -> impl Iterator<Item = &'static Collection> + use<> {
        self.objects.iter().flat_map(|object| object.collections)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&'static Collection> {
        self.collections().find(|collection| collection.name == name)
    }

    /// Returns the collection of a name that exists.
    pub(crate) fn collection(&self, name: &str) -> &'static Collection {
        self.find(name).expect("each table that the code names has a collection")
    }

    /// Finds the collection that a filter's conditions call by this name.
    pub(crate) fn find_filtered(&self, object: &str) -> Option<&'static Collection> {
        self.collections().find(|collection| collection.filter.is_some_and(|(_, name)| name == object))
    }

    /// Finds the collection that custom fields of this type point to.
    pub(crate) fn find_by_field_type(&self, kind: &str) -> Option<&'static Collection> {
        self.collections().find(|collection| collection.field_type == Some(kind))
    }
}

/// A table's row: its route, the links of its records, and the rules for checks, searches and answers.
pub(crate) struct Collection {
    /// The table's name in the state.
    pub(crate) name: &'static str,
    /// The word for one record in error messages.
    pub(crate) label: &'static str,
    pub(crate) route: &'static str,
    pub(crate) verbs: &'static [Verb],
    /// The variable of a path that names one record.
    pub(crate) variable: &'static str,
    /// The field to which that variable refers, if not to the id or the UUID.
    pub(crate) key: Option<&'static str>,
    /// For records inside another one: the field that holds its id, and its collection.
    pub(crate) within: Option<(&'static str, &'static str)>,
    /// Fields that hold another collection's id.
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// The field in other collections that points here; empty if there is none.
    pub(crate) foreign_key: &'static str,
    /// The key of these records in `related_objects`.
    pub(crate) related_key: Option<&'static str>,
    /// The type of custom fields that point here.
    pub(crate) field_type: Option<&'static str>,
    /// Required on creation although the document does not say so.
    pub(crate) required: &'static [&'static str],
    pub(crate) defaults: &'static [(&'static str, Preset)],
    pub(crate) fields: FieldTables,
    pub(crate) search: Option<&'static Search>,
    /// A filter's `type` and its conditions' `object`.
    pub(crate) filter: Option<(&'static str, &'static str)>,
    /// Parameters of a list that lead to its records through another collection.
    pub(crate) indirect_parameters: &'static [IndirectParameter],
    /// Hides records from a call.
    pub(crate) is_hidden: fn(&Record, &Call) -> bool,
    /// Tells whether a deleted record can still be read by its id.
    pub(crate) readable_when_deleted: bool,
    /// Fields that v2 answers although the answer's schema leaves them out.
    pub(crate) further_fields: &'static [&'static str],
    /// Fields of v1 answers that differ from the stored form.
    pub(crate) v1: &'static [(&'static str, V1)],
    /// Tells whether changes of fields are stored, for reports of changes.
    pub(crate) keeps_changes: bool,
    /// Fields whose changes are not stored all the same, as they follow from others.
    pub(crate) changes_not_kept: &'static [&'static str],
    /// Tells whether each record links two others. A merge drops the later one of two equal links.
    pub(crate) is_link_table: bool,
    /// Fields that a merge does not copy to the record that survives.
    pub(crate) not_merged: &'static [&'static str],
    pub(crate) check: CheckHook,
    pub(crate) after_write: AfterWriteHook,
    pub(crate) derive: DeriveHook,
    pub(crate) after_merge: AfterMergeHook,
}

/// Checks a record that is about to be stored, and completes it.
pub(crate) type CheckHook = fn(&mut Draft) -> Result<(), Failure>;
/// Runs after a write, with the record before it, if there was one, and the stored record.
pub(crate) type AfterWriteHook = fn(&mut State, &Call, Option<&Record>, &Record);
/// Computes a field that records do not hold, such as a count of their notes.
pub(crate) type DeriveHook = fn(&State, &Collection, &Record, &str) -> Option<Value>;
/// Runs after a merge, with the ids of the merged record and of the survivor.
pub(crate) type AfterMergeHook = fn(&mut State, &Call, u64, u64);

/// A parameter, and a function from the id in it to the ids of the records that the list may include.
pub(crate) type IndirectParameter = (&'static str, fn(&State, u64) -> Vec<u64>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Get,
    Create,
    Update,
    Delete,
    DeleteMany,
    Search,
    Merge,
    AddOptions,
    ChangeOptions,
    DropOptions,
}

pub(crate) const CRUD: &[Verb] = &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete];

pub(crate) const CRM: &[Verb] = &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search, Verb::Merge];

/// The value of a field that a creation leaves out.
pub(crate) enum Preset {
    Text(&'static str),
    Number(i64),
    Flag(bool),
    EmptyObject,
    EmptyList,
    /// One more than the highest number of the records with the same value in this field; of all if it is empty.
    Next(&'static str),
    Computed(fn(&State, &Call) -> Value),
}

/// The source of a field in a v1 answer.
pub(crate) enum V1 {
    From(&'static str),
    Not(&'static str),
    /// The record that a field points to, in the answer's own nested shape.
    Linked(&'static str, &'static str),
    /// The stored word, or the word beside it here if the document does not have the stored one.
    Mapped(&'static [(&'static str, &'static str)]),
    /// The stored time in a format with milliseconds, which some services use.
    TimeWithMilliseconds(&'static str),
    Computed(fn(&State, &Record) -> Value),
    ComputedForCall(fn(&State, &Call, &Record) -> Value),
}

/// The tables that define the fields of a collection. Their names are empty if it has no definitions.
pub(crate) struct FieldTables {
    pub(crate) own: &'static str,
    /// The table with the custom fields, which one collection may take over from another.
    pub(crate) custom: &'static str,
    /// Tells whether v1 answers custom fields without a value too.
    pub(crate) shows_empty: bool,
}

impl FieldTables {
    pub(crate) const fn new(table: &'static str) -> Self {
        Self { own: table, custom: table, shows_empty: true }
    }
}

pub(crate) struct Search {
    pub(crate) kind: &'static str,
    /// The name of each `fields` token, and the place in which it looks.
    pub(crate) fields: &'static [(&'static str, SearchPlace)],
    /// The item's nested records: (name, field, collection).
    pub(crate) nested: &'static [(&'static str, &'static str, &'static str)],
    /// Fields of an item that differ from the stored form.
    pub(crate) computed: &'static [ComputedField],
    pub(crate) includable: &'static [Includable],
}

/// The name of a field of an item, and the function that computes it.
pub(crate) type ComputedField = (&'static str, fn(&State, &Record) -> Option<Value>);

/// A value of `include_fields`, the name of the field that it adds to an item, and that field's value.
pub(crate) type Includable = (&'static str, &'static str, fn(&State, &Collection, &Record) -> Option<Value>);

/// A place in which a search looks for its term.
#[derive(Clone, Copy)]
pub(crate) enum SearchPlace {
    /// A field: its text, the `value` of an object, or the values of a list.
    Field(&'static str),
    /// The texts of the records of a table that point to the searched one: (table, field).
    About(&'static str, &'static str),
    CustomFields,
}

pub(crate) const NO_COLLECTION: Collection = Collection {
    name: "",
    label: "",
    route: "",
    verbs: CRUD,
    variable: "id",
    key: None,
    within: None,
    links: &[],
    foreign_key: "",
    related_key: None,
    field_type: None,
    required: &[],
    defaults: &[],
    fields: FieldTables::new(""),
    search: None,
    filter: None,
    indirect_parameters: &[],
    is_hidden: |_, _| false,
    readable_when_deleted: false,
    further_fields: &[],
    v1: &[],
    keeps_changes: false,
    changes_not_kept: &[],
    is_link_table: false,
    not_merged: &[],
    check: |_| Ok(()),
    after_write: |_, _, _, _| {},
    derive: |_, _, _, _| None,
    after_merge: |_, _, _, _| {},
};

impl Collection {
    /// Tells whether a record is inside the one that the path names.
    pub(crate) fn has(&self, call: &Call, row: &Record) -> bool {
        self.within.is_none_or(|(field, _)| row.get(field).and_then(Value::as_u64) == Some(call.id()))
    }

    /// Refuses a path through a record that does not exist.
    pub(crate) fn check_path(&self, state: &State, call: &Call) -> Result<(), Failure> {
        match self.within {
            Some((_, table)) if state.get_live(table, call.id()).is_none() => {
                Err(call.refuse_missing(call.tables.find(table).map_or(self.label, |around| around.label)))
            }
            _ => Ok(()),
        }
    }
}

/// A record that is about to be stored. Its `row` already has the fields of the body.
pub(crate) struct Draft<'a> {
    pub(crate) state: &'a State,
    pub(crate) call: &'a Call,
    pub(crate) table: &'a str,
    pub(crate) before: Option<&'a Record>,
    pub(crate) row: &'a mut Record,
}

impl Draft<'_> {
    /// Tells whether the body has a value for this field.
    pub(crate) fn is_in_body(&self, name: &str) -> bool {
        self.call.body.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.row.insert(name.to_owned(), value.into());
    }

    pub(crate) fn clear(&mut self, name: &str) {
        self.row.shift_remove(name);
    }

    /// Returns the value of a field before the write.
    pub(crate) fn value_before(&self, name: &str) -> Option<&Value> {
        self.before.and_then(|before| before.get(name))
    }

    pub(crate) fn require_text(&self, name: &str) -> Result<(), Failure> {
        if read_text(self.row, name).trim().is_empty() { Err(Failure::invalid(name, "must not be empty")) } else { Ok(()) }
    }
}
