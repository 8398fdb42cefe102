//! Data sources: the choices that fill an input, listed or searched.

use std::fmt;

use async_trait::async_trait;
use serde_json::value::RawValue;

use crate::declare::connector::Connector;
use crate::declare::data_source::DeclaredSource;
use crate::declare::field::{Field, Place};
use crate::declare::page::{CURSOR_OF_CHOICES, is_limit};
use crate::declare::shape::FieldShape;
use crate::exchange::files::Files;
use crate::exchange::request::Request;
use crate::runtime::call::Call;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::fault::Fault;
use crate::value::outcome::{Answer, Page};
use crate::value::raw_json::{RawJson, read_members};

/// A data source in the catalogue.
#[async_trait]
pub trait DataSource: fmt::Debug + Send + Sync {
    /// Returns the stable key: `selectDeal`.
    fn key(&self) -> &'static str;
    /// Returns the name to show.
    fn label(&self) -> &'static str;
    /// Returns a sentence that says what it offers.
    fn description(&self) -> &'static str;
    /// Returns the file and line of the declaration.
    fn line(&self) -> &'static str;
    /// Returns the connector.
    fn connector(&self) -> &'static Connector;
    /// Lists the inputs.
    fn fields(&self) -> Vec<&'static Field>;
    /// Lists one page of choices.
    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop>;
}

/// A page of choices.
#[derive(Debug, Default)]
pub struct Choices {
    /// The choices of the page.
    pub choices: Vec<Choice>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A choice: the value, and the text to show for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Choice {
    /// The value to give to the input.
    pub key: String,
    /// The text to show.
    pub label: String,
}

static SEARCH: Field = Field {
    name: "search",
    wire: "search",
    place: Place::Own,
    doc: "Text to look for. Left out, all records are offered.",
    source: None,
    overrides: &[],
    instead_of: None,
    shape: FieldShape::from_type::<Option<String>>(),
};

#[async_trait]
impl DataSource for DeclaredSource {
    fn key(&self) -> &'static str {
        self.key
    }

    fn label(&self) -> &'static str {
        self.label
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn line(&self) -> &'static str {
        self.line
    }

    fn connector(&self) -> &'static Connector {
        self.connector
    }

    fn fields(&self) -> Vec<&'static Field> {
        let limit = (self.list)().fields().find(|field| is_limit(field));
        [&SEARCH, &CURSOR_OF_CHOICES].into_iter().chain(limit).collect()
    }

    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop> {
        let mut input = call.input().clone();
        let term = input.shift_remove("search");
        let searches = term.is_some();
        input.extend(term.map(|term| ("term".to_owned(), term)));
        let declaration = if searches { (self.search)() } else { (self.list)() };
        // A rule of the search refers to its term, which the caller gave as `search`.
        let faults: Vec<Fault> =
            declaration.rules().filter_map(|rule| rule.find_fault(&input)).map(|fault| fault.moved_to("/search")).collect();
        if !faults.is_empty() {
            return Err(Error::invalid_input(self.key, faults).into());
        }
        let request = Request::build(declaration, &input, &Files::default());
        let response = if searches { call.send_helper(request).await? } else { call.send(request).await? };
        let answer = response.into_answer(declaration)?;
        let next = answer.page.and_then(|page| page.next);
        Ok(Choices { choices: self.read_choices(&answer.data)?, next })
    }
}

impl DeclaredSource {
    fn read_choices(&self, data: &RawJson) -> Result<Vec<Choice>, Error> {
        let unread =
            |error: serde_json::Error| Error::new(ErrorKind::BadAnswer, "The list to choose from cannot be read.").with_source(error);
        let data: &RawValue = serde_json::from_str(data.as_str()).map_err(unread)?;
        if data.get() == "null" {
            return Ok(Vec::new());
        }
        let (list, record) = self.connector.envelope.search.unwrap_or_default();
        // A search answers an object with a list whose items hold the records.
        let found = find_member(data, list);
        let items: Vec<&RawValue> = serde_json::from_str(found.unwrap_or(data).get()).map_err(unread)?;
        let records = items.into_iter().map(|item| found.and_then(|_| find_member(item, record)).unwrap_or(item));
        let text = |record, name: &str| find_member(record, name).map_or_else(String::new, to_text);
        let choices: Vec<Choice> = records
            .map(|record| Choice { key: text(record, "id"), label: fill_template(self.choice, |name| text(record, name)) })
            .collect();
        if choices.iter().any(|choice| choice.key.is_empty()) {
            return Err(Error::new(ErrorKind::BadAnswer, "A record of the list to choose from has no ID."));
        }
        Ok(choices)
    }
}

/// Finds a member of an object.
fn find_member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    read_members(object).into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

impl Choices {
    pub(crate) fn into_answer(self) -> Answer {
        let page = Page { count: self.choices.len() as u64, complete: self.next.is_none(), next: self.next };
        Answer { data: RawJson::from_value(&self.choices), page: Some(page), extra: Vec::new() }
    }
}

/// Writes a text without quotes, null as nothing, and any other value as JSON.
fn to_text(raw: &RawValue) -> String {
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => text,
        Err(_) if raw.get() == "null" => String::new(),
        Err(_) => raw.get().to_owned(),
    }
}

/// Replaces each `{name}` of a template.
fn fill_template(template: &str, member: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&member(name));
        rest = after;
    }
    out + rest
}
