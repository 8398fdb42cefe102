//! Declarations of actions.

use std::sync::OnceLock;

use crate::declare::answer::Envelope;
use crate::declare::connector::Connector;
use crate::declare::field::{Field, Place};
use crate::declare::input_value::InputValue;
use crate::declare::match_key::{MatchKey, MatchKind};
use crate::declare::method::{Effect, Endpoint, Method};
use crate::declare::page::Paging;
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, ValueKind};

/// A declaration of an action. The macro writes it as a static.
#[derive(Debug)]
#[non_exhaustive]
pub struct Declaration {
    /// The stable key: `getDeal`.
    pub key: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// A sentence that says what the action does.
    pub description: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// The resource, if it is not the module's name.
    pub resource: Option<&'static str>,
    /// The file and line of the declaration, which the error about a key declared twice names.
    pub line: &'static str,
    /// The connector of the action.
    pub connector: &'static Connector,
    /// The endpoint; a handler may have none.
    pub endpoint: Option<Endpoint>,
    /// The scopes, any one of which suffices.
    pub scopes: &'static [&'static str],
    /// The lists of scopes of an action that needs several: one scope of each list.
    pub scopes_all: &'static [&'static [&'static str]],
    /// The cost of one call, in tokens of the daily budget.
    pub cost: Option<u32>,
    /// The idempotence of the action, where it differs from that of the method.
    pub idempotent: Option<bool>,
    /// `true` for an action that changes nothing, whatever its method: a search by POST.
    pub reads: bool,
    /// `true` for a POST that changes a record. As in a PATCH, null clears a value, and a repetition changes nothing.
    pub changes: bool,
    /// `true` for an action that destroys, whatever its method.
    pub destructive: bool,
    /// The replacement of an action that the vendor removed. Such an action makes no call.
    pub removed: Option<&'static str>,
    /// The rules between inputs.
    pub rules: &'static [Rule],
    /// The inputs that the action declares itself.
    pub own: &'static [Field],
    /// The groups of inputs that the action takes beside its own.
    pub with: &'static [&'static [Field]],
    /// The action whose inputs this one takes too.
    pub like: Option<fn() -> &'static Declaration>,
    /// The inputs that this one does not take, of that action or of the documents, each with the reason.
    pub without: &'static [(&'static str, &'static str)],
    /// The inputs that the flat view gives where the caller does not, each with its value.
    pub when_flat: &'static [(&'static str, InputValue)],
    /// The way in which the list pages, where it is not the first of the connector's that fits.
    pub paging: Option<&'static Paging>,
    /// The shape of the response body, where it is not the connector's.
    pub envelope: Option<&'static Envelope>,
    /// The list in which a record that the action added is found again.
    pub found_in: Option<FoundIn>,
    /// The action that reads the record which this one changes or removes, by the same ID.
    pub record: Option<fn() -> &'static Declaration>,
    /// The actions of which this one is made, if it changes a record or adds one.
    pub upsert: Option<&'static Upsert>,
    /// The shape of the answer.
    pub returns: FieldShape,
    pub(crate) derived: OnceLock<Derived>,
}

/// The parts that follow from the inputs of a declaration.
///
/// They are found once, since each call asks for them several times.
#[derive(Debug)]
pub(crate) struct Derived {
    fields: Box<[&'static Field]>,
    rules: Box<[&'static Rule]>,
    paging: Option<&'static Paging>,
}

/// An upsert: it changes the record that has some values, or adds one that has them.
///
/// Its inputs are `matchBy`, and inputs of the action that adds. One that the other action does not take counts for a record that is added.
#[derive(Debug)]
#[non_exhaustive]
pub struct Upsert {
    /// The key of the data source that finds records by a search and reads each of them.
    pub source: &'static str,
    /// The action that adds a record.
    pub add: fn() -> &'static Declaration,
    /// The action that changes a record.
    pub update: fn() -> &'static Declaration,
    /// The values by which a record can be found.
    pub keys: &'static [MatchKey],
}

/// The list in which a record that an action added is found again, after the answer was lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FoundIn {
    /// The action that lists the records.
    pub list: fn() -> &'static Declaration,
    /// The input of that action that leaves out what was last changed before a time.
    pub since: &'static str,
    /// The member of a record that has the time at which it was added, in UTC.
    pub created: &'static str,
    /// The member of a record that has the ID of the user who added it.
    pub creator: &'static str,
}

/// A struct under one of the macros. Nothing else implements the traits above it, so they may grow.
#[doc(hidden)]
pub trait MadeByMacro {}

/// A struct under `#[action]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not an action", note = "name a struct that stands under #[action]")]
pub trait Declares: MadeByMacro {
    /// Returns the declaration.
    fn declaration() -> &'static Declaration;
}

/// A struct under `#[inputs]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no group of inputs", note = "name a struct that stands under #[inputs]")]
pub trait Inputs: MadeByMacro {
    /// The inputs, sent in the query.
    const QUERY: &'static [Field];
    /// The inputs, sent in the body of an action that adds a record.
    const ADD: &'static [Field];
    /// The inputs, sent in the body of an action that changes a record.
    const UPDATE: &'static [Field];
}

/// Chooses the inputs of a group for an action of a method.
pub const fn choose_inputs<G: Inputs>(method: Option<Method>) -> &'static [Field] {
    match method {
        Some(Method::Post) => G::ADD,
        Some(Method::Put | Method::Patch) => G::UPDATE,
        Some(Method::Head | Method::Get | Method::Delete) | None => G::QUERY,
    }
}

impl Declaration {
    /// Lists the inputs in the order of the manifest: its own, then those of the action that it is like.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<'_> {
        self.derived().fields.iter().copied()
    }

    /// Lists the rules between inputs: those it declares, and those that follow from its inputs.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<'_> {
        self.derived().rules.iter().copied()
    }

    /// Finds how the action pages, if it answers a list by pages.
    pub fn paging(&self) -> Option<&'static Paging> {
        self.derived().paging
    }

    fn derived(&self) -> &Derived {
        self.derived.get_or_init(|| {
            let takes = |paging: &&'static Paging| self.paging_fields().any(|field| paging.is_parameter(field));
            let paging = self.paging.or_else(|| self.connector.paging.iter().find(takes));
            let fields: Box<[&'static Field]> = self.all_fields().chain(paging.and_then(Paging::own_cursor)).collect();
            let alternatives = fields.iter().filter_map(|field| field.instead_of.as_ref());
            let rules = self.rules.iter().chain(paging.and_then(Paging::rule)).chain(alternatives).collect();
            Derived { fields, rules, paging }
        })
    }

    /// Lists its own inputs, then those of the action that it is like.
    fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let (without, own) = (self.without, self.own_fields());
        // A path variable of the other action names a record of the other action.
        let is_taken = move |field: &&Field| {
            field.place != Place::Path
                && !own.clone().any(|other| other.name == field.name)
                && !without.iter().any(|(name, _)| *name == field.name)
        };
        self.own_fields().chain(self.like_fields().filter(is_taken))
    }

    /// Lists its own inputs, and those of its groups that it does not declare itself.
    fn own_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let own = self.own;
        let of_groups = self.with.iter().copied().flatten();
        own.iter().chain(of_groups.filter(move |field| !own.iter().any(|other| other.name == field.name)))
    }

    /// Lists the inputs of the action that it is like.
    fn like_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.like.into_iter().flat_map(|like| like().own_fields())
    }

    /// Lists the inputs that can show how the action pages.
    fn paging_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.own_fields().chain(self.like_fields())
    }

    /// Returns the effect on the vendor's data.
    pub fn effect(&self) -> Effect {
        match self.endpoint.map(|endpoint| endpoint.method) {
            _ if self.destructive => Effect::Destructive,
            // An action that was removed makes no call.
            _ if self.removed.is_some() || self.reads => Effect::Read,
            Some(method) => method.effect(),
            None => Effect::Write,
        }
    }

    /// Returns the name of the status in the contract.
    pub(crate) const fn status(&self) -> &'static str {
        if self.removed.is_some() { "removed" } else { "live" }
    }

    /// Checks that the record which the action names is gone after it.
    pub fn removes_record(&self) -> bool {
        self.record.is_some() && self.effect() == Effect::Destructive
    }

    /// Checks that the action adds a record, or something to one: there is nothing that it changes.
    pub fn adds(&self) -> bool {
        self.effect() != Effect::Read && !self.changes && self.endpoint.is_some_and(|endpoint| endpoint.method == Method::Post)
    }

    /// Checks that any number of calls leaves the same end state.
    pub fn is_idempotent(&self) -> bool {
        let by_method = self.upsert.is_some()
            || self.removed.is_some()
            || self.reads
            || self.changes
            || self.endpoint.is_some_and(|endpoint| endpoint.method != Method::Post);
        self.idempotent.unwrap_or(by_method)
    }

    /// Returns the resource: as declared, else the module below `rooms`, else the last module.
    ///
    /// In a crate of one module it is the connector's key.
    pub fn resource(&self) -> &'static str {
        let mut below_rooms = self.module.split("::").skip_while(|segment| *segment != "rooms").skip(1);
        let last = || self.module.rsplit_once("::").map(|(_, last)| last);
        self.resource.or_else(|| below_rooms.next()).or_else(last).unwrap_or(self.connector.key)
    }

    /// Lists the lists of scopes, of each of which one is needed. Most actions have one list or none.
    pub fn scope_lists(&self) -> impl Iterator<Item = &'static [&'static str]> + use<> {
        let own = Some(self.scopes).filter(|scopes| !scopes.is_empty());
        own.into_iter().chain(self.scopes_all.iter().copied())
    }

    /// Returns the shape of the response body.
    pub fn envelope(&self) -> &'static Envelope {
        self.envelope.unwrap_or(&self.connector.envelope)
    }

    /// Checks that the action answers a list.
    pub fn is_list(&self) -> bool {
        self.returns.kind == ValueKind::List || self.paging().is_some()
    }

    /// Finds the input that is sent under the name `wire`.
    pub fn field_on_wire(&self, wire: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.wire == wire && field.instead_of.is_none())
    }
}

impl Upsert {
    /// Builds an upsert from its data source, the actions that add and change, and the values that find a record.
    pub const fn new(
        source: &'static str,
        add: fn() -> &'static Declaration,
        update: fn() -> &'static Declaration,
        keys: &'static [MatchKey],
    ) -> Self {
        Self { source, add, update, keys }
    }

    /// Lists the words by which `matchBy` names a value of every account.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().filter(|key| !matches!(key.kind, MatchKind::Custom(_) | MatchKind::Refused(_))).map(|key| key.word)
    }

    /// Finds the key of custom fields.
    pub(crate) fn find_custom(&self) -> Option<&'static MatchKey> {
        self.keys.iter().find(|key| matches!(key.kind, MatchKind::Custom(_)))
    }
}
