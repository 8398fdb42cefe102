//! Data sources: the choices that fill an input, listed or searched.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::data_source::SourceDeclaration;
use crate::declare::field::Field;
use crate::runtime::call::Call;
use crate::runtime::operation::Runnable;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::outcome::{Answer, Page};
use crate::value::raw_json::RawJson;

/// A data source in the catalogue, which does not distinguish those made of actions from code.
#[async_trait]
pub trait DataSource: Any + Runnable + fmt::Debug + Send + Sync {
    /// Returns the declaration.
    fn declaration(&self) -> &'static SourceDeclaration;
    /// Lists the inputs.
    fn fields(&self) -> Vec<&'static Field>;
    /// Checks what the compiler cannot: that the actions have what the data source reads of them.
    fn check(&self) -> Result<(), Error>;
    /// Returns the action whose records are the choices for an input, if there is one.
    fn lister(&self, _input: &Map<String, Value>) -> Option<&'static Declaration> {
        None
    }
    /// Checks that the vendor is given an input. Another one chooses among what it answered.
    fn is_sent(&self, _field: &Field) -> bool {
        true
    }
    /// Checks that a page may have no choice although more follow.
    fn may_have_empty_pages(&self) -> bool {
        false
    }
    /// Lists one page of choices.
    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop>;
}

/// A data source that needs code. Its inputs are read into the struct, and `list_choices` does the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no code that lists its choices",
    note = "write `impl ChoiceHandler for {Self}`, or make the choices of an action by `list(Action)` in place of `by_hand`"
)]
#[async_trait]
pub trait ChoiceHandler: DeserializeOwned + Send {
    /// Lists one page of choices. It sends all requests through `call`.
    async fn list_choices(self, call: &Call<'_>) -> Result<Choices, Stop>;
}

/// A page of choices.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Choices {
    /// The choices of the page.
    pub choices: Vec<Choice>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// `true` if more choices may follow, with a next page or without one.
    pub may_go_on: bool,
}

/// A choice: the value, and the text to show for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// The value to give to the input.
    pub key: String,
    /// The text to show.
    pub label: String,
}

impl Choice {
    /// Builds a choice from its value and its text.
    pub fn new(key: impl Into<String>, label: impl Into<String>) -> Self {
        Self { key: key.into(), label: label.into() }
    }
}

impl Choices {
    /// Sets the cursor of the next page.
    #[must_use]
    pub fn with_next(mut self, cursor: impl Into<String>) -> Self {
        (self.next, self.may_go_on) = (Some(cursor.into()), true);
        self
    }
}

impl FromIterator<Choice> for Choices {
    fn from_iter<I: IntoIterator<Item = Choice>>(choices: I) -> Self {
        Self { choices: choices.into_iter().collect(), ..Self::default() }
    }
}

/// A data source that a [`ChoiceHandler`] runs.
pub struct HandledSource<H>(&'static SourceDeclaration, PhantomData<fn() -> H>);

impl<H> HandledSource<H> {
    /// Builds the data source from its declaration.
    pub const fn new(declaration: &'static SourceDeclaration) -> Self {
        Self(declaration, PhantomData)
    }
}

impl<H> Runnable for HandledSource<H> {}

impl<H> fmt::Debug for HandledSource<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandledSource").field(&self.0.key).finish()
    }
}

#[async_trait]
impl<H: ChoiceHandler + 'static> DataSource for HandledSource<H> {
    fn declaration(&self) -> &'static SourceDeclaration {
        self.0
    }

    fn fields(&self) -> Vec<&'static Field> {
        self.0.own.iter().collect()
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn list_choices(&self, call: &Call<'_>) -> Result<Choices, Stop> {
        let handler = H::deserialize(call.input()).map_err(|error| {
            Error::new(ErrorKind::Bug, format!("The input of {} fits its schema, and its code cannot read it.", self.0.key))
                .with_source(error)
        })?;
        handler.list_choices(call).await
    }
}

impl Choices {
    pub(crate) fn into_answer(self) -> Answer {
        let page =
            Page { count: self.choices.len() as u64, complete: self.next.is_none() && !self.may_go_on, next: self.next, pages_after: None };
        Answer { data: RawJson::from_value(&self.choices), page: Some(page), extra: Vec::new() }
    }
}
