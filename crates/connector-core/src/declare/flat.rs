//! The flat view of a record: the names that its members have there, and the changes to their values.

use std::borrow::Cow;

/// The words of a vendor that the flat view reads in nested objects.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FlatWords {
    /// The members of a nested object that can hold its ID, the likeliest first.
    pub id: &'static [&'static str],
    /// The member of an item that holds its value, as that of an email address.
    pub value: &'static str,
    /// The member of an item that is `true` for the main one of a list.
    pub primary: &'static str,
    /// The function that finds names which an account chose, as keys of custom fields. No view changes them.
    pub is_custom_key: fn(&str) -> bool,
}

/// The place of a member in the flat view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flat {
    /// The name, if it is not the member's own in camelCase.
    pub name: Option<&'static str>,
    /// The change to the value.
    pub change: Change,
}

/// A change to a member in the flat view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The value stays.
    None,
    /// The boolean is turned.
    Not,
    /// The 0 or 1 becomes a boolean.
    Flag,
    /// The value of the list's main item stands beside the list, under this name.
    Primary(&'static str),
    /// The ID of the nested object stands beside the object, under this name.
    Id(&'static str),
    /// The object becomes a text, its value, and its other members stand beside it.
    Parts,
    /// The vendor gives the member no longer. It is null.
    Null,
}

impl FlatWords {
    /// The words of a vendor whose records hold no objects, or objects that need no change.
    pub const COMMON: Self = Self { id: &["id"], value: "value", primary: "primary", is_custom_key: |_| false };

    /// Returns the name in the flat view of a member that no record declares.
    pub fn rename<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if (self.is_custom_key)(name) { Cow::Borrowed(name) } else { to_camel_case(name) }
    }
}

impl Flat {
    /// The place of a member that only its name changes.
    pub const PLAIN: Self = Self { name: None, change: Change::None };

    /// Returns the name of the member `wire` in the flat view.
    pub fn name_of(self, wire: &str) -> Cow<'_, str> {
        self.name.map_or_else(|| to_camel_case(wire), Cow::Borrowed)
    }
}

/// Writes a name of lower-case words with underscores in camelCase. Any other name stays.
pub(crate) fn to_camel_case(name: &str) -> Cow<'_, str> {
    let is_of_words = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !name.starts_with('_')
        && !name.ends_with('_')
        && !name.contains("__");
    if !is_of_words || !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        out.push_str(&capitalize(word));
    }
    Cow::Owned(out)
}

/// Writes the name of a part beside its whole: `address` and `postalCode` make `addressPostalCode`.
pub(crate) fn join_names(whole: &str, part: &str) -> String {
    format!("{whole}{}", capitalize(part))
}

fn capitalize(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_names_of_words_in_camel_case_alone() {
        for (name, expected) in [
            ("org_id", "orgId"),
            ("admin_area_level_1", "adminAreaLevel1"),
            ("id", "id"),
            ("alreadyCamel", "alreadyCamel"),
            ("EUR", "EUR"),
            ("_private", "_private"),
            ("a__b", "a__b"),
            ("ends_", "ends_"),
            ("größe_x", "größe_x"),
            ("", ""),
        ] {
            assert_eq!(to_camel_case(name), expected);
        }
    }
}
