//! The values that a record is expected to have, with their names resolved, and the record held against them.

use serde_json::{Map, Value};

use crate::declare::field::Field;
use crate::declare::fields::{FieldLayout, Naming};
use crate::exchange::comparing::{ComparedForm, Comparison, OtherMembers};
use crate::exchange::record_form::{CheckedExpectation, RecordForm};
use crate::runtime::call::Call;
use crate::runtime::catalogue::Catalogue;
use crate::runtime::naming::resolve_values_for;
use crate::value::error::{Error, ErrorKind};
use crate::value::fault::{Fault, FaultCode};
use crate::value::pointer::escape_segment;

/// A value that a member of the record is expected to have.
pub(super) struct ExpectedValue {
    /// The JSON pointer into what the caller expects.
    path: String,
    /// The value as it was given.
    given: Value,
    /// The names that lead to the member.
    member: Vec<String>,
    /// The value as the vendor has it.
    value: Value,
    form: ComparedForm,
}

/// Resolves the names in what a caller expects. The faults are those of the option.
pub(super) async fn resolve_expected(
    catalogue: &Catalogue,
    call: &Call<'_>,
    form: &RecordForm,
    expected: &CheckedExpectation,
) -> Result<Vec<ExpectedValue>, Error> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    let (custom, plain): (Vec<_>, Vec<_>) = expected.input.clone().into_iter().partition(|(name, _)| find_layout(form, name).is_some());
    let plain = (Map::from_iter(plain), expected.taken.as_slice());
    match resolve_values_for(catalogue, call, &form.fields, plain).await? {
        Ok(resolved) => {
            let given = |name: &String| expected.given.get(name).cloned().unwrap_or_default();
            values.extend(resolved.into_iter().filter_map(|(name, value)| {
                let field = form.find(&name)?;
                let value = field.shape.encode.filter(|_| !value.is_null()).map_or_else(|| value.clone(), |encode| encode(&value));
                let (path, form) = (format!("/{name}"), RecordForm::find_form(field));
                Some(ExpectedValue { path, given: given(&name), member: vec![field.wire.to_owned()], value, form })
            }));
        }
        Err(found) => faults.extend(found),
    }
    for (input, fields) in custom {
        let Some((field, layout)) = find_layout(form, &input) else { continue };
        // Each field is resolved by itself, so that what differs is told under the name that the caller gave it.
        for (name, given) in fields.as_object().into_iter().flatten() {
            let path = format!("/{input}/{}", escape_segment(name));
            let alone = Map::from_iter([(input.clone(), Value::Object(Map::from_iter([(name.clone(), given.clone())])))]);
            match resolve_values_for(catalogue, call, &[field], (alone, &[])).await? {
                Ok(mut resolved) => values.extend(list_members(resolved.shift_remove(&input), field, layout).map(|(member, value)| {
                    let form = if layout == FieldLayout::Beside && given.is_array() { ComparedForm::Ids } else { ComparedForm::Plain };
                    ExpectedValue { path: path.clone(), given: given.clone(), member, value, form }
                })),
                Err(found) => faults.extend(found),
            }
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(explain_misfit(call.key, faults)) }
}

/// Finds the input of custom fields of a name, and how they lie in the record.
fn find_layout(form: &RecordForm, name: &str) -> Option<(&'static Field, FieldLayout)> {
    let field = form.find(name)?;
    if let Some(Naming::Values(_, layout)) = field.shape.naming { Some((field, layout)) } else { None }
}

/// Lists the members of the record that have the values of custom fields.
fn list_members(resolved: Option<Value>, field: &Field, layout: FieldLayout) -> impl Iterator<Item = (Vec<String>, Value)> {
    let values = if let Some(Value::Object(values)) = resolved { values } else { Map::new() };
    let outer = (layout == FieldLayout::Nested).then(|| field.wire.to_owned());
    values.into_iter().map(move |(code, value)| (outer.iter().cloned().chain([code]).collect(), value))
}

/// Holds a record against what is expected of it. Each value that differs is a fault of one conflict.
pub(super) fn compare(call: &Call<'_>, expected: &[ExpectedValue], record: &Value) -> Result<(), Error> {
    let comparison = Comparison { words: &call.connector.flat, others: OtherMembers::Open };
    let differs = |expected: &ExpectedValue| {
        let has = find_member(record, &expected.member);
        let code = FaultCode::Differs { values: Box::new([expected.given.clone(), has.clone()]) };
        (!comparison.is_same_in(expected.form, &expected.value, has)).then(|| Fault::at(&expected.path, code))
    };
    let faults: Vec<Fault> = expected.iter().filter_map(differs).collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, "The record is not as options.expect says.")
        .with_hint("Nothing was changed: read the record again, and decide by what it is now.")
        .with_faults(faults))
}

/// Finds a member of a record. One that it lacks has no value.
pub(super) fn find_member<'r>(record: &'r Value, member: &[String]) -> &'r Value {
    member.iter().fold(record, |value, name| &value[name.as_str()])
}

/// Explains that a record cannot be expected to be so. The faults point into the option.
pub(super) fn explain_misfit(action: &str, faults: Vec<Fault>) -> Error {
    let hint = match faults.as_slice() {
        [only] => only.hint(),
        all => format!("Correct the {} faults listed, whose paths lead into options.expect.", all.len()),
    };
    Error::new(ErrorKind::InvalidInvocation, format!("The option expect does not fit the record that {action} changes."))
        .with_hint(hint)
        .with_faults(faults)
}
