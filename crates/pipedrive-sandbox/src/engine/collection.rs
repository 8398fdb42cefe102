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
use crate::value::record::{Record, text};

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
}

impl Call {
    /// The id in the path. Text that cannot be an id becomes 0, which no record has.
    pub(crate) fn id(&self) -> u64 {
        self.variables.get("id").and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The tokens of a comma-separated parameter.
    pub(crate) fn tokens(&self, name: &str) -> Option<Vec<&str>> {
        self.parameter(name).map(|text| text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect())
    }

    /// The ids in a comma-separated parameter; tokens that are no ids are skipped.
    pub(crate) fn ids(&self, name: &str) -> Option<Vec<u64>> {
        self.tokens(name).map(|tokens| tokens.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// The same request with another body.
    pub(crate) fn with_body(&self, body: Record) -> Self {
        Self { body, ..self.clone() }
    }

    /// Tells whether a parameter is set to true.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1"))
    }

    /// The failure that the document has for a record that the path names and that is not there.
    pub(crate) fn missing(&self, label: &str) -> Failure {
        if self.operation.documents(StatusCode::GONE) { Failure::gone(label) } else { Failure::not_found(label) }
    }

    /// The documented shape below the answer, such as that of `data`.
    pub(crate) fn shape(&self, path: &[&str]) -> Option<&'static Schema> {
        api().below(self.operation.success().1?, path)
    }
}

pub(crate) type Report = fn(&State, &Call) -> Result<Value, Failure>;
pub(crate) type Deed = fn(&mut State, &Call) -> Result<Value, Failure>;
pub(crate) type Fetch = fn(&State, &Call) -> Result<File, Failure>;

/// One kind of object: the rows of its tables, and the operations that no row can describe.
pub(crate) struct Object {
    pub(crate) rows: &'static [Collection],
    /// Reads, by path.
    pub(crate) reports: &'static [(&'static str, Report)],
    /// Writes, by method and path.
    pub(crate) deeds: &'static [(&'static str, &'static str, Deed)],
    /// Downloads, by path.
    pub(crate) fetches: &'static [(&'static str, Fetch)],
}

pub(crate) const NO_OBJECT: Object = Object { rows: &[], reports: &[], deeds: &[], fetches: &[] };

/// All objects that a sandbox serves.
pub(crate) struct Tables {
    pub(crate) objects: &'static [Object],
    /// The table of saved filters.
    pub(crate) filters: &'static str,
}

impl Tables {
    pub(crate) fn collections(&self) -> impl Iterator<Item = &'static Collection> + use<> {
        self.objects.iter().flat_map(|object| object.rows)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&'static Collection> {
        self.collections().find(|collection| collection.name == name)
    }

    /// The collection of a name that the code knows to be there.
    pub(crate) fn collection(&self, name: &str) -> &'static Collection {
        self.find(name).expect("each table that the code names has a row")
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
    /// The field that the path's variable names, also where the variable is called `id`.
    pub(crate) key: &'static str,
    /// For records inside another one: the field that holds its id, and its collection.
    pub(crate) within: Option<(&'static str, &'static str)>,
    /// Fields that hold another collection's id.
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// The field by which other collections point here; empty where none does.
    pub(crate) known_as: &'static str,
    /// The key of these records in `related_objects`.
    pub(crate) related_as: Option<&'static str>,
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
    pub(crate) through: &'static [Through],
    /// Hides records from a call.
    pub(crate) hidden: fn(&Record, &Call) -> bool,
    /// Deleted records can still be read by their ids.
    pub(crate) outlives_deletion: bool,
    /// Fields that are answered although the answer's schema leaves them out.
    pub(crate) extra: &'static [&'static str],
    /// Fields of v1 answers that differ from the kept form.
    pub(crate) v1: &'static [(&'static str, V1)],
    /// The value of each changed field is kept, for reports of changes.
    pub(crate) remembers: bool,
    /// Each record ties two others. A merge drops the later one of two that then tie the same records.
    pub(crate) is_tie: bool,
    /// Fields that a merge does not copy to the record that survives.
    pub(crate) own_history: &'static [&'static str],
    pub(crate) rule: Rule,
    pub(crate) after: After,
    pub(crate) derived: Derived,
    pub(crate) merged: Merged,
}

/// Checks a record that is about to be kept, and completes it.
pub(crate) type Rule = fn(&mut Draft) -> Result<(), Failure>;
/// Runs after a change, with the record as it was and as it is now kept.
pub(crate) type After = fn(&mut State, &Call, Option<&Record>, &Record);
/// Computes a field that records do not hold, such as a count of their notes.
pub(crate) type Derived = fn(&State, &Collection, &Record, &str) -> Option<Value>;
/// Runs after a merge, with the ids of the merged record and of the survivor.
pub(crate) type Merged = fn(&mut State, &Call, u64, u64);

/// A parameter, and a function from the id in it to the ids of the records that the list may include.
pub(crate) type Through = (&'static str, fn(&State, u64) -> Vec<u64>);

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
    By(fn(&State, &Call) -> Value),
}

/// The source of a field in a v1 answer.
pub(crate) enum V1 {
    From(&'static str),
    Not(&'static str),
    /// The record that a field points to, in the answer's own nested shape.
    Linked(&'static str, &'static str),
    Fixed(fn() -> Value),
    /// The kept word, or the word beside it here if the document does not have the kept one.
    Word(&'static [(&'static str, &'static str)]),
    /// The kept time, to the millisecond as some services answer it.
    Moment(&'static str),
    Made(fn(&State, &Record) -> Value),
    MadeFor(fn(&State, &Call, &Record) -> Value),
}

/// The tables that define the fields of a collection. Their names are empty if it has no definitions.
pub(crate) struct FieldTables {
    pub(crate) own: &'static str,
    /// The table with the custom fields, which one collection may take over from another.
    pub(crate) custom: &'static str,
    /// v1 answers custom fields without a value too.
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
    pub(crate) fields: &'static [(&'static str, Place)],
    /// The item's nested records: (name, field, collection).
    pub(crate) nested: &'static [(&'static str, &'static str, &'static str)],
    /// The field and the table of the record that has the contact details, if it is not the found one.
    pub(crate) contact: Option<(&'static str, &'static str)>,
    pub(crate) includable: &'static [Includable],
}

/// A value of `include_fields`, the name of the field that it adds to an item, and that field's value.
pub(crate) type Includable = (&'static str, &'static str, fn(&State, &Collection, &Record) -> Option<Value>);

/// A place in which a search looks for its term.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Field(&'static str),
    /// The values of a list such as `emails`.
    Values(&'static str),
    /// An address's one-line form.
    Address(&'static str),
    /// The texts of the records of a table that point to the searched one: (table, field).
    About(&'static str, &'static str),
    CustomFields,
}

pub(crate) const NO_COLLECTION: Collection = Collection {
    name: "",
    label: "",
    route: "",
    verbs: CRUD,
    key: "id",
    within: None,
    links: &[],
    known_as: "",
    related_as: None,
    field_type: None,
    required: &[],
    defaults: &[],
    fields: FieldTables::new(""),
    search: None,
    filter: None,
    through: &[],
    hidden: |_, _| false,
    outlives_deletion: false,
    extra: &[],
    v1: &[],
    remembers: false,
    is_tie: false,
    own_history: &[],
    rule: |_| Ok(()),
    after: |_, _, _, _| {},
    derived: |_, _, _, _| None,
    merged: |_, _, _, _| {},
};

impl Collection {
    /// Tells whether a record is inside the one that the path names.
    pub(crate) fn has(&self, call: &Call, row: &Record) -> bool {
        self.within.is_none_or(|(field, _)| row.get(field).and_then(Value::as_u64) == Some(call.id()))
    }

    /// Refuses a path that goes through a record that is not there.
    pub(crate) fn check_path(&self, state: &State, call: &Call) -> Result<(), Failure> {
        match self.within {
            Some((_, table)) if state.get_live(table, call.id()).is_none() => {
                Err(call.missing(call.tables.find(table).map_or(self.label, |around| around.label)))
            }
            _ => Ok(()),
        }
    }
}

/// A record about to be kept. Its `row` already has the fields of the body.
pub(crate) struct Draft<'a> {
    pub(crate) state: &'a State,
    pub(crate) call: &'a Call,
    pub(crate) table: &'a str,
    pub(crate) before: Option<&'a Record>,
    pub(crate) row: &'a mut Record,
}

impl Draft<'_> {
    /// Tells whether the body brings a value for this field.
    pub(crate) fn brings(&self, name: &str) -> bool {
        self.call.body.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.row.insert(name.to_owned(), value.into());
    }

    pub(crate) fn clear(&mut self, name: &str) {
        self.row.shift_remove(name);
    }

    /// The value of a field before the change.
    pub(crate) fn value_before(&self, name: &str) -> Option<&Value> {
        self.before.and_then(|before| before.get(name))
    }

    pub(crate) fn require_text(&self, name: &str) -> Result<(), Failure> {
        if text(self.row, name).trim().is_empty() { Err(Failure::invalid(name, "must not be empty")) } else { Ok(()) }
    }
}
