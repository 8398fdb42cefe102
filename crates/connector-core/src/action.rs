//! An action: what is declared of it, and how it runs, by its declaration or by hand.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::connector::Connector;
use crate::field::{Field, FieldShape, Holds, Place};
use crate::page::{self, Paging};
use crate::runtime::Call;
use crate::value::error::{Error, ErrorKind, Fault};
use crate::value::outcome::Answer;
use crate::value::wording::list_names;

/// All that is declared of an action; the macro writes it as a static.
#[derive(Debug)]
pub struct Declaration {
    /// The stable key: `getDeal`.
    pub key: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// What it does, as a sentence.
    pub description: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// The file and line that declare it, for a complaint about a doubled key.
    pub line: &'static str,
    /// The connector that it belongs to.
    pub connector: &'static Connector,
    /// Where it goes; an action by hand may have none.
    pub endpoint: Option<Endpoint>,
    /// The scopes, any one of which suffices.
    pub scopes: &'static [&'static str],
    /// What one call costs of the daily budget.
    pub cost: Option<u32>,
    /// Whether any number of calls leaves the same end state, where the method does not say it.
    pub idempotent: Option<bool>,
    /// Whether it destroys, where the method does not say it.
    pub destructive: bool,
    /// What replaced it, where the vendor took it away: it makes no call.
    pub removed: Option<&'static str>,
    /// What must hold between inputs.
    pub rules: &'static [Rule],
    /// The inputs that it declares itself.
    pub own: &'static [Field],
    /// The groups of inputs that it takes beside its own.
    pub with: &'static [&'static [Field]],
    /// The action whose inputs it takes too.
    pub like: Option<fn() -> &'static Declaration>,
    /// Which of those it does not take, and why.
    pub without: &'static [(&'static str, &'static str)],
    /// What comes back.
    pub returns: FieldShape,
}

/// Where an action goes.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with its version and its variables in braces.
    pub path: &'static str,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// What an action does to the vendor's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// It adds or changes.
    Write,
    /// It removes.
    Destructive,
}

/// What must hold between inputs.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// At least one of these is given.
    AnyOf(&'static [&'static str]),
    /// No two of these are given.
    AtMostOne(&'static [&'static str]),
    /// A text has a least length, unless a flag is true.
    Shortest {
        /// The text.
        input: &'static str,
        /// Its least length.
        length: usize,
        /// The flag.
        unless: &'static str,
    },
    /// An input is set beside some values of another alone; null is not set.
    OnlyWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that allow it.
        values: &'static [&'static str],
        /// The value that the vendor takes where the other input is left out; without one it is unknown.
        default: Option<&'static str>,
    },
    /// An input is required beside some values of another, and not null.
    RequiredWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that require it.
        values: &'static [&'static str],
    },
    /// An input is not null beside some values of another; it may be left out.
    NotNullWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that refuse null.
        values: &'static [&'static str],
    },
}

/// A struct under `#[action]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not an action", note = "name a struct that stands under #[action]")]
pub trait Declares {
    /// What is declared of it.
    fn declaration() -> &'static Declaration;
}

/// A struct under `#[inputs]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no group of inputs", note = "name a struct that stands under #[inputs]")]
pub trait Inputs {
    /// Its inputs.
    const FIELDS: &'static [Field];
}

/// An action as the catalogue holds it, which cannot tell a declared one from one by hand.
#[async_trait]
pub trait Action: fmt::Debug + Send + Sync {
    /// What is declared of it.
    fn declaration(&self) -> &'static Declaration;
    /// Runs it.
    async fn run(&self, call: &Call<'_>) -> Result<Answer, Error>;
}

/// An action that needs code: its fields are read into the struct, and `run` does the rest through the call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has neither an endpoint nor code",
    note = "give #[action] an endpoint, as `get(\"/api/v2/deals\")`, or write `impl Handler for {Self}`"
)]
#[async_trait]
pub trait Handler: DeserializeOwned + Send {
    /// Runs it; all that it sends goes through `call`.
    async fn run(self, call: &Call<'_>) -> Result<Answer, Error>;
}

/// An action that is its declaration: one request, one answer.
#[derive(Debug)]
pub struct Declared(&'static Declaration);

/// An action that names its endpoint and leaves to code how it gets there.
pub struct Coded(&'static Declaration, Code);

/// The code of such an action.
pub type Code = for<'a> fn(&'a Call<'_>, &'static Declaration) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;

/// An action written by hand.
pub struct ByHand<H>(&'static Declaration, PhantomData<fn() -> H>);

impl Declared {
    /// The action of a declaration that has an endpoint.
    pub const fn new(declaration: &'static Declaration) -> Self {
        Self(declaration)
    }
}

impl Coded {
    /// The action of a declaration and its code.
    pub const fn new(declaration: &'static Declaration, code: Code) -> Self {
        Self(declaration, code)
    }
}

impl fmt::Debug for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Coded").field(&self.0.key).finish()
    }
}

impl<H> ByHand<H> {
    /// The action of a declaration and its handler.
    pub const fn new(declaration: &'static Declaration) -> Self {
        Self(declaration, PhantomData)
    }
}

impl<H> fmt::Debug for ByHand<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ByHand").field(&self.0.key).finish()
    }
}

#[async_trait]
impl Action for Declared {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let request = call.request(self.0);
        if self.0.returns.is_file() {
            return call.download(request).await;
        }
        call.send(request).await?.into_answer(self.0)
    }
}

#[async_trait]
impl Action for Coded {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Error> {
        (self.1)(call, self.0).await
    }
}

#[async_trait]
impl<H: Handler> Action for ByHand<H> {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let handler = H::deserialize(call.input()).map_err(|error| {
            Error::new(ErrorKind::Bug, format!("The input of {} passed its schema and was not read.", self.0.key)).with_source(error)
        })?;
        handler.run(call).await
    }
}

impl Declaration {
    /// The inputs, in the order in which they are shown: its own, and those of the action that it is like.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let (without, declared) = (self.without, self.declared());
        // What stands in the other's path names its record, not this one's.
        let taken = move |field: &&Field| {
            field.place != Place::Path
                && !declared.clone().any(|other| other.name == field.name)
                && !without.iter().any(|(name, _)| *name == field.name)
        };
        let by_start = self.told().any(Field::is_start);
        self.declared().chain(self.of_the_other().filter(taken)).chain(by_start.then_some(&page::CURSOR_OVER_START))
    }

    /// Its own inputs, and those of its groups that it does not declare itself.
    fn declared(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let own = self.own;
        let of_groups = self.with.iter().copied().flatten();
        own.iter().chain(of_groups.filter(move |field| !own.iter().any(|other| other.name == field.name)))
    }

    /// The inputs of the action that it is like.
    fn of_the_other(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.like.into_iter().flat_map(|like| like().declared())
    }

    /// All that tells how it pages.
    fn told(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.declared().chain(self.of_the_other())
    }

    /// What must hold between inputs: what it says itself, and what follows from how it pages.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<> {
        let by_start = self.paging() == Some(Paging::Start);
        self.rules.iter().chain(by_start.then_some(&page::START_OR_CURSOR))
    }

    /// What it does to the vendor's data.
    pub fn effect(&self) -> Effect {
        match self.endpoint.map(|endpoint| endpoint.method) {
            _ if self.destructive => Effect::Destructive,
            // It makes no call.
            _ if self.removed.is_some() => Effect::Read,
            Some(method) => method.effect(),
            None => Effect::Write,
        }
    }

    /// Whether any number of calls leaves the same end state.
    pub fn is_idempotent(&self) -> bool {
        let by_method = self.removed.is_some() || self.endpoint.is_some_and(|endpoint| endpoint.method != Method::Post);
        self.idempotent.unwrap_or(by_method)
    }

    /// The room that declares it: the module below `rooms`, else the last one.
    pub fn resource(&self) -> &'static str {
        let mut segments = self.module.split("::");
        match segments.find(|segment| *segment == "rooms").and_then(|_| segments.next()) {
            Some(room) => room,
            None => self.module.rsplit("::").next().unwrap_or(self.module),
        }
    }

    /// How it pages, where it answers a list by pages.
    pub fn paging(&self) -> Option<Paging> {
        self.told().find_map(|field| match field.wire {
            _ if field.is_start() => Some(Paging::Start),
            "cursor" if field.place == Place::Query => Some(Paging::Cursor),
            _ => None,
        })
    }

    /// Whether it answers a list.
    pub fn is_list(&self) -> bool {
        self.returns.holds == Holds::List || self.paging().is_some()
    }

    /// The field that travels as `wire`.
    pub fn field_on_wire(&self, wire: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.wire == wire)
    }
}

impl Method {
    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// What it does to data.
    pub const fn effect(self) -> Effect {
        match self {
            Self::Get => Effect::Read,
            Self::Delete => Effect::Destructive,
            Self::Post | Self::Put | Self::Patch => Effect::Write,
        }
    }
}

impl Effect {
    /// Its name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

impl Rule {
    /// At least one of these is given.
    pub const fn any_of(inputs: &'static [&'static str]) -> Self {
        Self::AnyOf(inputs)
    }

    /// No two of these are given.
    pub const fn at_most_one(inputs: &'static [&'static str]) -> Self {
        Self::AtMostOne(inputs)
    }

    /// The text `input` has at least `length` characters, unless the flag is true.
    pub const fn shortest(input: &'static str, length: usize, unless: &'static str) -> Self {
        Self::Shortest { input, length, unless }
    }

    /// Sets `input` only where `with` is one of `values`; `default` is its value where it is left out.
    pub const fn only_with(
        input: &'static str,
        with: &'static str,
        values: &'static [&'static str],
        default: Option<&'static str>,
    ) -> Self {
        Self::OnlyWith { input, with, values, default }
    }

    /// Requires `input` where `with` is one of `values`.
    pub const fn required_with(input: &'static str, with: &'static str, values: &'static [&'static str]) -> Self {
        Self::RequiredWith { input, with, values }
    }

    /// Refuses null for `input` where `with` is one of `values`.
    pub const fn not_null_with(input: &'static str, with: &'static str, values: &'static [&'static str]) -> Self {
        Self::NotNullWith { input, with, values }
    }

    /// What is wrong with an input by this rule.
    pub(crate) fn fault(&self, input: &Map<String, Value>) -> Option<Fault> {
        match *self {
            Self::AnyOf(names) => (!names.iter().any(|name| input.contains_key(*name)))
                .then(|| Fault::new("", format!("at least one of {} is required", list_names(names, "or")))),
            Self::AtMostOne(names) => {
                let given: Vec<&str> = names.iter().copied().filter(|name| input.contains_key(*name)).collect();
                (given.len() > 1).then(|| Fault::new(format!("/{}", given[1]), format!("{} exclude each other", list_names(&given, "and"))))
            }
            Self::Shortest { input: name, length, unless } => {
                let text = input.get(name)?.as_str()?;
                (text.chars().count() < length && input.get(unless) != Some(&Value::Bool(true)))
                    .then(|| Fault::new(format!("/{name}"), format!("{text:?} is shorter than {length} characters")))
            }
            Self::OnlyWith { input: name, with, values, default } => {
                input.get(name).filter(|value| !value.is_null())?;
                let given = input.get(with).and_then(Value::as_str);
                let other = given.or(default).filter(|other| !values.contains(other))?;
                let left_out = if given.is_some() { "" } else { "left out, " };
                let message = format!("can be set only where `{with}` is {}; {left_out}it is `{other}`", list_names(values, "or"));
                Some(Fault::new(format!("/{name}"), message))
            }
            Self::RequiredWith { input: name, with, values } => {
                let other = input.get(with)?.as_str().filter(|other| values.contains(other))?;
                input.get(name).is_none_or(Value::is_null).then(|| required_fault(name, with, other))
            }
            Self::NotNullWith { input: name, with, values } => {
                let other = input.get(with)?.as_str().filter(|other| values.contains(other))?;
                input.get(name)?.is_null().then(|| required_fault(name, with, other))
            }
        }
    }
}

fn required_fault(name: &str, with: &str, value: &str) -> Fault {
    Fault::new(format!("/{name}"), format!("is required where `{with}` is `{value}`"))
}
