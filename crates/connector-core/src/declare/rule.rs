//! Rules between the inputs of an action.

use serde_json::{Map, Value};

use crate::value::fault::{Fault, FaultCode};

/// A rule between the inputs of an action.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Rule {
    /// At least one of these is given.
    AnyOf(&'static [&'static str]),
    /// No two of these are given.
    AtMostOne(&'static [&'static str]),
    /// A text has a minimum length, unless a flag is true.
    Shortest {
        /// The text.
        input: &'static str,
        /// The minimum length.
        length: usize,
        /// The flag.
        unless: &'static str,
    },
    /// An input may be set only beside some values of another. Null counts as not set.
    OnlyWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that allow it.
        values: &'static [&'static str],
        /// The value that the vendor uses if the other input is left out. `None` if it is unknown.
        default: Option<&'static str>,
    },
    /// An input is required beside some values of another, and not null.
    RequiredWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that require it.
        values: &'static [&'static str],
    },
    /// An input is not null beside some values of another; it may be left out.
    NotNullWith {
        /// The input.
        input: &'static str,
        /// The other input.
        with: &'static str,
        /// The values of the other input that refuse null.
        values: &'static [&'static str],
    },
}

impl Rule {
    /// Requires at least one of these inputs.
    pub const fn any_of(inputs: &'static [&'static str]) -> Self {
        Self::AnyOf(inputs)
    }

    /// Refuses two of these inputs at once.
    pub const fn at_most_one(inputs: &'static [&'static str]) -> Self {
        Self::AtMostOne(inputs)
    }

    /// Requires at least `length` characters of the text `input`, unless the flag `unless` is true.
    pub const fn shortest(input: &'static str, length: usize, unless: &'static str) -> Self {
        Self::Shortest { input, length, unless }
    }

    /// Allows `input` only if `with` is one of `values`. `default` is the value of `with` if it is left out.
    pub const fn only_with(
        input: &'static str,
        with: &'static str,
        values: &'static [&'static str],
        default: Option<&'static str>,
    ) -> Self {
        Self::OnlyWith { input, with, values, default }
    }

    /// Requires `input` where `with` is one of `values`.
    pub const fn required_with(input: &'static str, with: &'static str, values: &'static [&'static str]) -> Self {
        Self::RequiredWith { input, with, values }
    }

    /// Refuses null for `input` where `with` is one of `values`.
    pub const fn not_null_with(input: &'static str, with: &'static str, values: &'static [&'static str]) -> Self {
        Self::NotNullWith { input, with, values }
    }

    /// Finds the fault of an input by this rule.
    pub(crate) fn find_fault(&self, input: &Map<String, Value>) -> Option<Fault> {
        let is_given = |name: &&'static str| input.contains_key(*name);
        match *self {
            Self::AnyOf(names) => (!names.iter().any(is_given)).then(|| Fault::at("", FaultCode::NoneGiven(names))),
            Self::AtMostOne(names) => {
                let given: Vec<&'static str> = names.iter().copied().filter(is_given).collect();
                (given.len() > 1).then(|| Fault::at(format!("/{}", given[1]), FaultCode::Exclusive(given)))
            }
            Self::Shortest { input: name, length, unless } => {
                let text = input.get(name)?.as_str()?;
                (text.chars().count() < length && input.get(unless) != Some(&Value::Bool(true)))
                    .then(|| Fault::at(format!("/{name}"), FaultCode::TooShort { value: format!("{text:?}"), minimum: length as u64 }))
            }
            Self::OnlyWith { input: name, with, values, default } => {
                input.get(name).filter(|value| !value.is_null())?;
                let given = input.get(with).and_then(Value::as_str);
                let value = given.or(default).filter(|value| !values.contains(value))?.to_owned();
                let code = FaultCode::SetBeside { other: with, allowed: values, value, by_default: given.is_none() };
                Some(Fault::at(format!("/{name}"), code))
            }
            Self::RequiredWith { input: name, with, values } => {
                let value = find_value(input, with, values)?;
                input.get(name).is_none_or(Value::is_null).then(|| missing_beside(name, with, value))
            }
            Self::NotNullWith { input: name, with, values } => {
                let value = find_value(input, with, values)?;
                input.get(name)?.is_null().then(|| missing_beside(name, with, value))
            }
        }
    }
}

/// Finds the value of an input, where it is one of `values`.
fn find_value<'a>(input: &'a Map<String, Value>, name: &str, values: &[&str]) -> Option<&'a str> {
    input.get(name)?.as_str().filter(|value| values.contains(value))
}

fn missing_beside(name: &str, other: &'static str, value: &str) -> Fault {
    Fault::at(format!("/{name}"), FaultCode::MissingBeside { other, value: value.to_owned() })
}
