//! The hashes by which a journal knows the lines of its input again.

use std::fmt;

use connector_core::run::Line;
use sha2::{Digest, Sha256};

/// A hash of a line and all lines before it: two inputs that agree here agree in every line up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain(u128);

impl Chain {
    /// Adds the next line.
    pub(super) fn add(self, line: &Line) -> Self {
        let mut digest = Sha256::new();
        digest.update(self.0.to_be_bytes());
        match line {
            Line::Text(text) => digest.update(text),
            // Its text was not kept.
            _ => digest.update(b"\n"),
        }
        let hash = digest.finalize();
        Self(hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// Reads what a journal has.
    pub(super) fn read(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
