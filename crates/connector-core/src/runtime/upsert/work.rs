//! The parts of an upsert under way: its actions, and the inputs that each of them is given.

use serde_json::{Map, Value};

use crate::declare::action::{Declaration, Upsert};
use crate::declare::field::{Field, Place};
use crate::declare::fields::{FieldLayout, FieldsOf, Naming};
use crate::declare::match_key::MATCH_BY;
use crate::declare::rule::Rule;
use crate::exchange::files::Files;
use crate::exchange::request::{Body, Request};
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::runtime::derived::DerivedSource;
use crate::runtime::upsert::wanted::MatchValues;
use crate::value::error::{Error, ErrorKind};

/// An upsert under way.
pub(super) struct UpsertWork<'a> {
    pub(super) entry: &'a Entry,
    pub(super) call: &'a Call<'a>,
    pub(super) upsert: &'static Upsert,
    pub(super) source: &'static DerivedSource,
    /// The action that finds records by a term.
    pub(super) search: &'static Declaration,
    /// The action that reads one record.
    pub(super) read: &'static Declaration,
    pub(super) add: &'a Entry,
    pub(super) update: &'a Entry,
    /// The inputs of the two actions: those of the caller without `matchBy`.
    pub(super) input: Map<String, Value>,
}

impl<'a> UpsertWork<'a> {
    /// Finds the actions of an upsert. An input that neither of them would take is refused before anything is sent.
    pub(super) fn begin(catalogue: &'a Catalogue, entry: &'a Entry, upsert: &'static Upsert, call: &'a Call<'a>) -> Result<Self, Error> {
        let source = catalogue.find_derived_source(call.connector, upsert.source)?;
        let (Some(search), Some(read)) = (source.derivation().search, source.derivation().read) else {
            return Err(Error::new(ErrorKind::Bug, "An upsert finds records by a search that is not there."));
        };
        let find = |declaration: fn() -> &'static Declaration| catalogue.find(Some(call.connector.key), declaration().key);
        let mut input = call.input().clone();
        input.shift_remove(MATCH_BY);
        let (add, update) = (find(upsert.add)?, find(upsert.update)?);
        let faults: Vec<_> = list_rules(update).iter().filter_map(|rule| rule.find_fault(&input)).collect();
        if !faults.is_empty() {
            return Err(Error::invalid_input(call.key, faults));
        }
        Ok(Self { entry, call, upsert, source, search: search(), read: read(), add, update, input })
    }

    /// Finds the input that takes custom fields, where their definitions are listed, and how they travel.
    pub(super) fn find_custom_fields(&self) -> Option<(&'static Field, &'static FieldsOf, FieldLayout)> {
        self.entry.fields().into_iter().find_map(|field| match field.shape.naming {
            Some(Naming::Values(of, layout)) => Some((field, of, layout)),
            _ => None,
        })
    }

    /// Builds the input that adds a record. What null would clear is not there yet.
    pub(super) fn build_added(&self) -> Result<CheckedInput, Error> {
        let mut input = self.input.clone();
        self.apply_changes(&mut input, &Value::Null);
        if let Some((field, ..)) = self.find_custom_fields()
            && let Some(fields) = input.get_mut(field.name).and_then(Value::as_object_mut)
        {
            fields.retain(|_, value| !value.is_null());
            if fields.is_empty() {
                input.shift_remove(field.name);
            }
        }
        self.check(self.add, input).map_err(|error| {
            let hint = error.hint().unwrap_or_default().to_owned();
            error.with_hint(format!("No record matches, and the input does not suffice to add one. {hint}"))
        })
    }

    /// Builds the input that changes a record. The value by which it was found stays as the record has it.
    pub(super) fn build_changed(&self, id: &Value, record: &Value, wanted: &[MatchValues]) -> Result<CheckedInput, Error> {
        let mut input = self.input.clone();
        self.apply_changes(&mut input, record);
        for matched in wanted.iter().filter(|wanted| wanted.matches(record)) {
            matched.take_out_of(&mut input);
        }
        let fields = self.update.fields();
        let only_added: Vec<String> =
            input.keys().filter(|name| !fields.iter().any(|field| field.name == name.as_str())).cloned().collect();
        for name in only_added {
            input.shift_remove(&name);
            self.call.warn(format!("`{name}` counts for a record that is added: the one that was found keeps its own."));
        }
        if let Some(variable) = fields.into_iter().find(|field| field.place == Place::Path) {
            input.insert(variable.name.to_owned(), id.clone());
        }
        self.check(self.update, input)
    }

    fn apply_changes(&self, input: &mut Map<String, Value>, record: &Value) {
        let values = self.call.connector.fields.map_or("", |words| words.values);
        self.call.checked.later.iter().for_each(|change| change.apply(input, record, values));
    }

    /// Checks the input of one of the two actions.
    fn check(&self, action: &Entry, input: Map<String, Value>) -> Result<CheckedInput, Error> {
        let read = action.checks().read(input, &action.fields(), &list_rules(action), action.takes_null_as_absent(), None, &[]);
        let input = read.map_err(|faults| Error::invalid_input(self.call.key, faults))?;
        Ok(CheckedInput { input, ..CheckedInput::default() })
    }
}

/// Returns the members of the body that an action would send of the input.
pub(super) fn write_members(action: &Entry, input: &Map<String, Value>) -> Map<String, Value> {
    let body = action.declaration().map(|declaration| Request::build(declaration, input, &Files::default()).body);
    match body {
        Some(Body::Json(text)) => serde_json::from_slice(&text).unwrap_or_default(),
        Some(Body::Form(pairs)) => pairs.into_iter().map(|(name, value)| (name, value.into())).collect(),
        Some(Body::Empty | Body::Multipart(_)) | None => Map::new(),
    }
}

fn list_rules(action: &Entry) -> Vec<&'static Rule> {
    action.declaration().into_iter().flat_map(Declaration::rules).collect()
}
