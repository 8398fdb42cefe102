//! Values by which an upsert finds a record.

use crate::declare::fields::FieldKind;
use crate::declare::input_value::InputValue;

/// The input of an upsert that names the values by which a record is found.
pub(crate) const MATCH_BY: &str = "matchBy";

/// A value by which a record can be found.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MatchKey {
    /// The word by which `matchBy` names it. A key of custom fields has none.
    pub word: &'static str,
    /// The member of a request, and of a record, that holds the value.
    pub member: &'static str,
    /// The way in which two values are compared.
    pub kind: MatchKind,
    /// The inputs that the search is given beside its term.
    pub narrowed: &'static [(&'static str, InputValue)],
}

/// A way in which two values are compared.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum MatchKind {
    /// A text, whatever its case and the spaces around it.
    Text,
    /// A code, to the letter.
    Code,
    /// An email address, in any case.
    Email,
    /// A phone number, by its digits. `00` at the start is the same as `+`.
    Phone,
    /// A custom field, by its kind. The function tells which kinds a search covers.
    Custom(fn(FieldKind) -> bool),
    /// A value that no search covers, with the reason.
    Refused(&'static str),
}

impl MatchKey {
    /// Builds a key that is compared as text: a name or a title.
    pub const fn text(word: &'static str, member: &'static str) -> Self {
        Self { word, member, kind: MatchKind::Text, narrowed: &[] }
    }

    /// Builds a key that is compared to the letter.
    pub const fn code(word: &'static str, member: &'static str) -> Self {
        Self { kind: MatchKind::Code, ..Self::text(word, member) }
    }

    /// Builds a key of email addresses.
    pub const fn email(word: &'static str, member: &'static str) -> Self {
        Self { kind: MatchKind::Email, ..Self::text(word, member) }
    }

    /// Builds a key of phone numbers.
    pub const fn phone(word: &'static str, member: &'static str) -> Self {
        Self { kind: MatchKind::Phone, ..Self::text(word, member) }
    }

    /// Builds the key of all custom fields of the kinds that a search covers.
    pub const fn custom(covers: fn(FieldKind) -> bool) -> Self {
        Self { kind: MatchKind::Custom(covers), ..Self::text("", "") }
    }

    /// Builds a key that is refused, with the reason: a sentence without a full stop.
    pub const fn refused(word: &'static str, why: &'static str) -> Self {
        Self { kind: MatchKind::Refused(why), ..Self::text(word, "") }
    }

    /// Sets the inputs that the search is given beside its term.
    #[must_use]
    pub const fn narrowed_by(mut self, inputs: &'static [(&'static str, InputValue)]) -> Self {
        self.narrowed = inputs;
        self
    }
}
