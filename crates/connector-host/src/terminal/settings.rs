//! The settings that a file gives, which count where neither a flag nor a variable sets them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

static KEPT: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// Keeps the settings of a file, by the names of their variables.
///
/// A process reads one file, before it reads a setting.
pub(crate) fn keep(settings: BTreeMap<String, String>) {
    KEPT.get_or_init(|| settings);
}

/// Finds the value that the file gives to a variable.
pub(crate) fn find(variable: &str) -> Option<String> {
    KEPT.get()?.get(variable).cloned()
}
