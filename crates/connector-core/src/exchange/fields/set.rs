//! The fields of an account, found by code or name, and their options by ID or label.

use std::collections::HashMap;

use serde_json::Value;

use crate::declare::fields::{AccountField, FieldKind, FieldOption, FieldWords};
use crate::exchange::plan::write_key;
use crate::value::fault::{Candidate, FaultCode};
use crate::value::raw_json::write_value;
use crate::value::wording::{find_nearest, shorten};

/// The characters that a message quotes of a caller's value.
pub(super) const LONGEST_QUOTE: usize = 200;
/// The candidates and the nearest names that a fault lists.
const MOST_CANDIDATES: usize = 20;
const MOST_NEAREST: usize = 3;

/// The fields of one kind of records in one account.
#[derive(Debug)]
pub(crate) struct FieldSet {
    pub(super) words: FieldWords,
    fields: Vec<KnownField>,
    /// The fields by code.
    codes: HashMap<String, usize>,
    /// The fields, and the numbers of their parts, by the name of a member: the code, or the code and a part.
    members: HashMap<Vec<u8>, (usize, usize)>,
}

/// A field of an account, with what is written for it.
#[derive(Debug)]
pub(super) struct KnownField {
    pub(super) field: AccountField,
    /// The name as JSON with its colon, if no other custom field has it.
    pub(super) key: Option<Vec<u8>>,
    /// The labels as JSON, by the ID as JSON. Options whose label could mean another one have none.
    pub(super) labels: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

/// The result of a search by name.
#[derive(Debug)]
pub(super) enum Found<'a, T> {
    One(&'a T),
    Several(Vec<&'a T>),
    Nothing,
}

/// The character between the code of a field and a part of its value, in the name of a member.
pub(super) const PART_MARK: char = '_';

impl FieldSet {
    /// Builds the set of an account's fields.
    pub(crate) fn build(words: FieldWords, fields: Vec<AccountField>) -> Self {
        let codes = fields.iter().enumerate().map(|(at, field)| (field.code.clone(), at)).collect();
        let mut members = HashMap::new();
        for (at, field) in fields.iter().enumerate().filter(|(_, field)| field.is_custom) {
            for (number, part) in field.parts.iter().enumerate().skip(1) {
                members.insert(format!("{}{PART_MARK}{part}", field.code).into_bytes(), (at, number));
            }
        }
        // A code goes before a part of another field.
        let own = fields.iter().enumerate().filter(|(_, field)| field.is_custom);
        members.extend(own.map(|(at, field)| (field.code.clone().into_bytes(), (at, 0))));
        let mut set = Self { words, fields: Vec::new(), codes, members };
        let mut owners: HashMap<&str, usize> = HashMap::new();
        for field in fields.iter().filter(|field| field.is_custom) {
            *owners.entry(&field.name).or_default() += 1;
        }
        let is_code = |name: &str| (words.is_code)(name) || set.members.contains_key(name.as_bytes());
        let is_free = |name: &str| !name.is_empty() && owners[name] == 1 && !is_code(name);
        let keys: Vec<Option<Vec<u8>>> =
            fields.iter().map(|field| (field.is_custom && is_free(&field.name)).then(|| write_key(&field.name))).collect();
        set.fields = fields.into_iter().zip(keys).map(|(field, key)| KnownField::build(field, key)).collect();
        set
    }

    /// Lists the fields that the account made.
    pub(crate) fn list_custom(&self) -> impl Iterator<Item = &AccountField> {
        self.fields.iter().map(|known| &known.field).filter(|field| field.is_custom)
    }

    /// Finds the field of a record's member, and the number of the part that the member holds.
    pub(super) fn find_member(&self, name: &[u8]) -> Option<(usize, usize)> {
        self.members.get(name).copied()
    }

    pub(super) fn get(&self, at: usize) -> &KnownField {
        &self.fields[at]
    }

    /// Finds a custom field by its code or name, or tells why there is not one.
    pub(crate) fn find_custom(&self, name: &str) -> Result<&AccountField, FaultCode> {
        let is_custom = |field: &&AccountField| field.is_custom;
        match self.find(name, is_custom) {
            Found::One(field) => Ok(field),
            Found::Several(fields) => Err(write_ambiguous(&name.into(), fields.into_iter().map(describe_field))),
            Found::Nothing => match self.find(name, |field| !field.is_custom) {
                Found::One(field) => Err(FaultCode::NotCustom { code: field.code.clone(), input: None }),
                Found::Several(_) | Found::Nothing => Err(self.write_unknown(name, is_custom)),
            },
        }
    }

    /// Finds any field by its code or name, or tells why there is not one.
    pub(crate) fn find_any(&self, name: &str) -> Result<&AccountField, FaultCode> {
        match self.find(name, |_| true) {
            Found::One(field) => Ok(field),
            Found::Several(fields) => Err(write_ambiguous(&name.into(), fields.into_iter().map(describe_field))),
            Found::Nothing => Err(self.write_unknown(name, |_| true)),
        }
    }

    /// Finds the field of a member that holds a custom field's value, or a part of it.
    pub(crate) fn find_owner(&self, member: &str) -> Option<&AccountField> {
        self.find_member(member.as_bytes()).map(|(at, _)| &self.get(at).field)
    }

    fn find<'a>(&'a self, name: &str, is_meant: impl Fn(&&'a AccountField) -> bool) -> Found<'a, AccountField> {
        let fields = || self.fields.iter().map(|known| &known.field).filter(&is_meant);
        if let Some(field) = self.codes.get(name).map(|at| &self.fields[*at].field).filter(&is_meant) {
            return Found::One(field);
        }
        let exact = choose(fields().filter(|field| field.name == name));
        match exact {
            Found::Nothing => choose(fields().filter(|field| fold(&field.name) == fold(name))),
            found => found,
        }
    }

    fn write_unknown<'a>(&'a self, name: &str, is_meant: impl Fn(&&'a AccountField) -> bool) -> FaultCode {
        let fields = self.fields.iter().map(|known| &known.field).filter(is_meant);
        let names = fields.map(|field| field.name.as_str());
        write_nothing("custom field", &name.into(), names)
    }
}

impl KnownField {
    fn build(field: AccountField, key: Option<Vec<u8>>) -> Self {
        // A type may have 10,000 options, so that none is compared with all others.
        let mut uses: HashMap<String, usize> = HashMap::new();
        for option in &field.options {
            *uses.entry(option.label.clone()).or_default() += 1;
            let id = write_id(&option.id);
            *uses.entry(id).or_default() += 1;
        }
        let mut labels = HashMap::new();
        for option in &field.options {
            let own = 1 + usize::from(write_id(&option.id) == option.label);
            let (mut id, mut label) = (Vec::new(), Vec::new());
            write_value(&mut id, &option.id);
            write_value(&mut label, &option.label);
            labels.insert(id, (uses[&option.label] == own).then_some(label));
        }
        Self { field, key, labels }
    }
}

/// Checks that a kind of values is chosen from options.
pub(super) fn has_options(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Option | FieldKind::Options)
}

/// Finds the ID of an option by its ID or label.
pub(super) fn find_option<'a>(field: &'a AccountField, given: &Value) -> Result<&'a Value, FaultCode> {
    let text = match given {
        Value::String(text) => text.as_str(),
        _ => "",
    };
    let number = given.is_number().then(|| given.to_string());
    let text = number.as_deref().unwrap_or(text);
    let by_id = |option: &&FieldOption| option.id == *given;
    let by_text = |option: &&FieldOption| option.label == text || write_id(&option.id) == text;
    let steps: [&dyn Fn(&&FieldOption) -> bool; 3] = [&by_id, &by_text, &|option| fold(&option.label) == fold(text)];
    // A text is never the ID alone: another option may have it as its label.
    for step in steps.into_iter().skip(usize::from(number.is_none())) {
        match choose(field.options.iter().filter(|option| step(option))) {
            Found::One(option) => return Ok(&option.id),
            Found::Several(options) => return Err(write_ambiguous(given, options.into_iter().map(describe_option))),
            Found::Nothing => {}
        }
    }
    Err(write_nothing("option", given, field.options.iter().map(|option| option.label.as_str())))
}

/// Finds the labels of a value that is chosen from options: one, or a list of them. Any other value has none.
pub(crate) fn find_labels(field: &AccountField, value: &Value) -> Option<Value> {
    let label = |id: &Value| {
        let id = write_id(id.get("id").unwrap_or(id));
        field.options.iter().find(|option| write_id(&option.id) == id).map(|option| Value::from(option.label.as_str()))
    };
    match (field.kind, value) {
        (FieldKind::Option, value) if !value.is_null() => label(value),
        (FieldKind::Options, Value::Array(ids)) => ids.iter().map(label).collect(),
        (FieldKind::Options, Value::String(ids)) => ids.split(',').map(|id| label(&id.trim().into())).collect(),
        _ => None,
    }
}

/// Writes an ID as a text, without quotes.
pub(super) fn write_id(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// Brings names together that differ in case and outer space alone.
fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

fn choose<'a, T>(found: impl Iterator<Item = &'a T>) -> Found<'a, T> {
    let found: Vec<&T> = found.collect();
    match found[..] {
        [] => Found::Nothing,
        [one] => Found::One(one),
        _ => Found::Several(found),
    }
}

fn describe_field(field: &AccountField) -> Candidate {
    Candidate { id: field.code.clone().into(), label: field.name.clone() }
}

fn describe_option(option: &FieldOption) -> Candidate {
    Candidate { id: option.id.clone(), label: option.label.clone() }
}

fn write_ambiguous(given: &Value, candidates: impl Iterator<Item = Candidate>) -> FaultCode {
    let value = shorten(&given.to_string(), LONGEST_QUOTE);
    FaultCode::Ambiguous { value, candidates: candidates.take(MOST_CANDIDATES).collect() }
}

fn write_nothing<'a>(noun: &'static str, given: &Value, names: impl Iterator<Item = &'a str>) -> FaultCode {
    let name = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let nearest = find_nearest(&name, names, MOST_NEAREST).into_iter().map(str::to_owned).collect();
    FaultCode::NothingNamed { noun, value: shorten(&given.to_string(), LONGEST_QUOTE), nearest }
}
