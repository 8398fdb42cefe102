//! Reports of all that a check found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Fails if anything was found. The message lists all of it after the advice.
#[track_caller]
pub fn assert_none(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{} found; {advice}:\n{}", found.len(), found.join("\n"));
}

/// Fails if a text differs from the snapshot of this name in a folder.
pub(crate) fn assert_snapshot(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Lists the snapshots from which texts differ. The differences are printed, each where it is found.
pub(crate) fn find_changed<'t>(folder: &Path, texts: impl IntoIterator<Item = (String, &'t str)>) -> Vec<String> {
    let differs = |name: &str, text: &str| catch_unwind(AssertUnwindSafe(|| assert_snapshot(folder, name, text))).is_err();
    let changed = texts.into_iter().filter(|(name, text)| differs(name, text));
    changed.map(|(name, _)| format!("{} differs", folder.join(name).with_extension("snap").display())).collect()
}
