//! Inputs that hold values of the record which an action changes, and values that it is expected to have.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place};
use crate::declare::fields::{FieldLayout, Naming};
use crate::declare::shape::{FieldShape, Mode, Schemas, find_records};
use crate::declare::types::Text;
use crate::exchange::comparing::ComparedForm;
use crate::exchange::input::Checks;
use crate::exchange::references::{NamedField, TakenInput, is_change, take_references};
use crate::exchange::schema;
use crate::exchange::times::TimeForm;
use crate::value::fault::{Fault, FaultCode};
use crate::value::pointer::escape_segment;
use crate::value::time_zone::TimeZone;

/// The form of a record that an action changes: the inputs that name its members.
#[derive(Debug)]
pub(crate) struct RecordForm {
    /// The inputs: those of the action, then those of others that change such a record.
    pub(crate) fields: Vec<&'static Field>,
    named: Vec<NamedField>,
    checks: Checks,
}

/// The values that a record is expected to have, as far as they can be read without a look-up.
#[derive(Debug)]
pub(crate) struct CheckedExpectation {
    /// The values as they were given.
    pub(crate) given: Map<String, Value>,
    /// The values in which no reference stands.
    pub(crate) input: Map<String, Value>,
    /// The values in which references stand.
    pub(crate) taken: Vec<TakenInput>,
}

/// The name by which the time of a record's last change is expected.
pub(crate) const UPDATE_TIME: &str = "updateTime";

/// The time of the last change, in the two spellings of vendors. It is taken as the record has it.
static UPDATE_TIMES: [Field; 2] = [build_update_time("update_time"), build_update_time(UPDATE_TIME)];

const fn build_update_time(wire: &'static str) -> Field {
    Field::new(UPDATE_TIME, wire, Place::Own, "The time of the last change.", FieldShape::from_type::<Option<Text>>())
}

impl RecordForm {
    /// Builds the form of the record that an action changes, if another action reads it.
    ///
    /// `actions` are those that may change such records too: one that deletes takes no values itself.
    pub(crate) fn build(declaration: &'static Declaration, actions: impl Iterator<Item = &'static Declaration>) -> Option<Self> {
        let read = (declaration.record?)();
        let members = list_members(read);
        let is_of_same = |other: &&'static Declaration| {
            other.connector.key == declaration.connector.key && other.record.is_some_and(|record| record().key == read.key)
        };
        let inputs = std::iter::once(declaration).chain(actions.filter(is_of_same)).flat_map(Declaration::fields);
        let mut seen = HashSet::new();
        let mut fields: Vec<&'static Field> = inputs.filter(|field| holds_member(field, &members) && seen.insert(field.name)).collect();
        fields.extend(UPDATE_TIMES.iter().find(|time| members.contains(time.wire) && !seen.contains(time.name)));
        let (named, checks) = (NamedField::list(&fields, false), Checks::without_required(&fields));
        Some(Self { fields, named, checks })
    }

    /// Reads the values that a record is expected to have, or returns all faults. Null means that there is no value.
    pub(crate) fn read(&self, given: &Map<String, Value>, zone: Option<&TimeZone>) -> Result<CheckedExpectation, Vec<Fault>> {
        let (mut input, mut faults) = (given.clone(), Vec::new());
        let mut cleared = Map::new();
        for field in &self.fields {
            let holds_fields = matches!(field.shape.naming, Some(Naming::Values(..)));
            if !holds_fields && input.get(field.name).is_some_and(Value::is_null) {
                cleared.extend(input.shift_remove(field.name).map(|null| (field.name.to_owned(), null)));
            }
            if holds_fields {
                faults.extend(input.get(field.name).and_then(Value::as_object).into_iter().flat_map(|values| find_changes(field, values)));
            }
        }
        if given.is_empty() {
            faults.push(Fault::new("", "names no input"));
        }
        let taken = take_references(&self.named, &mut input, &mut faults);
        match self.checks.read(input, &self.fields, &[], false, zone, &taken) {
            Ok(mut input) if faults.is_empty() => {
                input.extend(cleared);
                Ok(CheckedExpectation { given: given.clone(), input, taken })
            }
            Ok(_) => Err(faults),
            Err(found) => {
                faults.extend(found);
                Err(faults)
            }
        }
    }

    /// Finds the form in which the value of an input is compared.
    pub(crate) fn find_form(field: &Field) -> ComparedForm {
        let is_time = || TimeForm::from_schema(&(field.shape.schema)(&mut Schemas::new(Mode::Input))).is_some();
        if field.name == UPDATE_TIME || is_time() { ComparedForm::Time } else { ComparedForm::Plain }
    }

    /// Finds an input by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().copied().find(|field| field.name == name)
    }
}

/// Checks that an input holds a member of a record, or its custom fields.
fn holds_member(field: &Field, members: &HashSet<String>) -> bool {
    let stands_beside = matches!(field.shape.naming, Some(Naming::Values(_, FieldLayout::Beside)));
    stands_beside || (matches!(field.place, Place::Body | Place::Form) && members.contains(field.wire))
}

/// Lists the members of the records that an action reads.
fn list_members(read: &Declaration) -> HashSet<String> {
    let schema = schema::build_output(&read.returns);
    let no_defs = Map::new();
    let defs = schema["$defs"].as_object().unwrap_or(&no_defs);
    let records = find_records(&schema, defs);
    records.into_iter().filter_map(|record| record["properties"].as_object()).flat_map(|members| members.keys().cloned()).collect()
}

/// Finds custom fields that are changed and not expected: a change says nothing of the value that is there.
fn find_changes(field: &Field, values: &Map<String, Value>) -> Vec<Fault> {
    let changed = values.iter().filter(|(_, value)| value.as_object().is_some_and(is_change));
    let at = |name: &str| format!("/{}/{}", field.name, escape_segment(name));
    changed.map(|(name, _)| Fault::at(at(name), FaultCode::Other("is a change to a list: give the whole list".to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::declare::method::Method;
    use crate::declare::toy::{declare, input};
    use crate::declare::types::{Json, MapOf};

    static ID: Field = input::<Json>("thingId", "thing_id", Place::Path);
    static NAME: Field = input::<Text>("name", "name", Place::Body);
    static INTO: Field = input::<Json>("into", "into", Place::Body);

    #[test]
    fn record_that_is_not_declared_has_no_form() {
        static UPDATE: Declaration = declare::<Json>("updateThing").with_endpoint(Method::Patch, "/things/{thing_id}");
        assert!(RecordForm::build(&UPDATE, std::iter::empty()).is_none());
    }

    #[test]
    fn without_a_member_of_its_name_an_input_is_not_expected() {
        static READ: Declaration = declare::<MapOf<Json>>("getThing").with_endpoint(Method::Get, "/things/{thing_id}");
        static MERGE: Declaration = declare::<Json>("mergeThings").with_record_read_by(|| &READ);
        assert!(!holds_member(&INTO, &HashSet::from(["name".to_owned()])));
        assert!(holds_member(&NAME, &HashSet::from(["name".to_owned()])));
        assert!(!holds_member(&ID, &HashSet::from(["thing_id".to_owned()])));
        let form = RecordForm::build(&MERGE, std::iter::empty()).expect("an action reads the record");
        let faults = form.read(json!({"into": 1}).as_object().expect("an object"), None).expect_err("there is no such member");
        assert_eq!(faults.iter().map(Fault::path).collect::<Vec<_>>(), ["/into"]);
    }
}
