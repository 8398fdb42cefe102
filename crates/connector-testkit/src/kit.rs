//! The kit: a connector, and the folders of its fixtures and snapshots.

use std::path::{Path, PathBuf};

use connector_core::declare::Connector;
use connector_core::run::{Catalogue, Entry, Outcome};

use crate::fixture::Fixture;
use crate::report::{assert_snapshot, find_changed};

/// The tests of one connector. Each method `check_…` fails with all that it found, and with advice.
#[derive(Clone, Debug)]
pub struct Kit {
    pub(crate) connector: &'static Connector,
    folder: PathBuf,
    fixtures: PathBuf,
    snapshots: PathBuf,
    pub(crate) observe: fn(&Outcome),
    pub(crate) updates_fixtures: bool,
    pub(crate) not_sent: &'static [(&'static str, &'static str)],
}

impl Kit {
    /// Builds the tests of a connector, with a folder that has its fixtures and snapshots below it.
    ///
    /// The folder is mostly that of the connector's crate, `env!("CARGO_MANIFEST_DIR")`. The fixtures lie in `tests/fixtures` below it,
    /// the snapshots in `tests/snapshots`.
    pub fn new(connector: &'static Connector, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let (fixtures, snapshots) = (folder.join("tests/fixtures"), folder.join("tests/snapshots"));
        let updates_fixtures = std::env::var_os("UPDATE_FIXTURES").is_some();
        Self { connector, folder, fixtures, snapshots, observe: |_| {}, updates_fixtures, not_sent: &[] }
    }

    /// Moves the fixtures to another folder, below that of the kit unless the path is absolute.
    #[must_use]
    pub fn fixtures_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.fixtures = self.folder.join(folder);
        self
    }

    /// Moves the snapshots to another folder, below that of the kit unless the path is absolute.
    #[must_use]
    pub fn snapshots_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.snapshots = self.folder.join(folder);
        self
    }

    /// Hands each outcome to a function, which may hold it to more than the kit does.
    #[must_use]
    pub fn observe(mut self, observe: fn(&Outcome)) -> Self {
        self.observe = observe;
        self
    }

    /// Sets whether data that differs is written into the fixtures.
    ///
    /// Left out, it is where the environment has a variable `UPDATE_FIXTURES`.
    #[must_use]
    pub fn update_fixtures(mut self, is_update: bool) -> Self {
        self.updates_fixtures = is_update;
        self
    }

    /// Names inputs that code uses and does not send, each with the key of its action: a filter of what came back.
    #[must_use]
    pub fn not_sent(mut self, inputs: &'static [(&'static str, &'static str)]) -> Self {
        self.not_sent = inputs;
        self
    }

    /// Builds the connector's catalogue.
    pub fn build_catalogue(&self) -> Catalogue {
        let catalogue = Catalogue::build(&[self.connector]).unwrap_or_else(|error| panic!("the catalogue cannot be built: {error:?}"));
        let is_empty = catalogue.entries().is_empty();
        assert!(!is_empty, "{} declares no action: link the crate of its actions to this test", self.connector.key);
        catalogue
    }

    /// Reads all fixtures, in the order of the catalogue.
    ///
    /// One that is missing is left out: [`Kit::check_fixtures`] finds that.
    pub fn read_fixtures(&self) -> Vec<Fixture> {
        let keys = list_live_keys(&self.build_catalogue());
        let files = keys.into_iter().map(|key| (self.find_fixture(key), key)).filter(|(file, _)| file.exists());
        let fixtures: Vec<Fixture> = files.map(|(file, key)| Fixture::read(&file, key).unwrap_or_else(|fault| panic!("{fault}"))).collect();
        assert!(!fixtures.is_empty(), "{} holds no fixture of {}", self.fixtures.display(), self.connector.key);
        fixtures
    }

    /// Fails if a text differs from the snapshot of this name.
    #[track_caller]
    pub fn assert_snapshot(&self, name: &str, text: &str) {
        assert_snapshot(&self.snapshots, name, text);
    }

    /// Lists the snapshots from which texts differ.
    pub(crate) fn find_changed_snapshots<'t>(&self, texts: impl IntoIterator<Item = (String, &'t str)>) -> Vec<String> {
        find_changed(&self.snapshots, texts)
    }

    pub(crate) fn fixtures(&self) -> &Path {
        &self.fixtures
    }

    pub(crate) fn find_fixture(&self, key: &str) -> PathBuf {
        self.fixtures.join(format!("{key}.json"))
    }
}

/// Lists the keys that can be tried. Those that the vendor removed cannot.
pub(crate) fn list_live_keys(catalogue: &Catalogue) -> Vec<&'static str> {
    let is_removed = |entry: &Entry| entry.declaration().is_some_and(|declaration| declaration.removed.is_some());
    catalogue.entries().iter().filter(|entry| !is_removed(entry)).map(Entry::key).collect()
}

/// Returns true for an action whose requests depend on the record that it finds first.
pub(crate) fn is_upsert(entry: &Entry) -> bool {
    entry.declaration().is_some_and(|declaration| declaration.upsert.is_some())
}

/// Finds the entry of a key that a fixture has.
pub(crate) fn find_entry<'c>(catalogue: &'c Catalogue, key: &str) -> &'c Entry {
    catalogue.find(None, key).expect("a fixture that is read has a key of the catalogue")
}
