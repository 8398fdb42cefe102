//! Data sources made of actions: one that lists records, and perhaps one that finds them by a term.

use std::sync::OnceLock;

use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::data_source::{Derivation, Finding, SourceDeclaration};
use crate::declare::field::{Field, Place};
use crate::declare::page::{CURSOR, CURSOR_OF_CHOICES, LIMIT, LIMIT_OF_CHOICES, USUAL_CHOICES, is_limit};
use crate::declare::shape::FieldShape;
use crate::exchange::choices::{Missing, RecordPlace, read_parts, read_text};
use crate::exchange::files::Files;
use crate::exchange::references::ME;
use crate::exchange::request::Request;
use crate::exchange::sifting::{KeptPlace, SearchWords, has_member, has_members, sort_records};
use crate::runtime::call::Call;
use crate::runtime::data_source::{Choice, Choices, DataSource};
use crate::runtime::naming::definitions::ListOf;
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
pub(super) struct Places {
    list: RecordPlace,
    pub(super) search: RecordPlace,
}

/// The name of the input that is the text to look for.
const SEARCH: &str = "search";

static SEARCH_AT_VENDOR: Field = search_by("Text to look for. Left out, all records are offered.");
static SEARCH_IN_PAGES: Field = search_by(
    "Words that must all occur, in any case. The records of each page are looked through, so that a page may have no choice \
     although more follow. Left out, all records are offered.",
);
static SEARCH_IN_LIST: Field = search_by("Words that must all occur, in any case. Left out, all choices are offered.");

const fn search_by(doc: &'static str) -> Field {
    Field::new(SEARCH, SEARCH, Place::Own, doc, FieldShape::from_type::<Option<String>>())
}

impl Runnable for DerivedSource {}

impl DerivedSource {
    /// Builds the data source from its declaration and its actions.
    pub const fn new(declaration: &'static SourceDeclaration, derivation: Derivation) -> Self {
        Self { declaration, derivation, places: OnceLock::new() }
    }

    /// Finds where the records lie, or fails if the actions do not have what the data source names.
    pub(super) fn places(&self) -> Result<&Places, Error> {
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
        if let Some((name, _)) = self.derivation.given.iter().find(|(name, _)| !action.fields().any(|field| field.name == *name)) {
            return Err(fault(format!("gives `{name}`, an input that {} does not have", action.key)).with_hint("Correct `given`."));
        }
        let is_named = |field: &Field| Some(field.name) == term || self.derivation.given.iter().any(|(name, _)| *name == field.name);
        let is_given = |field: &&Field| !field.shape.required || is_named(field) || is_limit(field);
        if let Some(field) = action.fields().find(|field| !is_given(field)) {
            let hint = "Name an action that needs no such input, or write the data source by hand: `by_hand`.";
            return Err(fault(format!("does not give `{}`, which {} requires", field.name, action.key)).with_hint(hint));
        }
        self.find_place(action).map_err(|missing| match missing {
            Missing::List => fault(format!("finds no list of records in what {} returns", action.key))
                .with_hint("Declare the list: `returns(Vec<Record>)`, or a record with one member that is a list."),
            Missing::Member(path, known) if known.is_empty() && self.derivation.within == Some(path) => {
                fault(format!("looks for choices in the member `{path}`, which is no list of records in what {} returns", action.key))
                    .with_hint("Name a member that is declared as `Vec<Record>`.")
            }
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

    /// Finds where the records lie, and checks that they have the members that the data source names.
    fn find_place(&self, action: &'static Declaration) -> Result<RecordPlace, Missing> {
        let Derivation { within, finding, .. } = self.derivation;
        let of_choice: Vec<&'static str> = self.derivation.choice_paths().collect();
        // A record that a search finds is read before it is compared.
        let deciding = self
            .derivation
            .deciding_paths()
            .filter(|_| finding == Finding::InKeptList)
            .chain(self.declaration.own.iter().map(|field| field.wire));
        let paths: Vec<&'static str> = match within {
            Some(_) => deciding.collect(),
            None => of_choice.iter().copied().chain(deciding).collect(),
        };
        let place = RecordPlace::find(action, &paths)?;
        if finding == Finding::InKeptList && place != RecordPlace::default() {
            return Err(Missing::List);
        }
        match within.map(|within| (within, place.find_missing_part(&action.returns, within, &of_choice))) {
            Some((within, Some(Missing::List))) => Err(Missing::Member(within, Vec::new())),
            Some((_, Some(missing))) => Err(missing),
            _ => Ok(place),
        }
    }

    fn read_choices(&self, action: &Declaration, place: &RecordPlace, data: &RawJson) -> Result<Vec<Choice>, Error> {
        let records = place.read(data).map_err(|error| {
            let message = format!("The answer to {}, the list to choose from, has no records where they are declared.", action.key);
            Error::new(ErrorKind::BadAnswer, message).with_retry(Retry::Never).with_source(error)
        })?;
        self.make_choices(&records)
    }

    fn make_choices(&self, records: &[&RawValue]) -> Result<Vec<Choice>, Error> {
        let value = self.derivation.value;
        let choices: Vec<Choice> =
            records.iter().map(|record| Choice { key: read_text(record, value), label: self.write_label(record) }).collect();
        if choices.iter().any(|choice| choice.key.is_empty()) {
            return Err(Error::new(ErrorKind::BadAnswer, "A record of the list to choose from has no ID."));
        }
        Ok(choices)
    }

    /// Lists a page of the choices that a list which the account defines has.
    async fn list_kept(&self, call: &Call<'_>) -> Result<Choices, Stop> {
        let input = call.input();
        let place = match input.get(CURSOR).and_then(Value::as_str).map(KeptPlace::read) {
            Some(Err((value, example))) => {
                let fault = Fault::at(format!("/{CURSOR}"), FaultCode::WrongForm { value, example });
                return Err(Error::invalid_input(self.declaration.key, vec![fault]).into());
            }
            Some(Ok(place)) => Some(place),
            None => None,
        };
        let lister = (self.derivation.list)();
        let of = self.list_of();
        if call.session.is_dry_run() {
            let given = of.input.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            call.send(Request::build(lister, &given, &Files::default())).await?;
        }
        let list = call.definitions(of).await?;
        let choices = self.choose(list.records(), input)?;
        let keys = choices.iter().map(|choice| choice.key.as_str());
        let from = place.map_or(0, |place| place.find_start(keys));
        let limit = input.get(LIMIT).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL_CHOICES);
        let to = choices.len().min(from + limit);
        let next = choices[..to].last().filter(|_| to < choices.len()).map(|last| KeptPlace::write(to, &last.key));
        Ok(Choices { may_go_on: next.is_some(), next, choices: choices[from..to].to_vec() })
    }

    /// Chooses among the records of a whole list: those that the declaration and the input ask for, in order.
    fn choose(&self, records: Vec<&RawValue>, input: &Map<String, Value>) -> Result<Vec<Choice>, Error> {
        let mut records = self.select(records, input);
        sort_records(&mut records, self.derivation.order);
        let mut choices = self.make_choices(&records)?;
        let words = SearchWords::split(input.get(SEARCH).and_then(Value::as_str).unwrap_or_default());
        choices.retain(|choice| words.occur_in(&choice.label));
        Ok(choices)
    }

    /// Selects the records of a whole list that the declaration and the input ask for, or their parts.
    pub(super) fn select<'r>(&self, mut records: Vec<&'r RawValue>, input: &Map<String, Value>) -> Vec<&'r RawValue> {
        let Derivation { within, only, except, .. } = self.derivation;
        let own = self.declaration.own.iter();
        let asked: Vec<(&str, String)> = own.filter_map(|field| Some((field.wire, write_text(input.get(field.name)?)))).collect();
        let asked: Vec<(&str, &str)> = asked.iter().map(|(path, value)| (*path, value.as_str())).collect();
        records.retain(|record| has_members(record, only) && has_members(record, &asked) && !has_member(record, except));
        match within {
            Some(within) => records.into_iter().flat_map(|record| read_parts(record, within)).collect(),
            None => records,
        }
    }

    /// Returns the list of definitions whose records are the choices.
    pub(super) fn list_of(&self) -> ListOf {
        ListOf { list: (self.derivation.list)().key, input: self.derivation.given }
    }

    pub(super) fn derivation(&self) -> &Derivation {
        &self.derivation
    }

    /// Checks that a word names a choice in place of its value.
    pub(super) fn takes_word(&self, word: &str) -> bool {
        self.derivation.named.iter().any(|(known, _)| *known == word) || (word == ME && self.derivation.me.is_some())
    }

    /// Returns the noun for a choice.
    pub(super) fn noun(&self) -> &'static str {
        let label = self.declaration.label;
        label.strip_prefix("Select ").unwrap_or(label)
    }

    /// Writes the text of a choice.
    pub(super) fn write_label(&self, record: &RawValue) -> String {
        fill_template(self.derivation.text, |path| read_text(record, path))
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
        let search = match self.derivation.finding {
            Finding::InKeptList => {
                let own = std::iter::once(&SEARCH_IN_LIST).chain(self.declaration.own);
                return own.chain([&CURSOR_OF_CHOICES, &LIMIT_OF_CHOICES]).collect();
            }
            Finding::InPages => Some(&SEARCH_IN_PAGES),
            Finding::AtVendor => search.map(|_| &SEARCH_AT_VENDOR),
        };
        search.into_iter().chain(pages.then_some(&CURSOR_OF_CHOICES)).chain(limit).collect()
    }

    fn check(&self) -> Result<(), Error> {
        self.places().map(drop)
    }

    fn lister(&self, input: &Map<String, Value>) -> Option<&'static Declaration> {
        // The pages of a list that is kept are ours.
        if self.derivation.finding == Finding::InKeptList {
            return None;
        }
        let search = self.derivation.search.filter(|_| input.contains_key(SEARCH));
        Some(search.map_or_else(self.derivation.list, |search| search()))
    }

    fn is_sent(&self, field: &Field) -> bool {
        match self.derivation.finding {
            Finding::AtVendor => true,
            Finding::InPages => field.name != SEARCH,
            Finding::InKeptList => false,
        }
    }

    fn may_have_empty_pages(&self) -> bool {
        self.derivation.finding == Finding::InPages
    }

    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop> {
        let places = self.places()?;
        if self.derivation.finding == Finding::InKeptList {
            return self.list_kept(call).await;
        }
        let mut input = call.input().clone();
        let term = input.shift_remove(SEARCH);
        let words = SearchWords::split(term.as_ref().and_then(Value::as_str).unwrap_or_default());
        let searched = self.derivation.search.zip(term);
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
        let response = if searches { call.send_instead(request).await? } else { call.send(request).await? };
        let answer = response.into_answer(action)?;
        let mut choices = self.read_choices(action, place, &answer.data)?;
        if self.derivation.finding == Finding::InPages {
            choices.retain(|choice| words.occur_in(&choice.label));
        }
        let may_go_on = answer.page.as_ref().is_some_and(|page| !page.complete);
        Ok(Choices { choices, next: answer.page.and_then(|page| page.next), may_go_on })
    }
}

/// Writes a value as a record's member is compared.
fn write_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
