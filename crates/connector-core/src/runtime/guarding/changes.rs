//! The changes that a call would make to a record as it stands.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place};
use crate::declare::fields::{AccountField, FieldKind, FieldLayout, FieldsOf, Naming};
use crate::exchange::comparing::{ComparedForm, Comparison, OtherMembers, is_empty};
use crate::exchange::fields::set::find_labels;
use crate::exchange::record_form::RecordForm;
use crate::runtime::call::Call;
use crate::runtime::guarding::expectation::find_member;
use crate::runtime::naming::definitions::{Definitions, ListOf};
use crate::runtime::stop::Stop;
use crate::value::error::Error;
use crate::value::pointer::escape_segment;

/// A change to a value of a record, or to the whole record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::runtime) struct RecordChange {
    /// The JSON pointer into the input. That of the whole record is empty.
    path: String,
    /// The name of the custom field.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    before: Value,
    after: Value,
    /// The labels of the options that stand before, and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_label: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_label: Option<Value>,
}

/// A value that a call writes into a record.
struct WrittenValue<'a> {
    path: String,
    /// The names that lead to the member of the record.
    member: Vec<String>,
    value: Value,
    form: ComparedForm,
    /// The custom field, if the value is that of one.
    field: Option<&'a AccountField>,
}

/// Finds what a call would change in a record as it stands. Without a record everything that it writes is new.
pub(super) async fn find_changes(
    call: &Call<'_>,
    declaration: &'static Declaration,
    form: Option<&RecordForm>,
    record: &Value,
) -> Result<Vec<RecordChange>, Error> {
    if declaration.removes_record() {
        return Ok(vec![RecordChange::of_whole(record)]);
    }
    let mut changes = Vec::new();
    for field in declaration.fields() {
        let Some(value) = call.input().get(field.name) else { continue };
        let named = match (field.shape.naming, value) {
            (Some(Naming::Values(of, layout)), Value::Object(values)) => {
                let at = |code: &str| format!("/{}/{}", field.name, escape_segment(code));
                Some((of, layout, values.iter().map(|(code, value)| (at(code), code, value)).collect::<Vec<_>>()))
            }
            (Some(Naming::Pair(of, pair)), Value::String(code)) => {
                let value = call.input().get(pair.value).unwrap_or(&Value::Null);
                Some((of, pair.layout, vec![(format!("/{}", pair.value), code, value)]))
            }
            _ => None,
        };
        match named {
            Some((of, layout, values)) => {
                let known = read_fields(call, of).await?;
                let fields = known.as_ref().zip(call.connector.fields).map(|(known, words)| (known.fields(words), words));
                for (path, code, value) in values {
                    let own = fields.and_then(|(set, _)| set.find_owner(code));
                    let outer = fields.filter(|_| layout == FieldLayout::Nested && own.is_some()).map(|(_, words)| words.values.to_owned());
                    let member = outer.into_iter().chain([code.clone()]).collect();
                    let has_ids = layout == FieldLayout::Beside && own.is_some_and(|field| field.kind == FieldKind::Options);
                    let form = if has_ids { ComparedForm::Ids } else { ComparedForm::Plain };
                    let written = WrittenValue { path, member, value: value.clone(), form, field: own };
                    changes.extend(RecordChange::find(call, written, record));
                }
            }
            None if is_written(field) && form.is_none_or(|form| form.find(field.name).is_some()) => {
                let value = field.shape.encode.map_or_else(|| value.clone(), |encode| encode(value));
                let (path, member) = (format!("/{}", field.name), vec![field.wire.to_owned()]);
                let written = WrittenValue { path, member, value, form: RecordForm::find_form(field), field: None };
                changes.extend(RecordChange::find(call, written, record));
            }
            None => {}
        }
    }
    Ok(changes)
}

/// Checks that an input is written into the record as it is.
fn is_written(field: &Field) -> bool {
    matches!(field.place, Place::Body | Place::Form | Place::Flat | Place::Multipart) && !field.shape.is_file()
}

/// Reads the definitions of custom fields, if the vendor has any.
async fn read_fields(call: &Call<'_>, of: &'static FieldsOf) -> Result<Option<Arc<Definitions>>, Error> {
    if call.connector.fields.is_none() {
        return Ok(None);
    }
    call.definitions(ListOf::from(of)).await.map(Some).map_err(Stop::into_error)
}

impl RecordChange {
    /// Tells that a whole record is gone.
    fn of_whole(record: &Value) -> Self {
        Self { path: String::new(), name: None, before: record.clone(), after: Value::Null, before_label: None, after_label: None }
    }

    /// Tells how a value differs from that of the record, if it does.
    fn find(call: &Call<'_>, written: WrittenValue<'_>, record: &Value) -> Option<Self> {
        let before = find_member(record, &written.member);
        let comparison = Comparison { words: &call.connector.flat, others: OtherMembers::Empty };
        if comparison.is_same_in(written.form, &written.value, before) || (is_empty(&written.value) && is_empty(before)) {
            return None;
        }
        let label = |value: &Value| written.field.and_then(|field| find_labels(field, value));
        let (before_label, after_label) = (label(before), label(&written.value));
        let name = written.field.map(|field| field.name.clone());
        Some(Self { path: written.path, name, before: before.clone(), after: written.value, before_label, after_label })
    }
}
