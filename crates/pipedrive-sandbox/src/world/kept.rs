//! The place where a sandbox keeps its data: memory, or one JSON file that several processes may share.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use crate::value::disk::{create_folder, restrict_to_owner};
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::world::contents::World;

/// The place in which a sandbox keeps its data.
#[derive(Clone, Debug, Default)]
pub enum Store {
    /// Memory: the data is lost when the process ends.
    #[default]
    Memory,
    /// One JSON file. If it does not exist, it is created with the demo data.
    File(PathBuf),
}

/// The contents of a sandbox in their place, and the way to change them.
#[derive(Debug)]
pub(crate) enum Kept {
    Memory { world: OnceLock<RwLock<World>>, companies: usize },
    File { file: StateFile },
}

impl Kept {
    /// Opens the store. It has at least the first `companies` demo companies.
    pub(crate) fn open(store: &Store, companies: usize) -> Result<Self, OpenError> {
        match store {
            Store::Memory => Ok(Self::Memory { world: OnceLock::new(), companies }),
            Store::File(path) => Ok(Self::File { file: StateFile::open(path, companies)? }),
        }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Memory { world, companies } => look(&get_or_build(world, *companies).read().unwrap_or_else(PoisonError::into_inner)),
            Self::File { file } => look(file.load_if_changed().map_err(Failure::internal)?.as_ref()),
        }
    }

    /// Runs a change on a copy, and keeps the copy only if the change succeeds and is stored.
    pub(crate) fn write<T, E: From<Failure>>(&self, change: impl FnOnce(&mut World) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Memory { world, companies } => {
                let mut world = get_or_build(world, *companies).write().unwrap_or_else(PoisonError::into_inner);
                let mut copy = world.clone();
                let answer = change(&mut copy)?;
                *world = copy;
                Ok(answer)
            }
            Self::File { file } => file.write(change),
        }
    }
}

fn get_or_build(world: &OnceLock<RwLock<World>>, companies: usize) -> &RwLock<World> {
    world.get_or_init(|| RwLock::new(World::demo(companies)))
}

#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    loaded: Mutex<Option<(Stamp, Arc<World>)>>,
}

/// The state of the file, which differs for each content: a rename brings a new inode.
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
        let mut world = World::clone(&*file.load_if_changed()?);
        if world.complete(companies) {
            file.save(&world).map_err(unwritable)?;
        }
        Ok(file)
    }

    /// Returns the contents of the file, which is read again only if it has changed.
    fn load_if_changed(&self) -> Result<Arc<World>, OpenError> {
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
        let mut world = World::clone(&*self.load_if_changed().map_err(Failure::internal)?);
        let answer = change(&mut world)?;
        let stamp = self.save(&world).map_err(|e| Failure::internal(format!("The state file cannot be written: {e}")))?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, Arc::new(world)));
        Ok(answer)
    }

    /// Locks the file against other processes and other handles of this one, until the lock is dropped.
    fn lock(&self) -> io::Result<File> {
        let lock = restrict_to_owner(OpenOptions::new().create(true).truncate(false).write(true)).open(self.beside("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn save(&self, world: &World) -> io::Result<Stamp> {
        let temporary = self.beside("new");
        let mut file = restrict_to_owner(OpenOptions::new().create(true).truncate(true).write(true)).open(&temporary)?;
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
