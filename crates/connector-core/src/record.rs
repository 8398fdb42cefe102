//! One shape that comes back or goes in: its members, or the values of a closed set.

use crate::field::FieldShape;

/// One member of a record.
#[derive(Debug)]
pub struct Member {
    /// Its name, as the vendor writes it.
    pub name: &'static str,
    /// What it holds, as a sentence.
    pub doc: &'static str,
    /// What its type says; `Option` means that it may be absent or null.
    pub shape: FieldShape,
}

/// One value of a closed set.
#[derive(Clone, Copy, Debug)]
pub enum Closed {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(i64),
}
