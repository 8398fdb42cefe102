//! Strict JSON: doubled names, rounded numbers and names of the JSON library are faults.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::value::fault::{Fault, FaultCode};
use crate::value::pointer::escape_segment;

/// The first whole number from which a float may stand for another whole number.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads JSON text as a tree, with the faults that the tree would hide.
pub(crate) fn read_strictly(text: &[u8]) -> serde_json::Result<(Value, Vec<Fault>)> {
    let faults = RefCell::new(Vec::new());
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Strict { at: None, faults: &faults }.deserialize(&mut json)?;
    json.end()?;
    Ok((value, faults.into_inner()))
}

/// The prefix of names that the JSON library gives a meaning of its own.
const PRIVATE: &str = "$serde_json::private::";
const PRIVATE_FAULT: &str = "is a name that cannot be carried";

pub(crate) fn find_private(name: &str, value: &Value, faults: &mut Vec<Fault>, top: &str) {
    if name.starts_with(PRIVATE) {
        faults.push(Fault::new(format!("/{}", escape_segment(top)), PRIVATE_FAULT));
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| find_private(name, value, faults, top)),
        Value::Array(items) => items.iter().for_each(|value| find_private("", value, faults, top)),
        _ => {}
    }
}

/// A reader of a JSON value that keeps the faults a tree would hide.
#[derive(Clone, Copy)]
struct Strict<'a> {
    at: Option<&'a Location<'a>>,
    faults: &'a RefCell<Vec<Fault>>,
}

/// The position of the reader, as a chain on the stack: a pointer is written only for a fault.
struct Location<'a> {
    parent: Option<&'a Location<'a>>,
    name: Segment<'a>,
}

enum Segment<'a> {
    Member(&'a str),
    Item(usize),
}

impl Strict<'_> {
    fn fault(&self, name: Option<&str>, code: FaultCode) {
        let mut segments: Vec<String> = name.map(|name| escape_segment(name).into_owned()).into_iter().collect();
        let mut at = self.at;
        while let Some(here) = at {
            segments.push(match here.name {
                Segment::Member(name) => escape_segment(name).into_owned(),
                Segment::Item(index) => index.to_string(),
            });
            at = here.parent;
        }
        let path = segments.iter().rev().fold(String::new(), |path, segment| path + "/" + segment);
        self.faults.borrow_mut().push(Fault::at(path, code));
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // From 2^53 on, the text may have held another number, which was rounded when it was read.
        if value.fract() == 0.0 && value.abs() >= EXACT {
            self.fault(None, FaultCode::Inexact { value: None });
        }
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let at = Location { parent: self.at, name: Segment::Item(values.len()) };
            match items.next_element_seed(Strict { at: Some(&at), faults: self.faults })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let at = Location { parent: self.at, name: Segment::Member(&name) };
            let value = members.next_value_seed(Strict { at: Some(&at), faults: self.faults })?;
            if name.starts_with(PRIVATE) {
                self.fault(Some(&name), FaultCode::Other(PRIVATE_FAULT.to_owned()));
            }
            if map.contains_key(&name) {
                self.fault(Some(&name), FaultCode::GivenTwice);
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}
