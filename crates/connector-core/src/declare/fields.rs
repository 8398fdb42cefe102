//! Custom fields: the fields that an account defines, and which action lists them.

use serde_json::{Map, Value};

use crate::declare::input_value::InputValue;

/// A field as an account defines it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccountField {
    /// The name on the wire, which never changes.
    pub code: String,
    /// The name that people see. It can change, and other fields may have it too.
    pub name: String,
    /// The kind of its values.
    pub kind: FieldKind,
    /// The members of a value that has parts, as `value` and `currency`, the main one first.
    pub parts: &'static [&'static str],
    /// The values to choose from, of a kind that has options.
    pub options: Vec<FieldOption>,
    /// `true` if the account made it, `false` if every account has it.
    pub is_custom: bool,
    /// `true` if the app marks it as important.
    pub is_important: bool,
    /// `true` if the app demands a value.
    pub is_required: bool,
}

/// A value to choose from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FieldOption {
    /// The value on the wire: a number or a text.
    pub id: Value,
    /// The text that people see. It can change, and other options may have it too.
    pub label: String,
}

/// A kind of values of an account's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A text.
    Text {
        /// The most characters that it may have.
        most: u32,
    },
    /// A number.
    Number,
    /// An amount and its currency.
    Money,
    /// One of the options.
    Option,
    /// Several of the options.
    Options,
    /// A record or a user, by its ID: the key of the data source that offers them.
    Reference(&'static str),
    /// A phone number.
    Phone,
    /// A time of day, with its zone.
    Time,
    /// Two times of day, with their zone.
    TimeRange,
    /// A day.
    Date,
    /// Two days.
    DateRange,
    /// An address: a text, and its parts.
    Address,
    /// Any other. Its values travel as they are given.
    Other,
}

/// The definitions of the fields of one kind of records.
#[derive(Debug)]
#[non_exhaustive]
pub struct FieldsOf {
    /// The key of the action that lists the definitions.
    pub list: &'static str,
    /// The inputs of that action.
    pub input: &'static [(&'static str, InputValue)],
}

/// A use of the names of fields in an input.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Naming {
    /// An object of values by the names or codes of custom fields, and how it travels.
    Values(&'static FieldsOf, FieldLayout),
    /// The names or codes of custom fields, in a list or one alone.
    Keys(&'static FieldsOf),
    /// The name or code of one field, whose value another input has.
    Pair(&'static FieldsOf, PairedField),
}

/// A field that an input names, and the input that has its value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PairedField {
    /// The input that has the value.
    pub value: &'static str,
    /// The way in which the value travels, if the field is custom.
    pub layout: FieldLayout,
    /// The function that finds names which stand for a field of every account, without a look at the definitions.
    pub is_known: fn(&str) -> bool,
}

/// A way in which records carry the values of custom fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldLayout {
    /// In an object of their own, by code. Parts of a value are an object.
    Nested,
    /// Among the members of the record, by code. The parts of a value have members of their own: `<code>_currency`.
    ///
    /// The ID of an option is a text, those of several are one text with commas.
    Beside,
}

/// The words by which a connector reads the definitions of fields, and the members that hold values.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldWords {
    /// The function that reads a definition, or returns `None` for a record that is none.
    pub read: fn(&Map<String, Value>) -> Option<AccountField>,
    /// The member of a record that holds the values by code.
    pub values: &'static str,
    /// The member beside it that holds the values by name.
    pub by_name: &'static str,
    /// The function that tells whether a text has the form of a custom field's code.
    pub is_code: fn(&str) -> bool,
}

impl AccountField {
    /// Builds a field from its code, its name and its kind. It is custom, and has no options or parts.
    pub fn new(code: impl Into<String>, name: impl Into<String>, kind: FieldKind) -> Self {
        let (code, name) = (code.into(), name.into());
        Self { code, name, kind, parts: &[], options: Vec::new(), is_custom: true, is_important: false, is_required: false }
    }

    /// Sets the values to choose from.
    #[must_use]
    pub fn with_options(mut self, options: Vec<FieldOption>) -> Self {
        self.options = options;
        self
    }

    /// Sets the members of a value that has parts, the main one first.
    #[must_use]
    pub fn with_parts(mut self, parts: &'static [&'static str]) -> Self {
        self.parts = parts;
        self
    }

    /// Marks a field that every account has.
    #[must_use]
    pub fn as_standard(mut self) -> Self {
        self.is_custom = false;
        self
    }

    /// Sets whether the app marks the field as important, and whether it demands a value.
    #[must_use]
    pub fn with_marks(mut self, is_important: bool, is_required: bool) -> Self {
        (self.is_important, self.is_required) = (is_important, is_required);
        self
    }
}

impl FieldOption {
    /// Builds an option from its ID, which is a number or a text, and its label.
    pub fn new(id: impl Into<Value>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into() }
    }
}

impl FieldsOf {
    /// Builds the definitions that an action lists, given these inputs.
    pub const fn new(list: &'static str, input: &'static [(&'static str, InputValue)]) -> Self {
        Self { list, input }
    }
}

impl PairedField {
    /// Builds the pair from the input that has the value, how the value travels, and the names that are known.
    pub const fn new(value: &'static str, layout: FieldLayout, is_known: fn(&str) -> bool) -> Self {
        Self { value, layout, is_known }
    }
}

impl Naming {
    /// Returns the definitions that the names come from.
    pub const fn fields(self) -> &'static FieldsOf {
        match self {
            Self::Values(fields, _) | Self::Keys(fields) | Self::Pair(fields, _) => fields,
        }
    }
}

impl FieldWords {
    /// Builds the words from the function that reads a definition.
    ///
    /// Values are in `custom_fields`, those by name in `custom_fields_by_name`, and no text has the form of a code.
    pub const fn new(read: fn(&Map<String, Value>) -> Option<AccountField>) -> Self {
        Self { read, values: "custom_fields", by_name: "custom_fields_by_name", is_code: |_| false }
    }

    /// Sets the members that hold the values: by code, and by name.
    #[must_use]
    pub const fn with_members(mut self, values: &'static str, by_name: &'static str) -> Self {
        (self.values, self.by_name) = (values, by_name);
        self
    }

    /// Sets the function that tells whether a text has the form of a custom field's code.
    #[must_use]
    pub const fn with_code(mut self, is_code: fn(&str) -> bool) -> Self {
        self.is_code = is_code;
        self
    }
}
