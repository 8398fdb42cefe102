//! Choices that are looked for in a list that is here: the words of a search, the order, and the pages.

use std::cmp::Ordering;

use serde_json::value::RawValue;

use crate::exchange::choices::read_text;
use crate::value::wording::shorten;

/// The words of a search. Each must occur in the text of a choice, in any case.
#[derive(Debug, Default)]
pub(crate) struct SearchWords(Vec<String>);

/// The place of a page in a list of choices: the number of those before it, and the key of the last of them.
///
/// Where the list has changed meanwhile, the key tells where the page begins. The number does where the key is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptPlace {
    before: usize,
    last: String,
}

/// The word that begins a cursor over a list of choices.
const AFTER: &str = "after";

impl SearchWords {
    /// Splits the text of a search into words.
    pub(crate) fn split(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Checks that each word occurs in a text.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let text = text.to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }
}

impl KeptPlace {
    /// Reads a cursor. The error quotes it, and says what one looks like.
    pub(crate) fn read(cursor: &str) -> Result<Self, (String, String)> {
        let parts = cursor.strip_prefix(AFTER).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.split_once(':'));
        let place = parts.and_then(|(before, last)| Some(Self { before: before.parse().ok()?, last: last.to_owned() }));
        place.ok_or_else(|| (shorten(cursor, 80), format!("{AFTER}:100:42")))
    }

    /// Writes the cursor of the page after a number of choices, of which the last has this key.
    pub(crate) fn write(before: usize, last: &str) -> String {
        format!("{AFTER}:{before}:{last}")
    }

    /// Finds the index of the page's first choice among the keys of a list.
    pub(crate) fn find_start<'k>(&self, keys: impl Iterator<Item = &'k str> + Clone) -> usize {
        let is_last = |key: &str| key == self.last;
        let stands = self.before.checked_sub(1).and_then(|at| keys.clone().nth(at)).is_some_and(is_last);
        match keys.clone().position(is_last) {
            Some(at) if !stands => at + 1,
            _ => self.before.min(keys.count()),
        }
    }
}

/// Checks that each of these members of a record has its value.
pub(crate) fn has_members(record: &RawValue, members: &[(&str, &str)]) -> bool {
    members.iter().all(|(path, value)| read_text(record, path) == *value)
}

/// Checks that any of these members of a record has its value.
pub(crate) fn has_member(record: &RawValue, members: &[(&str, &str)]) -> bool {
    members.iter().any(|(path, value)| read_text(record, path) == *value)
}

/// Sorts records by the members at these paths: numbers by their value, texts in any case.
///
/// Equal ones keep their order.
pub(crate) fn sort_records(records: &mut [&RawValue], paths: &[&str]) {
    if paths.is_empty() {
        return;
    }
    records.sort_by_cached_key(|record| paths.iter().map(|path| SortKey::read(record, path)).collect::<Vec<_>>());
}

/// A value by which records are sorted. Numbers stand before texts.
#[derive(PartialEq)]
enum SortKey {
    Number(f64),
    Text(String),
}

impl SortKey {
    fn read(record: &RawValue, path: &str) -> Self {
        let text = read_text(record, path);
        text.parse().map_or_else(|_| Self::Text(text.to_lowercase()), Self::Number)
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_a_search_must_occur_in_any_case() {
        for (search, text, is_found) in [
            ("", "Anything", true),
            ("  ", "Anything", true),
            ("QUAL", "Qualified", true),
            ("made contact", "Contact made", true),
            ("contact lost", "Contact made", false),
            ("ÉTÉ", "Fin de l'été", true),
        ] {
            assert_eq!(SearchWords::split(search).occur_in(text), is_found, "{search:?} in {text:?}");
        }
    }

    #[test]
    fn page_goes_on_after_its_key_whatever_was_added_or_deleted_before_it() {
        let start = |cursor: &str, keys: &[&str]| KeptPlace::read(cursor).expect("it is one of ours").find_start(keys.iter().copied());
        let cursor = KeptPlace::write(2, "b:1");
        assert_eq!(start(&cursor, &["a", "b:1", "c"]), 2);
        assert_eq!(start(&cursor, &["new", "a", "b:1", "c"]), 3, "one was added before");
        assert_eq!(start(&cursor, &["b:1", "c"]), 1, "one was deleted before");
        assert_eq!(start(&cursor, &["a", "c", "d"]), 2, "the key itself is gone");
        assert_eq!(start(&cursor, &["a"]), 1, "the list has ended before");
        assert_eq!(start("after:2:a", &["a", "a", "b"]), 2, "of two equal keys the one that was given counts");
    }

    #[test]
    fn cursor_of_another_kind_is_refused() {
        for cursor in ["start:100", "after:", "after:x:1", "after:1", "eyJ"] {
            let (quoted, example) = KeptPlace::read(cursor).expect_err(cursor);
            assert_eq!((quoted.as_str(), example.as_str()), (cursor, "after:100:42"));
        }
    }

    #[test]
    fn records_are_sorted_by_numbers_and_texts() {
        let texts = [r#"{"a":10,"b":"x"}"#, r#"{"a":9,"b":"Y"}"#, r#"{"a":9,"b":"x"}"#, r#"{"b":"z"}"#];
        let mut records: Vec<&RawValue> = texts.iter().map(|text| serde_json::from_str(text).expect("it is JSON")).collect();
        sort_records(&mut records, &["a", "b"]);
        let order: Vec<&str> = records.iter().map(|record| record.get()).collect();
        assert_eq!(order, [texts[2], texts[1], texts[0], texts[3]]);
    }

    #[test]
    fn members_are_compared_with_what_json_writes() {
        let record: &RawValue = serde_json::from_str(r#"{"active":true,"code":"a b","nothing":null,"n":1}"#).expect("it is JSON");
        assert!(has_members(record, &[("active", "true"), ("code", "a b"), ("n", "1")]));
        assert!(!has_members(record, &[("active", "true"), ("code", "other")]));
        assert!(has_member(record, &[("code", "other"), ("n", "1")]) && !has_member(record, &[("nothing", "true"), ("absent", "true")]));
    }
}
