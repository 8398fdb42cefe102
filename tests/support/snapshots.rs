//! Snapshots, which all lie in `tests/snapshots` under the name that a test gives.

/// Fails if a text differs from the snapshot of this name.
#[track_caller]
pub(crate) fn assert_snapshot(name: impl Into<String>, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name.into(), text));
}
