//! Members beside the data of several pages, merged as text.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::value::raw_json::{RawJson, read_members, write_value};

/// The depth below which an object is one value. Related records lie so deep, by their kind and their ID.
const DEEPEST: usize = 2;

/// An object of several pages. A member that a later page has too is merged, in the order of the first page.
#[derive(Default)]
pub(crate) struct MergedObject {
    members: Vec<(String, MergedValue)>,
    places: HashMap<String, usize>,
}

/// A value of several pages.
enum MergedValue {
    /// An object, whose members are merged.
    Object(MergedObject),
    /// A list, to which the items of a later page are added.
    List(Vec<Box<RawValue>>),
    /// Any other value: that of the last page stays.
    Single(RawJson),
}

impl MergedObject {
    /// Merges the value that a page has for a member.
    pub(crate) fn merge(&mut self, name: &str, text: &str) {
        self.merge_at(name, text, 0);
    }

    /// Returns the bytes of the values.
    pub(crate) fn size(&self) -> usize {
        self.members.iter().map(|(name, value)| name.len() + value.size()).sum()
    }

    /// Returns the members as text.
    pub(crate) fn into_members(self) -> Vec<(String, RawJson)> {
        self.members.into_iter().map(|(name, value)| (name, value.into_text())).collect()
    }

    fn merge_at(&mut self, name: &str, text: &str, depth: usize) {
        if let Some(at) = self.places.get(name) {
            return self.members[*at].1.merge(text, depth);
        }
        self.places.insert(name.to_owned(), self.members.len());
        self.members.push((name.to_owned(), MergedValue::read(text, depth)));
    }
}

impl MergedValue {
    fn read(text: &str, depth: usize) -> Self {
        let mut value = match text.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => Self::Object(MergedObject::default()),
            Some(b'[') => Self::List(Vec::new()),
            _ => return Self::Single(RawJson::on_one_line(text.to_owned())),
        };
        value.merge(text, depth);
        value
    }

    fn merge(&mut self, text: &str, depth: usize) {
        match (self, text.as_bytes().first()) {
            (Self::Object(object), Some(b'{')) => {
                let raw: Option<&RawValue> = serde_json::from_str(text).ok();
                for (name, value) in raw.map(read_members).unwrap_or_default() {
                    object.merge_at(&name, value.get(), depth + 1);
                }
            }
            (Self::List(items), Some(b'[')) => items.extend(serde_json::from_str::<Vec<Box<RawValue>>>(text).unwrap_or_default()),
            (value, _) => *value = Self::read(text, depth),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Object(object) => object.size(),
            Self::List(items) => items.iter().map(|item| item.get().len()).sum(),
            Self::Single(text) => text.as_bytes().len(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Single(text) => out.extend_from_slice(text.as_bytes()),
            Self::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    out.extend_from_slice(if at > 0 { b"," } else { b"" });
                    out.extend_from_slice(item.get().as_bytes());
                }
                out.push(b']');
            }
            Self::Object(object) => {
                out.push(b'{');
                for (at, (name, value)) in object.members.iter().enumerate() {
                    out.extend_from_slice(if at > 0 { b"," } else { b"" });
                    write_value(out, name);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    fn into_text(self) -> RawJson {
        match self {
            Self::Single(text) => text,
            value => {
                let mut out = Vec::new();
                value.write(&mut out);
                RawJson::from_text(out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_objects_adds_to_lists_and_keeps_the_last_of_other_values() {
        for (pages, merged) in [
            (&[r#"{"user":{"1":{"id":1.50}}}"#][..], r#"{"user":{"1":{"id":1.50}}}"#),
            (
                &[r#"{"user":{"1":{"id":1}},"deal":{}}"#, r#"{"user":{"2":{"id":2},"1":{"id":1}},"org":{"3":{}}}"#],
                r#"{"user":{"1":{"id":1},"2":{"id":2}},"deal":{},"org":{"3":{}}}"#,
            ),
            // The record of a related object is one value.
            (&[r#"{"user":{"1":{"a":1}}}"#, r#"{"user":{"1":{"b":2}}}"#], r#"{"user":{"1":{"b":2}}}"#),
            (&["[1,2]", "[2,3]"], "[1,2,2,3]"),
            (&["1", "\"two\""], "\"two\""),
            (&["null", "{\"a\":[]}", "{\"a\":[1]}"], "{\"a\":[1]}"),
        ] {
            let mut object = MergedObject::default();
            pages.iter().for_each(|page| object.merge("member", page));
            let members = object.into_members();
            assert_eq!(members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>(), [("member", merged)]);
        }
    }
}
