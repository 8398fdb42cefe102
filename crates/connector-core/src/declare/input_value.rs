//! Values that a declaration gives to inputs.

use serde_json::Value;

/// A value that a declaration gives to an input.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum InputValue {
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    Texts(&'static [&'static str]),
}

impl From<InputValue> for Value {
    fn from(value: InputValue) -> Self {
        match value {
            InputValue::Bool(flag) => flag.into(),
            InputValue::Texts(texts) => texts.into(),
        }
    }
}
