//! The state file, which several processes may share.

use std::fs;
use std::path::PathBuf;
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::{assert_refused, get, get_data, list_ids, options, send, send_ok};
use crate::Store;
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;

/// A folder of one test, which is removed when the test ends.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.path().join("deep").join("state.json")
    }

    pub(super) fn recording(&self) -> PathBuf {
        self.0.path().join("recording.jsonl")
    }

    pub(super) fn open(&self) -> Result<Sandbox, OpenError> {
        Sandbox::open(Options { store: Store::File(self.state()), ..options() })
    }
}

#[test]
fn writes_are_there_for_the_next_sandbox() {
    let folder = Folder::new();
    let stage = send_ok(&folder.open().expect("a new file is made"), "PATCH", "/api/v2/stages/1", json!({ "name": "Kept" }));
    let again = get_data(&folder.open().expect("the file opens again"), "/api/v2/stages/1");
    assert_eq!(again, stage, "a write that was answered should be in the file");
}

#[test]
fn sandboxes_on_one_file_lose_no_write() {
    const EACH: usize = 8;
    let folder = Folder::new();
    let sandboxes = [folder.open().expect("a new file is made"), folder.open().expect("the file opens twice")];
    let created: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let sandbox = sandboxes[n % 2].clone();
                scope.spawn(move || {
                    let one = |_| send_ok(&sandbox, "POST", "/api/v2/organizations", json!({ "name": "Shared" }))["id"].as_u64();
                    (0..EACH).filter_map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    });
    let mut unique = created.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 4 * EACH, "each write should get its own id: {created:?}");
    for sandbox in &sandboxes {
        let all = list_ids(&get_data(sandbox, "/api/v2/organizations?limit=500"));
        assert!(unique.iter().all(|id| all.contains(id)), "each sandbox should see every write");
    }
}

#[test]
fn leaves_an_unreadable_file_unchanged() {
    let folder = Folder::new();
    drop(folder.open().expect("a new file is made"));
    for (content, part) in [("{\"version\":1,", "is no state file"), ("{\"version\":99}", "of version 99"), ("[]", "is no state file")] {
        fs::write(folder.state(), content).expect("the test writes the file");
        let error = folder.open().expect_err("such a file should not open").to_string();
        assert!(error.contains(part), "the error should say '{part}': {error}");
        assert_eq!(fs::read_to_string(folder.state()).expect("the file is there"), content, "the file should be unchanged");
    }
}

#[test]
fn corrupted_file_is_a_server_error() {
    let folder = Folder::new();
    let sandbox = folder.open().expect("a new file is made");
    fs::write(folder.state(), "broken").expect("the test writes the file");
    assert_refused(&get(&sandbox, "/api/v2/deals/1"), 500, "is no state file");
    assert_refused(&send(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x" })), 500, "is no state file");
    assert_eq!(fs::read_to_string(folder.state()).expect("the file is there"), "broken", "the file should be unchanged");
}

#[test]
fn write_that_cannot_be_stored_changes_nothing() {
    let folder = Folder::new();
    let sandbox = folder.open().expect("a new file is made");
    let temporary = PathBuf::from(format!("{}.new", folder.state().display()));
    drop(fs::remove_file(&temporary));
    fs::create_dir(&temporary).expect("a folder takes the temporary file's place");
    assert_refused(&send(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "title": "Lost" })), 500, "cannot be written");
    assert_ne!(get_data(&sandbox, "/api/v2/deals/1")["title"], "Lost", "a failed write should not be visible");
}

#[test]
fn failed_or_interrupted_write_leaves_memory_unchanged() {
    let sandbox = super::sandbox();
    let write = |fails: &(dyn Fn() -> Result<(), Failure> + std::panic::RefUnwindSafe)| {
        let sandbox = std::panic::AssertUnwindSafe(&sandbox);
        std::panic::catch_unwind(|| {
            sandbox.store().write(|world| {
                let state = world.company_mut(1).ok_or_else(Failure::unauthorized)?;
                state.forget("deals", 1);
                fails()
            })
        })
    };
    assert!(write(&|| Err(Failure::unauthorized())).is_ok_and(|result| result.is_err()));
    assert_eq!(get_data(&sandbox, "/api/v2/deals/1")["id"], 1, "a failed write should be taken back");
    assert!(write(&|| panic!("on purpose")).is_err());
    assert_eq!(get_data(&sandbox, "/api/v2/deals/1")["id"], 1, "an interrupted write should be taken back");
    assert!(write(&|| Ok(())).is_ok_and(|result| result.is_ok()));
    assert_refused(&get(&sandbox, "/api/v2/deals/1"), 404, "Deal not found");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    drop(folder.open().expect("a new file is made"));
    let mode = |path: PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(folder.state()), 0o600);
    assert_eq!(mode(folder.state().parent().expect("it is in a folder").to_owned()), 0o700);
}
