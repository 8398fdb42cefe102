//! Data sources made of actions: one that lists records, and perhaps one that finds them by a term.

use std::sync::OnceLock;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::data_source::{Derivation, SourceDeclaration};
use crate::declare::field::{Field, Place};
use crate::declare::page::{CURSOR_OF_CHOICES, is_limit};
use crate::declare::shape::FieldShape;
use crate::exchange::choices::{Missing, RecordPlace, read_text};
use crate::exchange::files::Files;
use crate::exchange::request::Request;
use crate::runtime::call::Call;
use crate::runtime::data_source::{Choice, Choices, DataSource};
use crate::runtime::operation::Runnable;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::fault::{Fault, FaultCode};
use crate::value::raw_json::RawJson;
use crate::value::wording::find_nearest;

/// A data source whose choices are the records of actions.
#[derive(Debug)]
pub struct DerivedSource {
    declaration: &'static SourceDeclaration,
    derivation: Derivation,
    places: OnceLock<Places>,
}

/// The places of the records in the answers of the two actions.
#[derive(Debug)]
struct Places {
    list: RecordPlace,
    search: RecordPlace,
}

static SEARCH: Field = {
    let doc = "Text to look for. Left out, all records are offered.";
    Field::new("search", "search", Place::Own, doc, FieldShape::from_type::<Option<String>>())
};

impl Runnable for DerivedSource {}

impl DerivedSource {
    /// Builds the data source from its declaration and its actions.
    pub const fn new(declaration: &'static SourceDeclaration, derivation: Derivation) -> Self {
        Self { declaration, derivation, places: OnceLock::new() }
    }

    /// Finds where the records lie, or fails if the actions do not have what the data source names.
    fn places(&self) -> Result<&Places, Error> {
        if let Some(places) = self.places.get() {
            return Ok(places);
        }
        let (list, search) = ((self.derivation.list)(), self.derivation.search.map(|search| search()));
        let found = Places {
            list: self.check_action(list, None)?,
            search: search.map_or_else(|| Ok(RecordPlace::default()), |search| self.check_action(search, Some(self.derivation.term)))?,
        };
        Ok(self.places.get_or_init(|| found))
    }

    /// Checks that an action has what the data source names, and finds where its records lie.
    fn check_action(&self, action: &'static Declaration, term: Option<&str>) -> Result<RecordPlace, Error> {
        let SourceDeclaration { key, line, .. } = self.declaration;
        let fault = |what: String| Error::new(ErrorKind::Bug, format!("The data source {key} {what}: at {line}."));
        if let Some(term) = term.filter(|term| !action.fields().any(|field| field.name == *term)) {
            let near = find_nearest(term, action.fields().map(|field| field.name), 1);
            let hint =
                near.first().map_or_else(|| "Name the input that takes the text".to_owned(), |near| format!("Write `term = \"{near}\"`"));
            return Err(
                fault(format!("gives its term as `{term}`, an input that {} does not have", action.key)).with_hint(format!("{hint}."))
            );
        }
        let is_given = |field: &&Field| !field.shape.required || Some(field.name) == term || is_limit(field);
        if let Some(field) = action.fields().find(|field| !is_given(field)) {
            let hint = "Name an action that needs no such input, or write the data source by hand: `by_hand`.";
            return Err(fault(format!("does not give `{}`, which {} requires", field.name, action.key)).with_hint(hint));
        }
        let paths: Vec<&'static str> = std::iter::once(self.derivation.value).chain(self.derivation.text_paths()).collect();
        RecordPlace::find(action, &paths).map_err(|missing| match missing {
            Missing::List => fault(format!("finds no list of records in what {} returns", action.key))
                .with_hint("Declare the list: `returns(Vec<Record>)`, or a record with one member that is a list."),
            Missing::Member(path, known) => {
                let near = find_nearest(path, known.iter().map(String::as_str), 3);
                let hint = if near.is_empty() {
                    "Declare the member in the record.".to_owned()
                } else {
                    format!("The nearest: {}.", near.join(", "))
                };
                fault(format!("names the member `{path}`, which no record of {} has as a single value", action.key)).with_hint(hint)
            }
        })
    }

    fn read_choices(&self, action: &Declaration, place: &RecordPlace, data: &RawJson) -> Result<Vec<Choice>, Error> {
        let records = place.read(data).map_err(|error| {
            let message = format!("The answer to {}, the list to choose from, has no records where they are declared.", action.key);
            Error::new(ErrorKind::BadAnswer, message).with_retry(Retry::Never).with_source(error)
        })?;
        let Derivation { value, text, .. } = self.derivation;
        let choices: Vec<Choice> = records
            .into_iter()
            .map(|record| Choice { key: read_text(record, value), label: fill_template(text, |path| read_text(record, path)) })
            .collect();
        if choices.iter().any(|choice| choice.key.is_empty()) {
            return Err(Error::new(ErrorKind::BadAnswer, "A record of the list to choose from has no ID."));
        }
        Ok(choices)
    }
}

#[async_trait]
impl DataSource for DerivedSource {
    fn declaration(&self) -> &'static SourceDeclaration {
        self.declaration
    }

    fn fields(&self) -> Vec<&'static Field> {
        let (list, search) = ((self.derivation.list)(), self.derivation.search.map(|search| search()));
        let pages = std::iter::once(list).chain(search).any(|action| action.paging().is_some());
        let limit = list.fields().find(|field| is_limit(field));
        search.map(|_| &SEARCH).into_iter().chain(pages.then_some(&CURSOR_OF_CHOICES)).chain(limit).collect()
    }

    fn check(&self) -> Result<(), Error> {
        self.places().map(drop)
    }

    fn lister(&self, input: &Map<String, Value>) -> Option<&'static Declaration> {
        let search = self.derivation.search.filter(|_| input.contains_key(SEARCH.name));
        Some(search.map_or_else(self.derivation.list, |search| search()))
    }

    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop> {
        let places = self.places()?;
        let mut input = call.input().clone();
        let searched = self.derivation.search.zip(input.shift_remove(SEARCH.name));
        let searches = searched.is_some();
        let (action, place) = match searched {
            Some((search, term)) => {
                input.insert(self.derivation.term.to_owned(), term);
                (search(), &places.search)
            }
            None => ((self.derivation.list)(), &places.list),
        };
        let faults = find_faults(action, &input, searches);
        if !faults.is_empty() {
            return Err(Error::invalid_input(self.declaration.key, faults).into());
        }
        let request = Request::build(action, &input, &Files::default());
        let response = if searches { call.send_helper(request).await? } else { call.send(request).await? };
        let answer = response.into_answer(action)?;
        let choices = self.read_choices(action, place, &answer.data)?;
        let may_go_on = answer.page.as_ref().is_some_and(|page| !page.complete);
        Ok(Choices { choices, next: answer.page.and_then(|page| page.next), may_go_on })
    }
}

/// Finds the inputs that the action does not take, and so would drop.
fn find_faults(action: &'static Declaration, input: &Map<String, Value>, searches: bool) -> Vec<Fault> {
    let why = if searches { "the search takes no such input" } else { "the list takes no such input" };
    let takes = |name: &str| action.fields().any(|field| field.name == name);
    let dropped = input.keys().filter(|name| !takes(name)).map(|name| Fault::at(format!("/{name}"), FaultCode::NotTaken { why }));
    // A cursor that is none would be left out of the request, which then reads the first page again.
    let strange = action.paging().and_then(|paging| paging.find_cursor_fault(input));
    // A rule of the search refers to its term, which the caller gave as `search`.
    let broken = action.rules().filter_map(|rule| rule.find_fault(input)).map(|fault| fault.moved_to("/search"));
    dropped.chain(strange).chain(broken).collect()
}

/// Replaces each `{path}` of a template.
fn fill_template(template: &str, member: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&member(path));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests;
