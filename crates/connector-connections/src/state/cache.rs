//! Cache of credentials and lists that were read of the store a moment ago.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connector_core::embed::Access;
use secrecy::SecretString;

use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata};

/// Time for which an entry is used. Another process may have removed, renewed or failed the connection since.
const MAX_AGE: Duration = Duration::from_secs(2);
/// Maximum number of entries of a kind; beyond it all are forgotten.
const MAX_ENTRIES: usize = 10_000;

/// Cache of one process. Each change that this process makes forgets all entries.
#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    entries: Mutex<Entries>,
}

/// Time of a read. It is taken before the store is read, so that a change meanwhile outdates the entry.
#[derive(Clone, Copy)]
pub(crate) struct ReadTime {
    generation: u64,
    at: Moment,
}

#[derive(Default)]
struct Entries {
    credentials: HashMap<String, Entry<StoredCredential>>,
    lists: HashMap<String, Entry<Arc<[Connection]>>>,
}

#[derive(Clone)]
struct Entry<T> {
    value: T,
    read: ReadTime,
}

/// Credential of a connection as the store has it.
#[derive(Clone)]
pub(crate) struct StoredCredential {
    pub(crate) owner: String,
    pub(crate) app: String,
    pub(crate) metadata: Metadata,
    pub(crate) version: i64,
    pub(crate) access: Access,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) refresh_at: Option<Moment>,
    pub(crate) expires_at: Option<Moment>,
}

impl Cache {
    /// Forgets all entries, because something was changed.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the time of a read that begins now.
    pub(crate) fn begin_read(&self, now: Moment) -> ReadTime {
        ReadTime { generation: self.generation.load(Ordering::SeqCst), at: now }
    }

    /// Finds a connection's credential.
    pub(crate) fn find_credential(&self, id: &str, now: Moment) -> Option<StoredCredential> {
        let read = self.begin_read(now);
        self.entries().credentials.get(id).filter(|entry| entry.is_fresh(read)).map(|entry| entry.value.clone())
    }

    /// Keeps a connection's credential without its refresh token, which is read again when it is needed.
    pub(crate) fn keep_credential(&self, id: &str, credential: &StoredCredential, read: ReadTime) {
        let value = StoredCredential { refresh: None, ..credential.clone() };
        insert(&mut self.entries().credentials, id, Entry { value, read });
    }

    /// Finds an owner's list of connections.
    pub(crate) fn find_list(&self, owner: &str, now: Moment) -> Option<Arc<[Connection]>> {
        let read = self.begin_read(now);
        self.entries().lists.get(owner).filter(|entry| entry.is_fresh(read)).map(|entry| Arc::clone(&entry.value))
    }

    /// Keeps an owner's list of connections.
    pub(crate) fn keep_list(&self, owner: &str, list: &Arc<[Connection]>, read: ReadTime) {
        insert(&mut self.entries().lists, owner, Entry { value: Arc::clone(list), read });
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert<T>(entries: &mut HashMap<String, Entry<T>>, key: &str, entry: Entry<T>) {
    if entries.len() >= MAX_ENTRIES {
        entries.clear();
    }
    entries.insert(key.to_owned(), entry);
}

impl<T> Entry<T> {
    fn is_fresh(&self, now: ReadTime) -> bool {
        // After a clock was set back, the age of an entry read later is unknown.
        self.read.generation == now.generation && self.read.at <= now.at && now.at < self.read.at + MAX_AGE
    }
}

impl StoredCredential {
    /// Checks whether the token is to be refreshed now.
    pub(crate) fn needs_refresh(&self, now: Moment) -> bool {
        self.refresh_at.is_some_and(|at| at <= now)
    }

    /// Checks whether the token has not expired.
    pub(crate) fn is_valid(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}
