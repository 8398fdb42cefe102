//! The store of a sandbox: memory, or one JSON file that several processes may share.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use crate::value::disk::{create_folder, restrict_to_owner};
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::world::contents::World;

/// The place where a sandbox stores its data.
#[derive(Clone, Debug, Default)]
pub enum Store {
    /// The data is lost when the process ends.
    #[default]
    Memory,
    /// One JSON file. It is created with the demo data if it does not exist.
    File(PathBuf),
}

/// An open store: reads a sandbox's world, and changes it one write at a time.
#[derive(Debug)]
pub(crate) enum WorldStore {
    Memory { world: OnceLock<RwLock<World>>, companies: usize },
    File { file: StateFile },
}

impl WorldStore {
    /// Opens a store that has at least the first `companies` demo companies.
    pub(crate) fn open(store: &Store, companies: usize) -> Result<Self, OpenError> {
        match store {
            Store::Memory => Ok(Self::Memory { world: OnceLock::new(), companies }),
            Store::File(path) => Ok(Self::File { file: StateFile::open(path, companies)? }),
        }
    }

    pub(crate) fn read<T>(&self, run: impl FnOnce(&World) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Memory { world, companies } => run(&get_or_build(world, *companies).read().unwrap_or_else(PoisonError::into_inner)),
            Self::File { file } => run(file.load().map_err(Failure::internal)?.as_ref()),
        }
    }

    /// Runs a change, which stays only if it succeeds and is stored.
    pub(crate) fn write<T, E: From<Failure>>(&self, change: impl FnOnce(&mut World) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Memory { world, companies } => {
                let mut world = get_or_build(world, *companies).write().unwrap_or_else(PoisonError::into_inner);
                world.change(change)
            }
            Self::File { file } => file.write(change),
        }
    }
}

fn get_or_build(world: &OnceLock<RwLock<World>>, companies: usize) -> &RwLock<World> {
    world.get_or_init(|| RwLock::new(World::build_demo(companies)))
}

/// A state file, and the contents that were read from it last.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    loaded: Mutex<Option<(FileVersion, Arc<World>)>>,
}

/// The metadata that differ after each write. A write renames a new file into place, which has another inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
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
            file.save(&World::build_demo(companies)).map_err(unwritable)?;
        }
        let mut world = World::clone(&*file.load()?);
        if world.add_missing(companies) {
            file.save(&world).map_err(unwritable)?;
        }
        Ok(file)
    }

    /// Returns the contents of the file, which is read again only if it has changed.
    fn load(&self) -> Result<Arc<World>, OpenError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.read_version().map_err(|e| OpenError::unreadable(&self.path, &e))?;
        if let Some((version, world)) = loaded.as_ref()
            && *version == now
        {
            return Ok(Arc::clone(world));
        }
        let world = Arc::new(World::load(&self.path)?);
        *loaded = Some((now, Arc::clone(&world)));
        Ok(world)
    }

    fn write<T, E: From<Failure>>(&self, change: impl FnOnce(&mut World) -> Result<T, E>) -> Result<T, E> {
        let _lock = self.lock().map_err(|e| Failure::internal(format!("The state file cannot be locked: {e}")))?;
        let mut world = World::clone(&*self.load().map_err(Failure::internal)?);
        let answer = world.change(change)?;
        let version = self.save(&world).map_err(|e| Failure::internal(format!("The state file cannot be written: {e}")))?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, Arc::new(world)));
        Ok(answer)
    }

    /// Locks the file until the lock is dropped, against other processes and other handles of this process.
    fn lock(&self) -> io::Result<File> {
        let lock = restrict_to_owner(OpenOptions::new().create(true).truncate(false).write(true)).open(self.add_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn save(&self, world: &World) -> io::Result<FileVersion> {
        let temporary = self.add_extension("new");
        let mut file = restrict_to_owner(OpenOptions::new().create(true).truncate(true).write(true)).open(&temporary)?;
        file.write_all(&serde_json::to_vec(world)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        self.read_version()
    }

    fn read_version(&self) -> io::Result<FileVersion> {
        let data = fs::metadata(&self.path)?;
        Ok(FileVersion { modified: data.modified().ok(), length: data.len(), inode: read_inode(&data) })
    }

    fn add_extension(&self, extension: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    }
}

#[cfg(unix)]
fn read_inode(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn read_inode(_: &fs::Metadata) -> u64 {
    0
}
