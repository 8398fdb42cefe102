//! A company's state, and where all of them are kept: in memory, or in one JSON file that several processes may share.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seed;
use crate::value::disk::create_folder;
use crate::value::disk::private;
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::value::record::UUID;
use crate::value::record::id_of;
use crate::value::record::is_deleted;
use crate::value::record::{Record, plain};
use crate::world::World;

/// Where the sandbox keeps its records.
#[derive(Clone, Debug, Default)]
pub enum Store {
    /// Gone with the process.
    #[default]
    Memory,
    /// One JSON file, created with the demo data when it is not there.
    File(PathBuf),
}

/// Every record of a company by collection. Cheap to clone, so that a write works on a copy which a failure throws away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// A file of the first version has one company, and does not say which.
    #[serde(default = "first_company")]
    company: u64,
    tables: BTreeMap<String, Arc<Table>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Table {
    last_id: u64,
    rows: BTreeMap<u64, Arc<Record>>,
}

impl State {
    pub(crate) fn of(company: u64) -> Self {
        Self { company, tables: BTreeMap::new() }
    }

    pub(crate) fn company(&self) -> u64 {
        self.company
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

    /// The record of this id or UUID.
    pub(crate) fn find(&self, table: &str, id: &str) -> Option<&Record> {
        match id.parse() {
            Ok(id) => self.get(table, id),
            Err(_) => self.rows(table).find(|row| row.get(UUID).and_then(Value::as_str) == Some(id)),
        }
    }

    /// The record that another one's field points to.
    pub(crate) fn linked(&self, row: &Record, field: &str, table: &str) -> Option<&Record> {
        self.find(table, &plain(row.get(field)?))
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

    /// Drops a record for good: one that no other points to.
    pub(crate) fn forget(&mut self, table: &str, id: u64) {
        if let Some(table) = self.tables.get_mut(table) {
            Arc::make_mut(table).rows.remove(&id);
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
}

fn first_company() -> u64 {
    seed::FIRST
}

/// All of one sandbox's companies and the way to change them.
#[derive(Debug)]
pub(crate) enum Kept {
    Memory { world: OnceLock<RwLock<World>>, companies: usize },
    File { file: StateFile },
}

impl Kept {
    /// Holds at least the first `companies` of the demo ones.
    pub(crate) fn open(store: &Store, companies: usize) -> Result<Self, OpenError> {
        match store {
            Store::Memory => Ok(Self::Memory { world: OnceLock::new(), companies }),
            Store::File(path) => Ok(Self::File { file: StateFile::open(path, companies)? }),
        }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Memory { world, companies } => look(&lazy(world, *companies).read().unwrap_or_else(PoisonError::into_inner)),
            Self::File { file } => look(file.fresh().map_err(Failure::internal)?.as_ref()),
        }
    }

    /// Runs a change on a copy and keeps the copy only when the change succeeds and is stored.
    pub(crate) fn write<T, E: From<Failure>>(&self, change: impl FnOnce(&mut World) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Memory { world, companies } => {
                let mut world = lazy(world, *companies).write().unwrap_or_else(PoisonError::into_inner);
                let mut copy = world.clone();
                let answer = change(&mut copy)?;
                *world = copy;
                Ok(answer)
            }
            Self::File { file } => file.write(change),
        }
    }
}

fn lazy(world: &OnceLock<RwLock<World>>, companies: usize) -> &RwLock<World> {
    world.get_or_init(|| RwLock::new(World::demo(companies)))
}

#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    loaded: Mutex<Option<(Stamp, Arc<World>)>>,
}

/// Tells one content of the file from another: a rename brings a new inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl StateFile {
    fn open(path: &Path, companies: usize) -> Result<Self, OpenError> {
        let file = Self { path: path.to_owned(), loaded: Mutex::new(None) };
        let unwritable = |e: io::Error| OpenError::Unwritable { path: path.to_owned(), reason: e.to_string() };
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            create_folder(folder).map_err(unwritable)?;
        }
        let _lock = file.lock().map_err(unwritable)?;
        if !path.try_exists().map_err(unwritable)? {
            file.save(&World::demo(companies)).map_err(unwritable)?;
        }
        let mut world = World::clone(&*file.fresh()?);
        if world.complete(companies) {
            file.save(&world).map_err(unwritable)?;
        }
        Ok(file)
    }

    /// All as the file has it now.
    fn fresh(&self) -> Result<Arc<World>, OpenError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.stamp().map_err(|e| OpenError::unreadable(&self.path, &e))?;
        if let Some((stamp, world)) = loaded.as_ref()
            && *stamp == now
        {
            return Ok(Arc::clone(world));
        }
        let world = Arc::new(World::load(&self.path)?);
        *loaded = Some((now, Arc::clone(&world)));
        Ok(world)
    }

    fn write<T, E: From<Failure>>(&self, change: impl FnOnce(&mut World) -> Result<T, E>) -> Result<T, E> {
        let _lock = self.lock().map_err(|e| Failure::internal(format!("The state file cannot be locked: {e}")))?;
        let mut world = World::clone(&*self.fresh().map_err(Failure::internal)?);
        let answer = change(&mut world)?;
        let stamp = self.save(&world).map_err(|e| Failure::internal(format!("The state file cannot be written: {e}")))?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, Arc::new(world)));
        Ok(answer)
    }

    /// Held until dropped, against other processes and against other handles of this one.
    fn lock(&self) -> io::Result<File> {
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true)).open(self.beside("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn save(&self, world: &World) -> io::Result<Stamp> {
        let temporary = self.beside("new");
        let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&temporary)?;
        file.write_all(&serde_json::to_vec(world)?)?;
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
