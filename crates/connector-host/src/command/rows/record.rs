//! Records as they came: members are found by their path, and values are copied, never parsed into a tree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text between the items of a list in one cell.
const BETWEEN_ITEMS: &str = "; ";

/// The depth to which members are columns of their own.
const DEEPEST: usize = 4;

/// The column of a record that is a single value.
const SINGLE: &str = "value";

/// The members of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reading)
    }
}

impl<'a> Members<'a> {
    /// Reads a record. One that is no object has its value as its only member.
    pub(super) fn read(record: &'a RawValue) -> Self {
        serde_json::from_str(record.get()).unwrap_or_else(|_| Self(vec![(Cow::Borrowed(SINGLE), record)]))
    }

    /// Finds the value at a path of names, divided by dots. A name may have dots itself, and a list is looked into.
    pub(super) fn find(&self, path: &str) -> Option<Cow<'a, str>> {
        let ends = path.rmatch_indices('.').map(|(at, _)| at);
        std::iter::once(path.len()).chain(ends).find_map(|end| {
            let (_, value) = self.0.iter().find(|(name, _)| *name == path[..end])?;
            find_in(value, path.get(end + 1..).unwrap_or_default())
        })
    }

    /// Adds the paths of the values that fit a cell, in order of appearance.
    pub(super) fn collect_paths(&self, paths: &mut Vec<String>) {
        self.collect_below("", 1, paths);
    }

    fn collect_below(&self, prefix: &str, depth: usize, paths: &mut Vec<String>) {
        for (name, value) in &self.0 {
            let path = format!("{prefix}{name}");
            match value.get().as_bytes().first() {
                Some(b'{') if depth < DEEPEST => Members::read(value).collect_below(&format!("{path}."), depth + 1, paths),
                Some(b'{') => {}
                Some(b'[') if read_single_values(value.get()).is_none() => {}
                _ if paths.contains(&path) => {}
                _ => paths.push(path),
            }
        }
    }
}

/// Finds the value at a path below a value.
fn find_in<'a>(value: &'a RawValue, path: &str) -> Option<Cow<'a, str>> {
    match value.get().as_bytes().first() {
        _ if path.is_empty() => Some(Cow::Borrowed(value.get())),
        // A null has no members, and lacks none.
        Some(b'n') => Some(Cow::Borrowed("null")),
        Some(b'{') => Members::read(value).find(path),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            let found: Vec<Cow<'_, str>> = items.iter().filter_map(|item| find_in(item, path)).collect();
            (items.is_empty() || !found.is_empty()).then(|| Cow::Owned(format!("[{}]", found.join(","))))
        }
        _ => None,
    }
}

/// Splits the data of an answer into records. That of a list may stand within an object.
pub(super) fn split_records(data: &RawValue, is_list: bool) -> Vec<&RawValue> {
    match data.get().as_bytes().first() {
        Some(b'n') => Vec::new(),
        Some(b'[') => serde_json::from_str(data.get()).unwrap_or_default(),
        Some(b'{') if is_list => {
            let members = Members::read(data);
            let list = members.0.iter().find(|(_, value)| value.get().starts_with('['));
            list.map_or_else(|| vec![data], |(_, list)| split_records(list, true))
        }
        _ => vec![data],
    }
}

/// Writes a JSON value as the text of a cell: null as nothing, a list of single values with `; ` between them.
///
/// Numbers keep their digits. An object, and a list that has one, stays JSON.
pub(super) fn write_cell(json: &str) -> Cow<'_, str> {
    match json.as_bytes().first() {
        None | Some(b'n') => Cow::Borrowed(""),
        Some(b'"') => serde_json::from_str::<Name<'_>>(json).map_or(Cow::Borrowed(json), |Name(text)| text),
        Some(b'[') => match read_single_values(json) {
            Some(items) => items.iter().map(|item| write_cell(item.get())).collect::<Vec<_>>().join(BETWEEN_ITEMS).into(),
            None => Cow::Borrowed(json),
        },
        _ => Cow::Borrowed(json),
    }
}

/// Reads a list whose items have no parts.
fn read_single_values(json: &str) -> Option<Vec<&RawValue>> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    items.iter().all(|item| !item.get().starts_with(['{', '['])).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"id": 7, "name": "A \"b\"", "big": 12345678901234567890123, "price": 1.10, "none": null,
        "tags": ["a", "b"], "mails": [{"value": "a@x"}, {"value": "b@x"}], "empty": [],
        "fields": {"Rev. 1": 2, "Size": {"value": "L"}, "Rev": {" 1": 3}}}"#;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("it is JSON")
    }

    #[test]
    fn finds_values_by_path_through_lists_and_dotted_names() {
        let members = Members::read(raw(RECORD));
        for (path, expected) in [
            ("id", Some("7")),
            ("big", Some("12345678901234567890123")),
            ("price", Some("1.10")),
            ("none", Some("null")),
            ("none.name", Some("null")),
            ("mails.value", Some("[\"a@x\",\"b@x\"]")),
            ("empty.value", Some("[]")),
            ("fields.Rev. 1", Some("2")),
            ("fields.Size.value", Some("\"L\"")),
            ("fields.Colour", None),
            ("mails.label", None),
            ("id.name", None),
            ("nope", None),
        ] {
            assert_eq!(members.find(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn cells_hold_values_as_people_read_them() {
        let members = Members::read(raw(RECORD));
        for (path, expected) in [
            ("name", "A \"b\""),
            ("none", ""),
            ("price", "1.10"),
            ("tags", "a; b"),
            ("mails.value", "a@x; b@x"),
            ("mails", "[{\"value\": \"a@x\"}, {\"value\": \"b@x\"}]"),
            ("empty", ""),
        ] {
            assert_eq!(write_cell(&members.find(path).expect("it is there")), expected, "{path}");
        }
    }

    #[test]
    fn collects_the_paths_that_fit_a_cell() {
        let mut paths = Vec::new();
        Members::read(raw(RECORD)).collect_paths(&mut paths);
        assert_eq!(paths, ["id", "name", "big", "price", "none", "tags", "empty", "fields.Rev. 1", "fields.Size.value"]);
    }

    #[test]
    fn splits_lists_objects_and_single_values() {
        for (data, is_list, expected) in [
            ("null", false, vec![]),
            ("[1,2]", true, vec!["1", "2"]),
            (r#"{"count": 1, "items": [{"a": 1}]}"#, true, vec![r#"{"a": 1}"#]),
            (r#"{"items": [1]}"#, false, vec![r#"{"items": [1]}"#]),
            ("true", false, vec!["true"]),
        ] {
            let records: Vec<&str> = split_records(raw(data), is_list).into_iter().map(RawValue::get).collect();
            assert_eq!(records, expected, "{data}");
        }
        assert_eq!(Members::read(raw("true")).find("value").as_deref(), Some("true"));
    }
}
