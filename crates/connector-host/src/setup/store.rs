//! The store of this host: the place of the connections, and the key that seals them.

use std::path::{Path, PathBuf};

use connector_connections::{App, Key, Store, Vault};
use connector_core::Error;
use connector_core::run::Http;
#[cfg(feature = "postgres")]
use secrecy::{ExposeSecret, SecretString};

use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};
use crate::terminal::linked::Linked;

/// The file of the store in the data folder.
pub(crate) const STORE_FILE: &str = "connections.db";

/// The file of the store that belongs to the sandbox.
pub(crate) const SANDBOX_STORE_FILE: &str = "sandbox-connections.db";

/// The place of a store, which may not exist yet.
#[derive(Clone, Debug)]
pub(crate) struct StorePlace {
    database: Database,
    /// True if a flag or a variable named it.
    is_named: bool,
}

#[derive(Clone, Debug)]
enum Database {
    File(PathBuf),
    /// The URL holds a password, and is not shown.
    #[cfg(feature = "postgres")]
    Postgres(SecretString),
}

impl StorePlace {
    /// Finds the store by the flag, else by the variable, else as a file of this name in the data folder.
    pub(crate) fn find(flag: Option<&str>, default: &str) -> Result<Self, Failure> {
        let named = flag.map(str::to_owned).or_else(|| env::variable(env::STORE));
        Ok(match named {
            Some(named) => Self { database: Database::parse(&named)?, is_named: true },
            None => Self { database: Database::File(env::data_folder()?.join(default)), is_named: false },
        })
    }

    /// Checks whether there is a store, or one was named.
    pub(crate) fn is_set(&self) -> bool {
        self.is_named || self.exists()
    }

    /// Checks whether there is a store. One in PostgreSQL counts as there.
    pub(crate) fn exists(&self) -> bool {
        match &self.database {
            // An empty file is no store: `mktemp` creates one for its name alone.
            Database::File(path) => std::fs::metadata(path).is_ok_and(|file| file.len() > 0),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => true,
        }
    }

    /// Checks whether a key or an app is set up, so that a store is expected although there is none.
    pub(crate) fn is_expected(&self, linked: Linked) -> Result<bool, Failure> {
        let has_key = matches!(&self.database, Database::File(path) if path.with_extension("key").exists());
        let mut is_expected = has_key || env::STORE_VARIABLES.iter().any(|name| env::variable(name).is_some());
        for one in linked.all() {
            for setting in env::APP_SETTINGS {
                is_expected |= one.setting(setting)?.is_some();
            }
        }
        Ok(is_expected)
    }

    /// Names the file of the store as the end of a clause: ` at /a/file`.
    pub(crate) fn at_file(&self) -> String {
        match &self.database {
            Database::File(path) => format!(" at {}", path.display()),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => String::new(),
        }
    }

    /// Opens the store, and creates it if there is none.
    pub(crate) async fn open_or_create(&self, apps: Vec<App>, http: &Http) -> Result<Vault, Failure> {
        let failed = |error: Error| Failure::host(one_line(&error));
        let key = self.load_key()?;
        let store = match &self.database {
            Database::File(path) => Store::sqlite(path).await,
            #[cfg(feature = "postgres")]
            Database::Postgres(url) => Store::postgres(url.expose_secret(), &env::authorities()?).await,
        };
        let mut vault = Vault::builder(store.map_err(failed)?, key, http);
        for app in apps {
            vault = vault.app(app);
        }
        if let Some(file) = env::variable(env::FORMER_KEY_FILE) {
            vault = vault.former_key(load_former_key(&file)?);
        }
        vault.open().await.map_err(failed)
    }

    /// Loads the key of the store from the variable, else from a file, which lies beside the store by default.
    fn load_key(&self) -> Result<Key, Failure> {
        if let Some(text) = env::variable(env::KEY) {
            return Key::parse(&text).map_err(|error| Failure::usage(format!("{}: {}", env::KEY, one_line(&error))));
        }
        let file = match (env::variable(env::KEY_FILE), &self.database) {
            (Some(file), _) => PathBuf::from(file),
            (None, Database::File(path)) => path.with_extension("key"),
            #[cfg(feature = "postgres")]
            // Other hosts could not open what a key of this machine alone seals.
            (None, Database::Postgres(_)) => {
                return Err(Failure::usage(format!(
                    "a store in PostgreSQL needs {} or {}, the same on every host",
                    env::KEY,
                    env::KEY_FILE
                )));
            }
        };
        // A new key would open nothing, and take the place of the lost one. Only a change of keys creates one here.
        let is_sealed = matches!(self.database, Database::File(_)) && self.exists();
        if is_sealed && !file.exists() && env::variable(env::FORMER_KEY_FILE).is_none() {
            let (at, key) = (self.at_file(), file.display());
            return Err(Failure::host(format!(
                "there is no key {key}: the store{at} needs the key that sealed it; put it back, or into {}",
                env::KEY
            )));
        }
        Key::load_or_create(&file).map_err(|error| Failure::host(format!("the key {}: {}", file.display(), one_line(&error))))
    }
}

impl Database {
    fn parse(text: &str) -> Result<Self, Failure> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            #[cfg(feature = "postgres")]
            return Ok(Self::Postgres(text.to_owned().into()));
            #[cfg(not(feature = "postgres"))]
            return Err(Failure::usage("this program was built without PostgreSQL: build it with --features postgres"));
        }
        // sqlite:///a/file, sqlite:a/file and a/file
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains("://") {
            return Err(Failure::usage("--store: write the path of a file, sqlite:PATH, or postgres://host/name"));
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// Loads a former key. It must exist: a new one would open nothing.
fn load_former_key(file: &str) -> Result<Key, Failure> {
    std::fs::metadata(file).map_err(|error| Failure::host(format!("the key {file}: {error}")))?;
    Key::load_or_create(Path::new(file)).map_err(|error| Failure::host(format!("the key {file}: {}", one_line(&error))))
}
