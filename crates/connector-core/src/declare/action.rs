//! An action as it is declared.

use crate::declare::connector::Connector;
use crate::declare::field::{Field, Place};
use crate::declare::method::{Effect, Endpoint, Method};
use crate::declare::page::{self, Paging};
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, ValueKind};

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

/// A struct under `#[action]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not an action", note = "name a struct that stands under #[action]")]
pub trait Declares {
    /// What is declared of it.
    fn declaration() -> &'static Declaration;
}

/// A struct under `#[inputs]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no group of inputs", note = "name a struct that stands under #[inputs]")]
pub trait Inputs {
    /// Its inputs as a query carries them.
    const QUERY: &'static [Field];
    /// Its inputs as the body of an action carries them that adds a record.
    const ADD: &'static [Field];
    /// Its inputs as the body of an action carries them that changes a record.
    const UPDATE: &'static [Field];
}

impl Declaration {
    /// The inputs, in the order in which they are shown: its own, and those of the action that it is like.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let (without, own) = (self.without, self.own_fields());
        // What stands in the other's path names its record, not this one's.
        let is_taken = move |field: &&Field| {
            field.place != Place::Path
                && !own.clone().any(|other| other.name == field.name)
                && !without.iter().any(|(name, _)| *name == field.name)
        };
        let by_start = self.paging_fields().any(page::is_start);
        self.own_fields().chain(self.like_fields().filter(is_taken)).chain(by_start.then_some(&page::CURSOR_OVER_START))
    }

    /// Its own inputs, and those of its groups that it does not declare itself.
    fn own_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let own = self.own;
        let of_groups = self.with.iter().copied().flatten();
        own.iter().chain(of_groups.filter(move |field| !own.iter().any(|other| other.name == field.name)))
    }

    /// The inputs of the action that it is like.
    fn like_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.like.into_iter().flat_map(|like| like().own_fields())
    }

    /// All that tells how it pages.
    fn paging_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.own_fields().chain(self.like_fields())
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
        self.paging_fields().find_map(Paging::from_field)
    }

    /// Whether it answers a list.
    pub fn is_list(&self) -> bool {
        self.returns.kind == ValueKind::List || self.paging().is_some()
    }

    /// The field that travels as `wire`.
    pub fn field_on_wire(&self, wire: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.wire == wire)
    }
}
