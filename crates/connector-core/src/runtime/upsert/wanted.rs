//! Values by which a record is looked for, and how records are compared with them.

use serde_json::{Map, Value};

use crate::declare::fields::FieldKind;
use crate::declare::match_key::{MatchKey, MatchKind};
use crate::exchange::matching::{normalize, read_texts};

/// Values of one input, by which a record is looked for.
#[derive(Debug)]
pub(super) struct MatchValues {
    pub(super) key: &'static MatchKey,
    /// The custom field that has the value.
    pub(super) custom: Option<CustomPlace>,
    /// The place of the values in the caller's input.
    pub(super) pointer: String,
    /// The inputs that would write the value.
    pub(super) inputs: Vec<&'static str>,
    pub(super) values: Vec<MatchValue>,
}

/// A value as it was given, and as it is compared.
#[derive(Debug)]
pub(super) struct MatchValue {
    pub(super) text: String,
    pub(super) normal: String,
}

/// A custom field: its code and kind, and where its values stand.
#[derive(Clone, Debug)]
pub(super) struct CustomPlace {
    pub(super) code: String,
    pub(super) kind: FieldKind,
    /// The member of a record that holds the values, if they do not stand beside its own.
    pub(super) within: Option<&'static str>,
}

/// A text to search for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SearchTerm {
    pub(super) text: String,
    /// `true` if the whole text must match.
    pub(super) is_exact: bool,
}

/// The digits at the end of a phone number that are searched for. Fewer would find too many.
const END: usize = 4;

impl MatchValues {
    /// Checks that a record has one of the values.
    pub(super) fn matches(&self, record: &Value) -> bool {
        let held = match record.as_object() {
            Some(record) => read_texts(self.find_in(record)),
            None => Vec::new(),
        };
        held.iter().filter_map(|text| self.normalize(text)).any(|normal| self.values.iter().any(|value| value.normal == normal))
    }

    /// Checks that a record may have one of the values, by what a search shows of it.
    ///
    /// It may show the member otherwise, or not at all.
    pub(super) fn may_match(&self, shown: &Value) -> bool {
        let is_shown = self.custom.is_none() && !read_texts(&shown[self.key.member]).is_empty();
        !is_shown || self.matches(shown)
    }

    /// Lists the texts to search for.
    ///
    /// A search compares texts. So numbers that end as a phone number does are looked through, however they are written.
    pub(super) fn list_terms(&self) -> Vec<SearchTerm> {
        let is_number = self.custom.as_ref().is_some_and(|custom| matches!(custom.kind, FieldKind::Number | FieldKind::Money));
        let is_phone =
            matches!(self.key.kind, MatchKind::Phone) || self.custom.as_ref().is_some_and(|custom| custom.kind == FieldKind::Phone);
        let mut terms: Vec<SearchTerm> = Vec::new();
        for value in &self.values {
            let end = (is_phone && value.normal.len() >= END).then(|| value.normal[value.normal.len() - END..].to_owned());
            // A number is written in its shortest form, as vendors write it.
            let text = if is_number { &value.normal } else { value.text.trim() };
            let exact = SearchTerm { text: text.to_owned(), is_exact: true };
            for term in std::iter::once(exact).chain(end.map(|text| SearchTerm { text, is_exact: false })) {
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        terms
    }

    /// Takes the value out of the input that would write it, if it is one alone: the record has it.
    pub(super) fn take_out_of(&self, input: &mut Map<String, Value>) {
        for name in &self.inputs {
            match (&self.custom, input.get_mut(*name)) {
                (Some(custom), Some(Value::Object(fields))) => {
                    fields.shift_remove(&custom.code);
                    if fields.is_empty() {
                        input.shift_remove(*name);
                    }
                }
                (None, Some(Value::String(_) | Value::Number(_))) => drop(input.shift_remove(*name)),
                _ => {}
            }
        }
    }

    /// Finds the value in the members of a request or a record.
    pub(super) fn find_in<'v>(&self, members: &'v Map<String, Value>) -> &'v Value {
        let found = match &self.custom {
            None => members.get(self.key.member),
            Some(custom) => match custom.within {
                Some(within) => members.get(within).and_then(|fields| fields.get(&custom.code)),
                None => members.get(&custom.code),
            },
        };
        found.unwrap_or(&Value::Null)
    }

    /// Brings the value together with others that are the same.
    pub(super) fn normalize(&self, text: &str) -> Option<String> {
        normalize(self.key.kind, self.custom.as_ref().map(|custom| custom.kind), text)
    }
}
