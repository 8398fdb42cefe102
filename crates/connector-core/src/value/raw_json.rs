//! JSON as text, which is passed on without being parsed into a tree.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::value::error::{Error, ErrorKind};

/// A valid JSON value as text on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(Bytes);

/// The name of a member, borrowed if it has no escapes.
#[derive(Deserialize)]
pub(crate) struct MemberName<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl RawJson {
    /// Writes a value as JSON text.
    pub fn from_value(value: &impl Serialize) -> Self {
        let mut out = Vec::new();
        write_value(&mut out, value);
        Self(out.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it was read as JSON, which is text")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Parses the value. It fails on JSON that no tree can hold, as 1e999.
    pub fn to_value(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.0).map_err(|error| Error::new(ErrorKind::BadAnswer, "The data cannot be parsed.").with_source(error))
    }

    /// Takes a text that was written from checked parts.
    pub(crate) fn on_one_line(text: String) -> Self {
        Self::one_line(text.into())
    }

    /// Takes a text on one line that was written from checked parts.
    pub(crate) fn from_text(text: Vec<u8>) -> Self {
        Self(text.into())
    }

    pub(crate) fn null() -> Self {
        Self(Bytes::from_static(b"null"))
    }

    /// Takes a part of a body, without a copy if it is on one line.
    pub(crate) fn slice(body: &Bytes, raw: &RawValue) -> Self {
        Self::one_line(body.slice_ref(raw.get().as_bytes()))
    }

    /// Takes a part of this text that is a value, without a copy.
    pub(crate) fn slice_part(&self, part: &[u8]) -> Self {
        Self(self.0.slice_ref(part))
    }

    /// Takes the array that reaches from its first item to its last, with its brackets.
    pub(crate) fn slice_array(body: &Bytes, ends: Option<(&RawValue, &RawValue)>) -> Self {
        let Some((first, last)) = ends else { return Self(Bytes::from_static(b"[]")) };
        let offset = |part: &RawValue| part.get().as_ptr() as usize - body.as_ptr() as usize;
        let (start, end) = (offset(first), offset(last) + last.get().len());
        // Only space can be between a bracket of an array and the next item.
        let open = body[..start].iter().rposition(|byte| *byte == b'[').unwrap_or(start);
        let close = body[end..].iter().position(|byte| *byte == b']').map_or(end, |at| end + at + 1);
        Self::one_line(body.slice(open..close))
    }

    pub(crate) fn from_members<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut out = Vec::new();
        write_object(&mut out, members);
        Self::one_line(out.into())
    }

    /// Replaces line breaks between tokens by spaces. JSON allows none within a string.
    fn one_line(text: Bytes) -> Self {
        if memchr::memchr2(b'\n', b'\r', &text).is_some() {
            let spaced: Vec<u8> = text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
            return Self(spaced.into());
        }
        Self(text)
    }
}

pub(crate) fn write_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("a value of ours is written to memory");
}

pub(crate) fn write_object<'a>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push(b'{');
    for (at, (name, value)) in members.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_value(out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
}

/// Reads the members of an object. Any other value, as an empty `[]`, has none.
pub(crate) fn read_members(raw: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(MemberName(name)) = map.next_key()? {
                pairs.push((name, map.next_value()?));
            }
            Ok(pairs)
        }
    }
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(Pairs).unwrap_or_default()
}
