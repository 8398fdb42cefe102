//! The case of a vendor's names.

/// A way to write names of several words.
///
/// It decides the names on the wire of inputs and members, which their fields in Rust give: `owner_id`. A name in
/// `#[wire("…")]` stays as it is written, and so does a value of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Case {
    /// `owner_id`
    Snake,
    /// `ownerId`
    Camel,
}

impl Case {
    /// Chooses one of two spellings of a name.
    pub const fn choose(self, snake: &'static str, camel: &'static str) -> &'static str {
        match self {
            Self::Snake => snake,
            Self::Camel => camel,
        }
    }
}
