//! Values of each kind of field, checked and written as the vendor has them in an object of their own.

use serde_json::{Map, Value};

use crate::declare::fields::{AccountField, FieldKind};
use crate::exchange::fields::set::{LONGEST_QUOTE, find_option, write_id};
use crate::exchange::input::{read_integer, read_number};
use crate::value::fault::{Fault, FaultCode, JsonType};
use crate::value::pointer::escape_segment;
use crate::value::wording::shorten;

/// A value that was read.
#[derive(Debug)]
pub(super) enum Read {
    /// The value as the vendor has it: one value, or an object of parts. Null clears.
    Value(Value),
    /// A record or a user that is named, not numbered: the data source, and what was given.
    Named(&'static str, Value),
    /// Options to add and to remove.
    Change(Vec<Value>, Vec<Value>),
}

type Result<T> = std::result::Result<T, Vec<Fault>>;

/// A kind of a part.
#[derive(Clone, Copy)]
enum PartKind {
    Number,
    Currency,
    Day,
    Clock,
    Whole,
    Text,
}

/// Reads a value of a field, which is not null. `at` is its JSON pointer.
pub(super) fn read_value(field: &AccountField, value: &Value, at: &str) -> Result<Read> {
    match field.kind {
        FieldKind::Text { most } => read_text(value, at, most).map(Read::Value),
        FieldKind::Phone => read_text(value, at, LONGEST_PHONE).map(Read::Value),
        FieldKind::Number => read_part(PartKind::Number, value, at).map(Read::Value),
        FieldKind::Date => read_part(PartKind::Day, value, at).map(Read::Value),
        FieldKind::Option => read_option(field, value, at).map(Read::Value),
        FieldKind::Options => read_options(field, value, at),
        FieldKind::Reference(source) => read_reference(source, value, at),
        FieldKind::Money => read_parts(field, value, at, 2, &[PartKind::Number, PartKind::Currency]).map(Read::Value),
        FieldKind::Time => read_parts(field, value, at, 1, &[PartKind::Clock, PartKind::Whole, PartKind::Text]).map(Read::Value),
        FieldKind::TimeRange => {
            read_parts(field, value, at, 2, &[PartKind::Clock, PartKind::Clock, PartKind::Whole, PartKind::Text]).map(Read::Value)
        }
        FieldKind::DateRange => read_parts(field, value, at, 2, &[PartKind::Day, PartKind::Day]).map(Read::Value),
        FieldKind::Address => read_parts(field, value, at, 1, &[PartKind::Text]).map(Read::Value),
        FieldKind::Other => Ok(Read::Value(value.clone())),
    }
}

/// The most characters of a phone number.
const LONGEST_PHONE: u32 = 255;

/// Returns a value of the right form for a kind that has parts.
fn example(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Money => r#"{"value": 5000, "currency": "EUR"}"#,
        FieldKind::TimeRange => r#"{"value": "09:00", "until": "17:30"}"#,
        FieldKind::DateRange => r#"{"value": "2026-01-31", "until": "2026-02-28"}"#,
        FieldKind::Time => r#"{"value": "09:30"}"#,
        _ => r#"{"value": "Main Street 1, Springfield"}"#,
    }
}

fn read_text(value: &Value, at: &str, most: u32) -> Result<Value> {
    let text = value.as_str().ok_or_else(|| wrong_type(value, at, &[JsonType::Text]))?;
    let length = text.chars().count() as u64;
    if length > most.into() {
        return Err(vec![Fault::at(at, FaultCode::TooLong { length, maximum: most.into() })]);
    }
    Ok(value.clone())
}

fn read_option(field: &AccountField, value: &Value, at: &str) -> Result<Value> {
    // An answer that was asked for labels has options as objects.
    let (value, at) = match value.get("id") {
        Some(id) => (id, format!("{at}/id")),
        None => (value, at.to_owned()),
    };
    match value {
        Value::String(_) => find_option(field, value),
        Value::Number(_) => find_option(field, &read_integer(value).unwrap_or_else(|| value.clone())),
        _ => return Err(wrong_type(value, &at, &[JsonType::Text, JsonType::Integer])),
    }
    .cloned()
    .map_err(|code| vec![Fault::at(at, code)])
}

fn read_options(field: &AccountField, value: &Value, at: &str) -> Result<Read> {
    match value {
        Value::Array(items) if items.is_empty() => Ok(Read::Value(Value::Null)),
        Value::Array(items) => read_option_list(field, items, at).map(|ids| Read::Value(ids.into())),
        Value::Object(change) if change.contains_key(ADD) || change.contains_key(REMOVE) => read_change(field, change, at),
        Value::String(_) | Value::Number(_) | Value::Object(_) => {
            read_option(field, value, at).map(|id| Read::Value(Value::Array(vec![id])))
        }
        _ => Err(wrong_type(value, at, &[JsonType::List, JsonType::Object])),
    }
}

fn read_option_list(field: &AccountField, items: &[Value], at: &str) -> Result<Vec<Value>> {
    let (mut ids, mut faults) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let at = format!("{at}/{index}");
        match read_option(field, item, &at) {
            Ok(id) if ids.contains(&id) => faults.push(Fault::at(at, FaultCode::GivenTwice)),
            Ok(id) => ids.push(id),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(ids) } else { Err(faults) }
}

/// The members of a change to several options.
const ADD: &str = "add";
const REMOVE: &str = "remove";

fn read_change(field: &AccountField, change: &Map<String, Value>, at: &str) -> Result<Read> {
    let mut faults: Vec<Fault> = change.keys().filter_map(|name| find_unknown(name, &[ADD, REMOVE], at)).collect();
    let mut list = |name: &str| {
        let at = format!("{at}/{name}");
        let ids = match change.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => read_option_list(field, items, &at),
            Some(other) => Err(wrong_type(other, &at, &[JsonType::List])),
        };
        ids.unwrap_or_else(|found| {
            faults.extend(found);
            Vec::new()
        })
    };
    let (add, remove) = (list(ADD), list(REMOVE));
    let both = remove.iter().position(|id| add.contains(id));
    faults.extend(both.map(|index| Fault::new(format!("{at}/{REMOVE}/{index}"), "is an option that is also to be added")));
    if faults.is_empty() { Ok(Read::Change(add, remove)) } else { Err(faults) }
}

fn read_reference(source: &'static str, value: &Value, at: &str) -> Result<Read> {
    match (read_integer(value), value) {
        (Some(id), _) => Ok(Read::Value(id)),
        (None, Value::Object(_)) => Ok(Read::Named(source, value.clone())),
        (None, Value::String(word)) if word == ME => Ok(Read::Named(source, value.clone())),
        _ => Err(wrong_type(value, at, &[JsonType::Integer, JsonType::Object])),
    }
}

/// The word for the connected user.
const ME: &str = "me";

/// Reads a value that has parts: an object, or the main part where it alone is required.
fn read_parts(field: &AccountField, value: &Value, at: &str, required: usize, kinds: &[PartKind]) -> Result<Value> {
    let (Some(main), Some(last)) = (field.parts.first(), kinds.last()) else { return Ok(value.clone()) };
    let given = match value {
        Value::Object(given) => given,
        Value::String(_) if required == 1 => {
            let part = read_part(kinds[0], value, at)?;
            return Ok(Value::Object(Map::from_iter([((*main).to_owned(), part)])));
        }
        Value::String(_) | Value::Number(_) => {
            let value = shorten(&value.to_string(), LONGEST_QUOTE);
            return Err(vec![Fault::at(at, FaultCode::PartAlone { value, example: example(field.kind) })]);
        }
        _ => return Err(wrong_type(value, at, &[JsonType::Object])),
    };
    let mut faults: Vec<Fault> = given.keys().filter_map(|name| find_unknown(name, field.parts, at)).collect();
    let mut read = Map::new();
    for (index, part) in field.parts.iter().enumerate() {
        let at = format!("{at}/{}", escape_segment(part));
        match given.get(*part) {
            None if index < required => faults.push(Fault::at(at, FaultCode::Missing)),
            None => {}
            Some(Value::Null) if index < required => faults.push(Fault::at(at, FaultCode::NullRequired)),
            Some(Value::Null) => drop(read.insert((*part).to_owned(), Value::Null)),
            Some(given) => match read_part(kinds.get(index).copied().unwrap_or(*last), given, &at) {
                Ok(value) => drop(read.insert((*part).to_owned(), value)),
                Err(found) => faults.extend(found),
            },
        }
    }
    if faults.is_empty() { Ok(read.into()) } else { Err(faults) }
}

fn read_part(kind: PartKind, value: &Value, at: &str) -> Result<Value> {
    let form = |is_right: bool, example: &str| {
        let code = match value.as_str() {
            Some(_) if is_right => return Ok(value.clone()),
            Some(_) => FaultCode::WrongForm { value: shorten(&value.to_string(), LONGEST_QUOTE), example: example.to_owned() },
            None => return Err(wrong_type(value, at, &[JsonType::Text])),
        };
        Err(vec![Fault::at(at, code)])
    };
    let text = value.as_str().unwrap_or_default();
    match kind {
        PartKind::Number => read_number(value).ok_or_else(|| wrong_type(value, at, &[JsonType::Number])),
        PartKind::Whole => read_integer(value).ok_or_else(|| wrong_type(value, at, &[JsonType::Integer])),
        PartKind::Text if value.is_string() => Ok(value.clone()),
        PartKind::Text => Err(wrong_type(value, at, &[JsonType::Text])),
        PartKind::Currency => form(text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()), "EUR"),
        PartKind::Clock => form(is_clock(text), "09:30"),
        PartKind::Day => match read_day(text) {
            Some(false) => Err(vec![Fault::at(at, FaultCode::NotInCalendar { value: value.to_string() })]),
            is_day => form(is_day == Some(true), "2026-01-31"),
        },
    }
}

/// Checks whether a text is a day in the calendar. A text of another form is none.
fn read_day(text: &str) -> Option<bool> {
    let bytes = text.as_bytes();
    let is_form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    is_form.then_some((1..=days).contains(&day))
}

/// Checks whether a text is a time of day, `09:30` or `09:30:00`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |part: &str, most: u32| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse().is_ok_and(|part: u32| part < most)
    };
    matches!(parts.len(), 2 | 3) && below(parts[0], 24) && parts[1..].iter().all(|part| below(part, 60))
}

fn find_unknown(name: &str, known: &[&str], at: &str) -> Option<Fault> {
    if known.contains(&name) {
        return None;
    }
    let nearest = crate::value::wording::find_nearest(name, known.iter().copied(), 1).first().map(|name| (*name).to_owned());
    let known = known.iter().map(|name| (*name).to_owned()).collect();
    Some(Fault::at(format!("{at}/{}", escape_segment(name)), FaultCode::Unknown { nearest, known }))
}

fn wrong_type(value: &Value, at: &str, expected: &[JsonType]) -> Vec<Fault> {
    let value = shorten(&value.to_string(), LONGEST_QUOTE);
    vec![Fault::at(at, FaultCode::WrongType { value, expected: expected.to_vec() })]
}

/// Writes the IDs of options as one text with commas.
pub(super) fn join_ids(ids: &[Value]) -> String {
    ids.iter().map(write_id).collect::<Vec<_>>().join(",")
}
