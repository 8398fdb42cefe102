//! Views: the shapes in which the data of an answer can be given.

use std::fmt;
use std::str::FromStr;

/// A shape in which the data of an answer can be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum View {
    /// The vendor's own data, byte for byte.
    #[default]
    Record,
    /// One flat shape: camelCase names, IDs of nested objects, the vendor's old names, lists under `results`.
    Flat,
}

impl View {
    /// All views.
    pub const ALL: [Self; 2] = [Self::Record, Self::Flat];

    /// Returns the word for the view.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Flat => "flat",
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for View {
    type Err = String;

    /// Reads the word for a view. The error lists the words.
    fn from_str(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(" or ");
        Self::ALL.into_iter().find(|view| view.as_str() == word).ok_or_else(|| format!("a view is {}", words()))
    }
}

impl serde::Serialize for View {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
