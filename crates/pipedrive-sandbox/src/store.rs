//! The state and where it is kept: in memory, or in one JSON file that several processes may share.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::OpenError;
use crate::failure::Failure;
use crate::seed;
use crate::validate::Record;

const VERSION: u32 = 1;

/// Where the sandbox keeps its records.
#[derive(Clone, Debug, Default)]
pub enum Store {
    /// Gone with the process.
    #[default]
    Memory,
    /// One JSON file, created with the demo data when it is not there.
    File(PathBuf),
}

/// Every record by collection. Cheap to clone, so that a write works on a copy which a failure throws away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    tables: BTreeMap<String, Arc<Table>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Table {
    last_id: u64,
    rows: BTreeMap<u64, Arc<Record>>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { version: VERSION, tables: BTreeMap::new() }
    }

    pub(crate) fn rows(&self, table: &str) -> impl Iterator<Item = &Record> {
        self.tables.get(table).into_iter().flat_map(|t| t.rows.values()).map(Arc::as_ref)
    }

    /// The records that are not deleted.
    pub(crate) fn live(&self, table: &str) -> impl Iterator<Item = &Record> {
        self.rows(table).filter(|row| !is_deleted(row))
    }

    pub(crate) fn get(&self, table: &str, id: u64) -> Option<&Record> {
        self.tables.get(table)?.rows.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn get_live(&self, table: &str, id: u64) -> Option<&Record> {
        self.get(table, id).filter(|row| !is_deleted(row))
    }

    /// The record that another one's field points to.
    pub(crate) fn linked(&self, row: &Record, field: &str, table: &str) -> Option<&Record> {
        self.get(table, row.get(field)?.as_u64()?)
    }

    /// Keeps a record under a new id, which becomes its `id`.
    pub(crate) fn insert(&mut self, table: &str, row: Record) -> u64 {
        let table = Arc::make_mut(self.tables.entry(table.to_owned()).or_default());
        table.last_id = table.last_id.saturating_add(1);
        let mut numbered = Record::new();
        numbered.insert("id".to_owned(), table.last_id.into());
        numbered.extend(row);
        table.rows.insert(table.last_id, Arc::new(numbered));
        table.last_id
    }

    /// Replaces a record, or puts back one of a known id.
    pub(crate) fn put(&mut self, table: &str, row: Record) {
        if let Some(id) = id_of(&row) {
            let table = Arc::make_mut(self.tables.entry(table.to_owned()).or_default());
            table.last_id = table.last_id.max(id);
            table.rows.insert(id, Arc::new(row));
        }
    }

    /// Changes every record of a table that `concerns` it.
    pub(crate) fn change(&mut self, table: &str, concerns: impl Fn(&Record) -> bool, change: impl Fn(&mut Record)) {
        let Some(rows) = self.tables.get_mut(table) else {
            return;
        };
        if rows.rows.values().any(|row| concerns(row)) {
            for row in Arc::make_mut(rows).rows.values_mut().filter(|row| concerns(row)) {
                change(Arc::make_mut(row));
            }
        }
    }

    fn load(path: &Path) -> Result<Self, OpenError> {
        let bytes = fs::read(path).map_err(|e| OpenError::unreadable(path, &e))?;
        let corrupt = |e: &dyn std::fmt::Display| OpenError::Corrupt { path: path.to_owned(), reason: e.to_string() };
        // The version first: a newer file need not have this shape.
        let version: VersionOnly = serde_json::from_slice(&bytes).map_err(|e| corrupt(&e))?;
        if version.version > VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), version: version.version });
        }
        serde_json::from_slice(&bytes).map_err(|e| corrupt(&e))
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

pub(crate) fn id_of(row: &Record) -> Option<u64> {
    row.get("id")?.as_u64()
}

pub(crate) fn is_deleted(row: &Record) -> bool {
    row.get("is_deleted").and_then(Value::as_bool).unwrap_or(false)
}

/// The state of one sandbox and the way to change it.
#[derive(Debug)]
pub(crate) enum Kept {
    Memory { state: OnceLock<RwLock<State>> },
    File { file: StateFile },
}

impl Kept {
    pub(crate) fn open(store: &Store) -> Result<Self, OpenError> {
        match store {
            Store::Memory => Ok(Self::Memory { state: OnceLock::new() }),
            Store::File(path) => Ok(Self::File { file: StateFile::open(path)? }),
        }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Memory { state } => look(&lazy(state).read().unwrap_or_else(PoisonError::into_inner)),
            Self::File { file } => look(file.fresh().map_err(Failure::internal)?.as_ref()),
        }
    }

    /// Runs a change on a copy and keeps the copy only when the change succeeds and is stored.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Memory { state } => {
                let mut state = lazy(state).write().unwrap_or_else(PoisonError::into_inner);
                let mut copy = state.clone();
                let answer = change(&mut copy)?;
                *state = copy;
                Ok(answer)
            }
            Self::File { file } => file.write(change),
        }
    }
}

fn lazy(state: &OnceLock<RwLock<State>>) -> &RwLock<State> {
    state.get_or_init(|| RwLock::new(seed::demo()))
}

#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    loaded: Mutex<Option<(Stamp, Arc<State>)>>,
}

/// Tells one content of the file from another: a rename brings a new inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl StateFile {
    fn open(path: &Path) -> Result<Self, OpenError> {
        let file = Self { path: path.to_owned(), loaded: Mutex::new(None) };
        let unwritable = |e: io::Error| OpenError::Unwritable { path: path.to_owned(), reason: e.to_string() };
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            create_folder(folder).map_err(unwritable)?;
        }
        let _lock = file.lock().map_err(unwritable)?;
        if !path.try_exists().map_err(unwritable)? {
            file.save(&seed::demo()).map_err(unwritable)?;
        }
        file.fresh()?;
        Ok(file)
    }

    /// The state as the file has it now.
    fn fresh(&self) -> Result<Arc<State>, OpenError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.stamp().map_err(|e| OpenError::unreadable(&self.path, &e))?;
        if let Some((stamp, state)) = loaded.as_ref()
            && *stamp == now
        {
            return Ok(Arc::clone(state));
        }
        let state = Arc::new(State::load(&self.path)?);
        *loaded = Some((now, Arc::clone(&state)));
        Ok(state)
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
        let _lock = self.lock().map_err(|e| Failure::internal(format!("The state file cannot be locked: {e}")))?;
        let mut state = State::clone(&*self.fresh().map_err(Failure::internal)?);
        let answer = change(&mut state)?;
        let stamp = self.save(&state).map_err(|e| Failure::internal(format!("The state file cannot be written: {e}")))?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, Arc::new(state)));
        Ok(answer)
    }

    /// Held until dropped, against other processes and against other handles of this one.
    fn lock(&self) -> io::Result<File> {
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true)).open(self.beside("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn save(&self, state: &State) -> io::Result<Stamp> {
        let temporary = self.beside("new");
        let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&temporary)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        self.stamp()
    }

    fn stamp(&self) -> io::Result<Stamp> {
        let data = fs::metadata(&self.path)?;
        Ok(Stamp { modified: data.modified().ok(), length: data.len(), inode: inode(&data) })
    }

    fn beside(&self, extension: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    }
}

#[cfg(unix)]
fn inode(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// Records may be copies of real ones: the file is its owner's alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
