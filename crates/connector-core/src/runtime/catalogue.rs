//! The catalogue of all actions and data sources that are linked in, sorted by key.

use std::any::Any;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::declare::action::{Declaration, Upsert};
use crate::declare::connector::Connector;
use crate::declare::field::{Field, Place, SourceInput};
use crate::declare::match_key::MATCH_BY;
use crate::declare::method::Effect;
use crate::exchange::choices::RecordPlace;
use crate::exchange::fields::plan::FieldPlan;
use crate::exchange::input::Checks;
use crate::exchange::plan::Plan;
use crate::exchange::record_form::RecordForm;
use crate::exchange::references::NamedField;
use crate::exchange::schema;
use crate::runtime::data_source::DataSource;
use crate::runtime::derived::DerivedSource;
use crate::runtime::operation::Action;
use crate::runtime::upsert::check::check_upsert;
use crate::value::error::{Error, ErrorKind};

/// A registration that a macro submits: a pointer, never a value.
#[derive(Clone, Copy, Debug)]
pub enum Registration {
    /// An action.
    Action(&'static dyn Action),
    /// A data source.
    DataSource(&'static dyn DataSource),
}

inventory::collect!(Registration);

/// The actions and data sources of the connectors that a host lists.
#[derive(Debug)]
pub struct Catalogue {
    connectors: Vec<&'static Connector>,
    entries: Vec<Entry>,
}

/// An action or data source, with checks that are compiled on first use.
#[derive(Debug)]
pub struct Entry {
    kind: EntryKind,
    checks: OnceLock<Checks>,
    named: OnceLock<Vec<NamedField>>,
    fields: OnceLock<Option<FieldPlan>>,
    flat: OnceLock<Plan>,
    record: OnceLock<Option<RecordForm>>,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EntryKind {
    /// An action.
    Action(&'static dyn Action),
    /// A data source.
    DataSource(&'static dyn DataSource),
}

impl Catalogue {
    /// Collects all that is linked in of these connectors.
    ///
    /// Fails on a key declared twice, since link order would choose, and on a data source that names what its actions do not have.
    /// A connector without a way to sign in must name its host.
    pub fn build(connectors: &[&'static Connector]) -> Result<Self, Error> {
        if let Some(connector) = connectors.iter().find(|connector| connector.is_open() && connector.host.is_none()) {
            let message = format!("{} declares no way to sign in, and no host.", connector.label);
            return Err(Error::new(ErrorKind::Bug, message).with_hint("Give `auth`; or `host`, if its API is open to all."));
        }
        let is_listed = |connector: &Connector| connectors.iter().any(|known| known.key == connector.key);
        Self::sort(connectors, inventory::iter::<Registration>().copied().filter(|registered| is_listed(registered.connector())))
    }

    pub(super) fn sort(connectors: &[&'static Connector], registered: impl Iterator<Item = Registration>) -> Result<Self, Error> {
        let mut entries: Vec<Entry> = registered.map(Entry::new).collect();
        entries.sort_by_key(|entry| (entry.key(), entry.connector().key));
        for pair in entries.windows(2) {
            if pair[0].key() == pair[1].key() && pair[0].connector().key == pair[1].connector().key {
                let message = format!("The key {} is declared twice: at {} and at {}.", pair[0].key(), pair[0].line(), pair[1].line());
                return Err(Error::new(ErrorKind::Bug, message).with_hint("Rename one of the two structs, or give it #[key(\"…\")]."));
            }
        }
        entries.iter().filter_map(Entry::declaration).try_for_each(check_paging)?;
        entries.iter().filter_map(Entry::declaration).try_for_each(check_found_in)?;
        entries.iter().filter_map(Entry::declaration).try_for_each(check_record)?;
        for entry in &entries {
            if let EntryKind::DataSource(source) = entry.kind {
                source.check()?;
            }
        }
        let catalogue = Self { connectors: connectors.to_vec(), entries };
        catalogue.entries.iter().try_for_each(|entry| catalogue.check_source_inputs(entry))?;
        catalogue.entries.iter().try_for_each(|entry| catalogue.check_upsert(entry))?;
        Ok(catalogue)
    }

    /// Checks that a data source has the inputs that it is given, and the entry the inputs that give them.
    fn check_source_inputs(&self, entry: &Entry) -> Result<(), Error> {
        let fields = entry.fields();
        for (field, (name, given)) in fields.iter().flat_map(|field| field.source_inputs.iter().map(move |given| (field, given))) {
            let source = self.find(Some(entry.connector().key), field.source.unwrap_or_default())?;
            let has = |fields: &[&Field], name: &str| fields.iter().any(|field| field.name == name);
            let wanting = match given {
                _ if !has(&source.fields(), name) => Some((*name, source.key())),
                SourceInput::Input(input) if !has(&fields, input) => Some((*input, entry.key())),
                SourceInput::Input(_) | SourceInput::Text(_) => None,
            };
            if let Some((name, key)) = wanting {
                let message =
                    format!("The source of `{}` names `{name}`, an input that {key} does not have: at {}.", field.name, entry.line());
                return Err(Error::new(ErrorKind::Bug, message).with_hint("Correct #[source(…)], or take the word out."));
            }
        }
        Ok(())
    }

    /// Checks that an upsert has what it needs.
    fn check_upsert(&self, entry: &Entry) -> Result<(), Error> {
        let (Some(declaration), Some(upsert)) = (entry.declaration(), entry.upsert()) else { return Ok(()) };
        check_upsert(declaration, upsert, self.find_derived_source(entry.connector(), upsert.source)?)
    }

    /// Returns the connectors.
    pub fn connectors(&self) -> &[&'static Connector] {
        &self.connectors
    }

    /// Returns all entries, sorted by key.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Lists the declarations of the actions, sorted by key.
    pub fn actions(&self) -> impl Iterator<Item = &'static Declaration> + '_ {
        self.entries.iter().filter_map(Entry::declaration)
    }

    /// Finds the connector that is named, else the only one.
    pub fn find_connector(&self, named: Option<&str>) -> Result<&'static Connector, Error> {
        let found = match (named, self.connectors.as_slice()) {
            (Some(named), all) => all.iter().copied().find(|connector| connector.key == named),
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        found.ok_or_else(|| {
            let message = match named {
                Some(named) => format!("There is no connector {named:?}."),
                None => "No connector is named, and there is not exactly one.".to_owned(),
            };
            let known: Vec<&str> = self.connectors.iter().map(|connector| connector.key).collect();
            Error::new(ErrorKind::InvalidInvocation, message).with_hint(format!("Linked in: {}.", known.join(", ")))
        })
    }

    /// Finds an action or data source by key. The error names the three nearest keys.
    pub fn find(&self, connector: Option<&str>, key: &str) -> Result<&Entry, Error> {
        if connector.is_some() {
            self.find_connector(connector)?;
        }
        let from = self.entries.partition_point(|entry| entry.key() < key);
        let mut same = self.entries[from..].iter().take_while(|entry| entry.key() == key);
        let mut of_connector = same.clone().filter(|entry| connector.is_none_or(|named| entry.connector().key == named));
        match (of_connector.next(), of_connector.next()) {
            (Some(entry), None) => Ok(entry),
            (Some(_), Some(_)) => {
                let owners: Vec<&str> = same.by_ref().map(|entry| entry.connector().key).collect();
                Err(Error::new(ErrorKind::InvalidInvocation, format!("Several connectors have {key}."))
                    .with_hint(format!("Give `connector`: {}.", owners.join(" or "))))
            }
            (None, _) => Err(self.explain_unknown(connector, key)),
        }
    }

    /// Returns the form of the record that an action changes, built on first use, if another action reads it.
    pub(crate) fn record_form<'e>(&self, entry: &'e Entry) -> Option<&'e RecordForm> {
        let build = || RecordForm::build(entry.declaration()?, self.actions());
        entry.record.get_or_init(build).as_ref()
    }

    /// Finds an action of a connector.
    pub(crate) fn find_action(&self, connector: &Connector, key: &str) -> Result<&'static dyn Action, Error> {
        match self.find(Some(connector.key), key)?.kind {
            EntryKind::Action(action) => Ok(action),
            EntryKind::DataSource(_) => Err(Error::new(ErrorKind::Bug, format!("{key} is no action."))),
        }
    }

    /// Finds a data source of a connector that is made of actions.
    pub(crate) fn find_derived_source(&self, connector: &Connector, key: &str) -> Result<&'static DerivedSource, Error> {
        let entry = self.find(Some(connector.key), key)?;
        let found = if let EntryKind::DataSource(source) = entry.kind { (source as &dyn Any).downcast_ref() } else { None };
        found.ok_or_else(|| Error::new(ErrorKind::Bug, format!("{key} is no data source that is made of actions.")))
    }
}

/// Checks that the list in which an action's records are found has what the action names.
fn check_found_in(declaration: &'static Declaration) -> Result<(), Error> {
    let Some(found_in) = declaration.found_in else { return Ok(()) };
    let list = (found_in.list)();
    let has_members = RecordPlace::find(list, &["id", found_in.created, found_in.creator]).is_ok();
    if has_members && list.fields().any(|field| field.name == found_in.since) {
        return Ok(());
    }
    let message = format!("The records of {} cannot be found in {}: at {}.", declaration.key, list.key, declaration.line);
    let hint =
        format!("It needs the input `{}`, and records with `id`, `{}` and `{}`.", found_in.since, found_in.created, found_in.creator);
    Err(Error::new(ErrorKind::Bug, message).with_hint(hint))
}

/// Checks that an action names the record that it changes as the action that reads it does.
fn check_record(declaration: &'static Declaration) -> Result<(), Error> {
    let Some(read) = declaration.record.map(|read| read()) else { return Ok(()) };
    let is_in_path = |field: &&Field| field.place == Place::Path;
    let is_named = |id: &Field| declaration.fields().filter(is_in_path).any(|field| field.wire == id.wire);
    match read.fields().filter(is_in_path).find(|id| !is_named(id)) {
        None if read.effect() == Effect::Read => Ok(()),
        missing => {
            let name = missing.map_or(read.key, |id| id.wire);
            let message = format!("The record of {} cannot be read by {}: at {}.", declaration.key, read.key, declaration.line);
            Err(Error::new(ErrorKind::Bug, message)
                .with_hint(format!("`record(…)` names a read whose path has the same variables: see `{name}`.")))
        }
    }
}

/// Fails if the input for a page is not named as callers expect it.
fn check_paging(declaration: &'static Declaration) -> Result<(), Error> {
    let Some(paging) = declaration.paging() else { return Ok(()) };
    match declaration.fields().find(|field| paging.is_parameter(field)).filter(|field| Some(field.name) != paging.input()) {
        Some(field) => {
            let message = format!("The input `{}` of {} asks for a page: at {}.", field.name, declaration.key, declaration.line);
            let (wire, name) = (field.wire, paging.input().unwrap_or_default());
            Err(Error::new(ErrorKind::Bug, message).with_hint(format!("Name it `{name}`, and give it #[wire(\"{wire}\")].")))
        }
        None => Ok(()),
    }
}

impl Entry {
    fn new(registered: Registration) -> Self {
        let kind = match registered {
            Registration::Action(action) => EntryKind::Action(action),
            Registration::DataSource(source) => EntryKind::DataSource(source),
        };
        let (checks, named, fields) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { kind, checks, named, fields, flat: OnceLock::new(), record: OnceLock::new() }
    }

    /// Returns the kind.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Returns the declaration, if the entry is an action.
    pub fn declaration(&self) -> Option<&'static Declaration> {
        match self.kind {
            EntryKind::Action(action) => Some(action.declaration()),
            EntryKind::DataSource(_) => None,
        }
    }

    /// Returns the actions of which this one is made, if it changes a record or adds one.
    pub(super) fn upsert(&self) -> Option<&'static Upsert> {
        self.declaration().and_then(|declaration| declaration.upsert)
    }

    /// Returns the key.
    pub fn key(&self) -> &'static str {
        match self.kind {
            EntryKind::Action(action) => action.declaration().key,
            EntryKind::DataSource(source) => source.declaration().key,
        }
    }

    /// Returns the name to show.
    pub fn label(&self) -> &'static str {
        match self.kind {
            EntryKind::Action(action) => action.declaration().label,
            EntryKind::DataSource(source) => source.declaration().label,
        }
    }

    /// Returns the sentence that says what it does.
    pub fn description(&self) -> &'static str {
        match self.kind {
            EntryKind::Action(action) => action.declaration().description,
            EntryKind::DataSource(source) => source.declaration().description,
        }
    }

    /// Returns the connector.
    pub fn connector(&self) -> &'static Connector {
        match self.kind {
            EntryKind::Action(action) => action.declaration().connector,
            EntryKind::DataSource(source) => source.declaration().connector,
        }
    }

    /// Returns the effect on the vendor's data.
    pub fn effect(&self) -> Effect {
        self.declaration().map_or(Effect::Read, Declaration::effect)
    }

    /// Checks that null means absent for an optional input: a read and an action that adds clear nothing.
    pub(crate) fn takes_null_as_absent(&self) -> bool {
        self.effect() == Effect::Read || self.declaration().is_some_and(Declaration::adds)
    }

    /// Finds the action that lists the records for an input: the action itself, or that of a data source.
    pub(crate) fn find_lister(&self, input: &Map<String, Value>) -> Option<&'static Declaration> {
        match self.kind {
            EntryKind::Action(action) => Some(action.declaration()),
            EntryKind::DataSource(source) => source.lister(input),
        }
    }

    /// Checks that a page may have no record although more follow.
    pub(crate) fn may_have_empty_pages(&self) -> bool {
        match self.kind {
            EntryKind::Action(_) => false,
            EntryKind::DataSource(source) => source.may_have_empty_pages(),
        }
    }

    /// Lists the inputs, in order.
    pub fn fields(&self) -> Vec<&'static Field> {
        match self.kind {
            EntryKind::Action(action) => action.declaration().fields().collect(),
            EntryKind::DataSource(source) => source.fields(),
        }
    }

    /// Builds the schema of the input.
    pub fn input_schema(&self) -> Value {
        match self.kind {
            EntryKind::Action(action) => {
                let mut schema = schema::build_input(action.declaration());
                for named in self.named_fields().iter().filter(|named| named.takes_changes) {
                    schema["properties"][named.field.name]["x-accepts"] = named.accepted_words().into();
                }
                if let Some(upsert) = self.upsert() {
                    schema["properties"][MATCH_BY]["examples"] = upsert.words().collect();
                }
                schema
            }
            EntryKind::DataSource(_) => {
                let mut schema = schema::build_fields(self.fields().into_iter());
                // The inputs of a data source are not sent under their own names.
                for property in schema["properties"].as_object_mut().into_iter().flat_map(|properties| properties.values_mut()) {
                    if let Some(property) = property.as_object_mut() {
                        property.shift_remove("x-wire");
                    }
                }
                schema
            }
        }
    }

    /// Returns the plan of the answer in the flat view, compiled on first use. A data source has one view.
    pub(crate) fn flat_plan(&self) -> Option<&Plan> {
        self.declaration().map(|declaration| self.flat.get_or_init(|| Plan::build(declaration)))
    }

    /// Returns the inputs that take names, or changes to lists, in place of what their schema says.
    pub(crate) fn named_fields(&self) -> &[NamedField] {
        let is_change = self.declaration().is_some_and(|declaration| declaration.record.is_some() || declaration.upsert.is_some());
        self.named.get_or_init(|| NamedField::list(&self.fields(), is_change))
    }

    /// Returns the plan of the custom fields in the answer, compiled on first use, if it has any.
    pub(crate) fn field_plan(&self) -> Option<&FieldPlan> {
        self.fields.get_or_init(|| self.declaration().and_then(FieldPlan::build)).as_ref()
    }

    /// Returns the checks of the input, compiled on first use: all at once would slow a cold start.
    pub(crate) fn checks(&self) -> &Checks {
        self.checks.get_or_init(|| Checks::new(&self.fields()))
    }

    fn line(&self) -> &'static str {
        match self.kind {
            EntryKind::Action(action) => action.declaration().line,
            EntryKind::DataSource(source) => source.declaration().line,
        }
    }
}

impl Registration {
    fn connector(&self) -> &'static Connector {
        match self {
            Self::Action(action) => action.declaration().connector,
            Self::DataSource(source) => source.declaration().connector,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::shape::FieldShape;
    use crate::declare::toy::{VENDOR, declare, input};
    use crate::declare::types::Json;
    use crate::runtime::operation::DeclaredAction;

    const fn declaration(key: &'static str, line: &'static str) -> Declaration {
        let shape = FieldShape::from_type::<Json>();
        Declaration::new(key, ["Label", "Description"], ["vendor::rooms::things", line], &VENDOR, shape)
    }

    static ONE: Declaration = declaration("getThing", "things.rs:1");
    static OTHER: Declaration = declaration("getOther", "things.rs:5");
    static AGAIN: Declaration = declaration("getThing", "things.rs:9");
    static FIRST: DeclaredAction = DeclaredAction::new(&ONE);
    static SECOND: DeclaredAction = DeclaredAction::new(&OTHER);
    static THIRD: DeclaredAction = DeclaredAction::new(&AGAIN);

    #[test]
    fn finds_the_named_connector_or_the_only_one() {
        static RIVAL: Connector = Connector { key: "rival", ..VENDOR };
        let one = Catalogue::sort(&[&VENDOR], std::iter::empty()).expect("no keys");
        let two = Catalogue::sort(&[&VENDOR, &RIVAL], std::iter::empty()).expect("no keys");
        let find = |catalogue: &Catalogue, named| catalogue.find_connector(named).map(|connector| connector.key);
        assert_eq!(find(&one, None).expect("it is the only one"), "vendor");
        assert_eq!(find(&two, Some("rival")).expect("it is named"), "rival");
        for named in [None, Some("other")] {
            let error = find(&two, named).expect_err("no connector is meant");
            assert_eq!((error.kind(), error.hint()), (ErrorKind::InvalidInvocation, Some("Linked in: vendor, rival.")), "{error}");
        }
    }

    #[test]
    fn resource_is_declared_or_that_of_the_module() {
        for (module, resource, expected) in [
            ("vendor::rooms::things", None, "things"),
            ("vendor::rooms::things::parts", None, "things"),
            ("vendor::rooms", None, "rooms"),
            ("vendor::things", None, "things"),
            ("vendor", None, "vendor"),
            ("crate_of_another_name", None, "vendor"),
            ("vendor::rooms::things", Some("parts"), "parts"),
        ] {
            let mut declared = declaration("getThing", "things.rs:1");
            (declared.module, declared.resource) = (module, resource);
            assert_eq!(declared.resource(), expected, "{module} {resource:?}");
        }
    }

    #[test]
    fn sorts_by_key_whatever_the_link_order() {
        let keys = |registered: [Registration; 2]| {
            let catalogue = Catalogue::sort(&[&VENDOR], registered.into_iter()).expect("two keys");
            catalogue.entries().iter().map(Entry::key).collect::<Vec<_>>()
        };
        let (first, second) = (Registration::Action(&FIRST), Registration::Action(&SECOND));
        assert_eq!(keys([first, second]), ["getOther", "getThing"]);
        assert_eq!(keys([second, first]), ["getOther", "getThing"]);
    }

    #[test]
    fn rejects_a_key_declared_twice_and_names_both_lines() {
        let registered = [Registration::Action(&FIRST), Registration::Action(&SECOND), Registration::Action(&THIRD)];
        let error = Catalogue::sort(&[&VENDOR], registered.into_iter()).expect_err("getThing is there twice").to_string();
        assert!(error.contains("things.rs:1") && error.contains("things.rs:9"), "{error}");
    }

    #[test]
    fn rejects_an_input_for_a_page_under_another_name() {
        static INPUTS: [Field; 1] = [input::<Option<Json>>("after", "after", Place::Query)];
        static NAMED: Declaration = declare::<Vec<Json>>("getThings").with_inputs(&INPUTS);
        static ACTION: DeclaredAction = DeclaredAction::new(&NAMED);
        let error = Catalogue::sort(&[&VENDOR], [Registration::Action(&ACTION)].into_iter()).expect_err("callers give a cursor");
        assert_eq!(error.hint(), Some("Name it `cursor`, and give it #[wire(\"after\")]."), "{error}");
    }

    #[test]
    fn finds_no_action_of_a_connector_that_is_not_listed() {
        let catalogue = Catalogue::sort(&[&VENDOR], [Registration::Action(&FIRST)].into_iter()).expect("one key");
        assert!(catalogue.find(Some("vendor"), "getThing").is_ok());
        let error = catalogue.find(Some("other"), "getThing").expect_err("there is no such connector");
        assert_eq!(error.kind(), ErrorKind::InvalidInvocation);
    }
}
