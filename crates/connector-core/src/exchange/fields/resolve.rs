//! Custom fields of an input: names and labels become what travels.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::declare::fields::{AccountField, FieldKind, FieldLayout, FieldWords};
use crate::exchange::fields::kinds::{Read, join_ids, read_value};
use crate::exchange::fields::set::{FieldSet, PART_MARK, has_options, write_id};
use crate::value::fault::{Fault, FaultCode, JsonType};
use crate::value::pointer::escape_segment;

/// Custom fields as they travel, by code.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ResolvedFields {
    /// The values that are known.
    pub(crate) values: Map<String, Value>,
    /// The values that must be looked up first. They are not among the others.
    pub(crate) wanted: Vec<WantedField>,
}

/// A value of a custom field that must be looked up.
#[derive(Debug, PartialEq)]
pub(crate) struct WantedField {
    /// The JSON pointer into the caller's input.
    pub(crate) path: String,
    /// The code of the field, under which the value travels.
    pub(crate) code: String,
    /// The value to look up.
    pub(crate) want: Want,
}

/// A value to look up.
#[derive(Debug, PartialEq)]
pub(crate) enum Want {
    /// The ID of a record or a user.
    Reference {
        /// The key of the data source that offers such records.
        source: &'static str,
        /// The reference as it was given: `"me"`, or an object.
        reference: Value,
    },
    /// The options that the record has, changed.
    Options(OptionChange),
}

/// Options to add to those that a record has, and options to remove.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OptionChange {
    add: Vec<Value>,
    remove: Vec<Value>,
    layout: FieldLayout,
}

/// A use of definitions that custom fields in an input have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DefinitionNeed {
    /// The values travel as they are given, whatever the definitions are.
    None,
    /// A value may be a label or a name. Without definitions all values travel as they are given.
    Helpful,
    /// A field is named.
    Required,
}

/// A look into the inputs of an action: the input that takes a field of every account, by its code.
pub(crate) type FindInput<'a> = &'a (dyn Fn(&str) -> Option<&'static str> + Sync);

/// Tells whether the custom fields of an input need definitions. It reads names and kinds of values alone.
pub(crate) fn judge_need(words: &FieldWords, given: &Map<String, Value>, layout: FieldLayout) -> DefinitionNeed {
    let of_value = |value: &Value| match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => DefinitionNeed::None,
        Value::Array(items) if layout == FieldLayout::Nested && !items.is_empty() && items.iter().all(Value::is_number) => {
            DefinitionNeed::None
        }
        Value::Object(parts) if layout == FieldLayout::Nested && parts.contains_key("value") => DefinitionNeed::None,
        Value::String(_) | Value::Array(_) | Value::Object(_) => DefinitionNeed::Helpful,
    };
    let needs = given.iter().map(|(name, value)| match name {
        name if (words.is_code)(name) => of_value(value),
        name if layout == FieldLayout::Beside && is_part_name(words, name) => DefinitionNeed::None,
        _ => DefinitionNeed::Required,
    });
    needs.max().unwrap_or(DefinitionNeed::None)
}

/// Checks whether a name is that of a part: a code, a mark and a word.
fn is_part_name(words: &FieldWords, name: &str) -> bool {
    name.match_indices(PART_MARK).any(|(at, _)| (words.is_code)(&name[..at]))
}

/// Resolves an object of custom fields by name or code, at a JSON pointer of the input.
///
/// `drops_nulls` is for actions that clear nothing: null for a field means that there is none.
pub(crate) fn resolve_values(
    set: &FieldSet,
    given: &Map<String, Value>,
    at: &str,
    layout: FieldLayout,
    drops_nulls: bool,
    find_input: FindInput<'_>,
) -> Result<ResolvedFields, Vec<Fault>> {
    let mut work = Resolving { set, layout, drops_nulls, resolved: ResolvedFields::default(), seen: HashSet::new(), faults: Vec::new() };
    for (name, value) in given {
        let at = format!("{at}/{}", escape_segment(name));
        work.add(name, value, &at, find_input);
    }
    if work.faults.is_empty() { Ok(work.resolved) } else { Err(work.faults) }
}

/// Resolves the name or code of a custom field, or a list of them, to codes.
pub(crate) fn resolve_keys(set: &FieldSet, given: &Value, at: &str, find_input: FindInput<'_>) -> Result<Value, Vec<Fault>> {
    let resolve = |name: &Value, at: String| match name.as_str() {
        Some(name) => match set.find_custom(name) {
            Ok(field) => Ok(field.code.clone()),
            Err(code) => Err(Fault::at(at, name_input(code, find_input))),
        },
        None => Err(Fault::at(at, FaultCode::WrongType { value: name.to_string(), expected: vec![JsonType::Text] })),
    };
    let Value::Array(names) = given else { return resolve(given, at.to_owned()).map(Value::from).map_err(|fault| vec![fault]) };
    let (mut codes, mut faults): (Vec<String>, Vec<Fault>) = (Vec::new(), Vec::new());
    for (index, name) in names.iter().enumerate() {
        match resolve(name, format!("{at}/{index}")) {
            Ok(code) if codes.contains(&code) => faults.push(Fault::at(format!("{at}/{index}"), FaultCode::GivenTwice)),
            Ok(code) => codes.push(code),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(codes.into()) } else { Err(faults) }
}

/// Checks whether definitions that are read again could mend a fault.
pub(crate) fn may_be_outdated(faults: &[Fault]) -> bool {
    faults
        .iter()
        .any(|fault| matches!(fault.code(), FaultCode::NothingNamed { .. } | FaultCode::Ambiguous { .. } | FaultCode::NotCustom { .. }))
}

struct Resolving<'a> {
    set: &'a FieldSet,
    layout: FieldLayout,
    drops_nulls: bool,
    resolved: ResolvedFields,
    /// The members on the wire that were given so far.
    seen: HashSet<String>,
    faults: Vec<Fault>,
}

impl Resolving<'_> {
    fn add(&mut self, name: &str, value: &Value, at: &str, find_input: FindInput<'_>) {
        let set = self.set;
        // A part under its own name is in the vendor's shape, and travels as it is given.
        if self.layout == FieldLayout::Beside && set.find_member(name.as_bytes()).is_some_and(|(_, part)| part > 0) {
            self.keep(name.to_owned(), value.clone(), at);
            return;
        }
        let field = match set.find_custom(name) {
            Ok(field) => field,
            Err(code) => return self.faults.push(Fault::at(at, name_input(code, find_input))),
        };
        let is_code = field.code == name;
        if value.is_null() {
            self.keep(field.code.clone(), Value::Null, at);
            return;
        }
        match read_value(field, value, at) {
            Ok(Read::Value(value)) => self.lay_out(field, value, at),
            Ok(Read::Named(source, reference)) => self.want(field, at, Want::Reference { source, reference }),
            Ok(Read::Change(add, remove)) => self.want(field, at, Want::Options(OptionChange { add, remove, layout: self.layout })),
            // A value under a code may be in a shape of the vendor's that no other kind of value has.
            Err(_) if is_code && self.is_left_to_vendor(field, value) => self.keep(field.code.clone(), value.clone(), at),
            Err(faults) => self.faults.extend(faults),
        }
    }

    /// Checks whether a value by code may be one that the vendor takes, though it has not the form of its kind.
    fn is_left_to_vendor(&self, field: &AccountField, value: &Value) -> bool {
        match (self.layout, value) {
            (FieldLayout::Beside, Value::String(ids)) if field.kind == FieldKind::Options => {
                ids.split(',').all(|id| field.options.iter().any(|option| write_id(&option.id) == id.trim()))
            }
            _ => !has_options(field.kind),
        }
    }

    /// Puts a value where it travels.
    fn lay_out(&mut self, field: &AccountField, value: Value, at: &str) {
        let code = field.code.clone();
        match (self.layout, value) {
            (FieldLayout::Beside, Value::Object(parts)) if !field.parts.is_empty() => {
                for (part, value) in parts {
                    let is_main = field.parts.first() == Some(&part.as_str());
                    self.keep(if is_main { code.clone() } else { format!("{code}{PART_MARK}{part}") }, value, at);
                }
            }
            (FieldLayout::Beside, Value::Array(ids)) if field.kind == FieldKind::Options => self.keep(code, join_ids(&ids).into(), at),
            (FieldLayout::Beside, id) if field.kind == FieldKind::Option => {
                let id = if id.is_null() { id } else { write_id(&id).into() };
                self.keep(code, id, at);
            }
            (_, value) => self.keep(code, value, at),
        }
    }

    fn keep(&mut self, member: String, value: Value, at: &str) {
        if !self.seen.insert(member.clone()) {
            self.faults.push(Fault::at(at, FaultCode::GivenTwice));
        } else if !(self.drops_nulls && value.is_null()) {
            self.resolved.values.insert(member, value);
        }
    }

    fn want(&mut self, field: &AccountField, at: &str, want: Want) {
        if self.seen.insert(field.code.clone()) {
            self.resolved.wanted.push(WantedField { path: at.to_owned(), code: field.code.clone(), want });
        } else {
            self.faults.push(Fault::at(at, FaultCode::GivenTwice));
        }
    }
}

impl OptionChange {
    /// Changes the options that a record has, in the form in which it has them. Without any left, it is null.
    pub(crate) fn apply(&self, current: &Value) -> Value {
        let ids: Vec<Value> = match current {
            Value::Array(ids) => ids.iter().map(|id| id.get("id").unwrap_or(id).clone()).collect(),
            Value::String(ids) => ids.split(',').filter(|id| !id.is_empty()).map(Value::from).collect(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        let is_among = |ids: &[Value], id: &Value| ids.iter().any(|other| write_id(other) == write_id(id));
        let mut left: Vec<Value> = ids.into_iter().filter(|id| !is_among(&self.remove, id)).collect();
        left.extend(self.add.iter().filter(|id| !is_among(&left, id)).cloned().collect::<Vec<_>>());
        match self.layout {
            _ if left.is_empty() => Value::Null,
            FieldLayout::Nested => left.into(),
            FieldLayout::Beside => join_ids(&left).into(),
        }
    }
}

/// Names the input that takes a field of every account, in a fault of one that is given as a custom field.
fn name_input(code: FaultCode, find_input: FindInput<'_>) -> FaultCode {
    match code {
        FaultCode::NotCustom { code, .. } => FaultCode::NotCustom { input: find_input(&code), code },
        other => other,
    }
}

#[cfg(test)]
mod tests;
