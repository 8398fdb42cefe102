//! The journal of a batch: a file of lines that says what was begun and done, and outlives a kill.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::command::batch::history::{HEADER, History};
use crate::terminal::failure::Failure;

/// The journal of a batch. One process has it at a time.
#[derive(Debug)]
pub(super) struct Journal {
    file: Arc<File>,
    path: PathBuf,
    state: Mutex<State>,
    /// Held by the one who makes records durable. Those who wait find their own among them.
    syncing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of records that were appended, and of those that are durable.
    appended: u64,
    durable: u64,
    /// The failure after which nothing is appended: a record may be there in part.
    failure: Option<String>,
}

impl Journal {
    /// Opens a journal or begins one, and reads what it has.
    pub(super) fn open(path: &Path) -> Result<(Self, History), Failure> {
        let name = path.display();
        let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = opened.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => Failure::usage(format!("--resume {name}: {error}")),
            _ => explain(path, &error),
        })?;
        if !file.metadata().map_err(|error| explain(path, &error))?.is_file() {
            return Err(Failure::usage(format!("--resume {name}: is no regular file")));
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Failure::host(format!("--resume {name}: another process uses this journal. Wait until it ends, or stop it."))
            }
            TryLockError::Error(error) => explain(path, &error),
        })?;
        let history = read(&file, path)?;
        let journal = Self { file: Arc::new(file), path: path.to_owned(), state: Mutex::default(), syncing: tokio::sync::Mutex::default() };
        Ok((journal, history))
    }

    /// Appends a record. It is safe from a kill of this process then, and not from a loss of power.
    pub(super) fn append(&self, record: &[u8]) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = &state.failure {
            return Err(Failure::host(failure.clone()));
        }
        if let Err(error) = (&*self.file).write_all(record) {
            let failure = explain(&self.path, &error);
            state.failure = Some(failure.message().to_owned());
            return Err(failure);
        }
        state.appended += 1;
        Ok(())
    }

    /// Appends a record, and waits until the disk has it. Records that come at the same time share one wait.
    pub(super) async fn append_durably(&self, record: &[u8]) -> Result<(), Failure> {
        self.append(record)?;
        let own = self.lock_state().appended;
        let _syncing = self.syncing.lock().await;
        let appended = {
            let state = self.lock_state();
            if let Some(failure) = &state.failure {
                return Err(Failure::host(failure.clone()));
            }
            if state.durable >= own {
                return Ok(());
            }
            state.appended
        };
        let file = Arc::clone(&self.file);
        let synced = tokio::task::spawn_blocking(move || file.sync_data()).await.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        let mut state = self.lock_state();
        match synced {
            Ok(()) => {
                state.durable = appended;
                Ok(())
            }
            Err(error) => {
                let failure = explain(&self.path, &error);
                state.failure = Some(failure.message().to_owned());
                Err(failure)
            }
        }
    }

    /// Returns the failure after which nothing is appended, if there was one.
    pub(super) fn find_failure(&self) -> Option<Failure> {
        self.lock_state().failure.clone().map(Failure::host)
    }

    fn lock_state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn explain(path: &Path, error: &io::Error) -> Failure {
    let check = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "Check that this user may write to the file and its folder",
        _ => "Check that the disk has room and is sound",
    };
    Failure::host(format!("--resume {}: {error}. {check}, then run the same command again.", path.display()))
}

/// Reads a journal. What a kill left of its last line is cut off, and an empty file becomes a journal.
fn read(mut file: &File, path: &Path) -> Result<History, Failure> {
    let unreadable = |error: io::Error| explain(path, &error);
    let refuse = |why: String| Failure::usage(format!("--resume {}: {why}", path.display()));
    let (mut history, mut reader, mut line) = (History::default(), BufReader::with_capacity(64 << 10, file), Vec::new());
    let (mut whole, mut number) = (0_u64, 0_u64);
    loop {
        line.clear();
        let count = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        let Some(text) = line.strip_suffix(b"\n") else {
            if number == 0 && !HEADER.as_bytes().starts_with(&line) {
                return Err(refuse("is no journal of a batch: name a new file".to_owned()));
            }
            if count > 0 {
                file.set_len(whole).map_err(unreadable)?;
            }
            break;
        };
        number += 1;
        if number == 1 && text != HEADER.as_bytes() {
            let found: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
            return Err(refuse(match &found["journal"] {
                journal if *journal == "connector batch" => {
                    format!(
                        "is a journal of version {}, and this program knows version 1: go on with the program that began it",
                        found["version"]
                    )
                }
                _ => "is no journal of a batch: name a new file".to_owned(),
            }));
        }
        if number > 1 && history.add(text).is_none() {
            return Err(refuse(format!(
                "line {number} of the journal is damaged: begin another one, and leave out the lines that have an outcome"
            )));
        }
        whole += count as u64;
    }
    if number == 0 {
        file.write_all(format!("{HEADER}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(unreadable)?;
        // The name of a new file is durable once its folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unreadable)?;
    }
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::batch::chain::Chain;
    use crate::command::batch::history::{write_begun, write_done, write_written};

    /// Cuts a journal at every byte, as a kill in the midst of a write does.
    #[test]
    fn journal_that_was_cut_anywhere_has_all_its_whole_records() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let (journal, _) = Journal::open(&path).expect("a new journal");
        for record in [write_begun(1, Chain::default()), write_done(1, Chain::default(), true, b"{\"id\":1}"), write_written(1)] {
            journal.append(&record).expect("there is room");
        }
        drop(journal);
        let whole = std::fs::read(&path).expect("it is there");
        for end in 0..=whole.len() {
            std::fs::write(&path, &whole[..end]).expect("it can be written");
            let (journal, history) = Journal::open(&path).unwrap_or_else(|failure| panic!("cut at {end}: {}", failure.message()));
            let records = whole[..end].iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
            let found = [history.begun.len(), usize::from(history.done.contains(1)), history.pending.len()];
            assert_eq!(found, [[0, 0, 0], [1, 0, 0], [0, 1, 1], [0, 1, 0]][records], "cut at {end}");
            journal.append(&write_begun(2, Chain::default())).expect("there is room");
            drop(journal);
            let (_, again) = Journal::open(&path).unwrap_or_else(|failure| panic!("cut at {end}: {}", failure.message()));
            assert!(again.begun.contains_key(&2), "a record after the cut is whole, cut at {end}");
        }
    }

    #[test]
    fn file_that_is_no_journal_of_this_version_is_refused_and_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        for (text, words) in [
            ("{\"journal\":\"connector batch\",\"version\":2}\n", "version 2"),
            ("{\"action\":\"getDeals\"}\n", "no journal"),
            ("{\"action\":\"getDeals\"}", "no journal"),
            ("{\"journal\":\"connector batch\",\"version\":1}\n{\"begun\":1}\n{}\n", "line 2 of the journal is damaged"),
        ] {
            std::fs::write(&path, text).expect("it can be written");
            let failure = Journal::open(&path).expect_err("it is refused");
            assert!(failure.message().contains(words), "{text}: {}", failure.message());
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
    }

    #[test]
    fn two_at_once_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let (journal, _) = Journal::open(&path).expect("a new journal");
        let failure = Journal::open(&path).expect_err("it is locked");
        assert!(failure.message().contains("another process"), "{}", failure.message());
        drop(journal);
        Journal::open(&path).expect("it is free again");
    }

    #[tokio::test]
    async fn records_that_come_at_once_share_a_wait_for_the_disk() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (journal, _) = Journal::open(&folder.path().join("journal")).expect("a new journal");
        let journal = Arc::new(journal);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 1..=100 {
            let journal = Arc::clone(&journal);
            tasks.spawn(async move { journal.append_durably(&write_begun(number, Chain::default())).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("it runs").expect("there is room");
        }
        let state = journal.lock_state();
        assert_eq!((state.appended, state.durable), (100, 100));
    }
}
