//! The store of this host: where connections are kept, what seals them, and the app they connect through.

use std::path::{Path, PathBuf};

use connector_connections::{App, Key, Store, Vault};
use connector_core::{Error, Http};
use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
#[cfg(feature = "postgres")]
use secrecy::{ExposeSecret, SecretString};

use crate::command::{Failure, told};
use crate::connectors::CONNECTORS;
use crate::env;

/// The store in the user's data folder.
pub(crate) const STORE_FILE: &str = "connections.db";

/// The store of a host that has a sandbox in place of the vendor.
pub(crate) const SANDBOX_STORE_FILE: &str = "sandbox-connections.db";

/// Whose connections the command line uses, where it is not told otherwise.
pub(crate) const LOCAL: &str = "local";

/// Where connections are kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    place: Place,
    /// Whether somebody said so, by a flag or a variable.
    named: bool,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The URL holds a password: it is not shown.
    #[cfg(feature = "postgres")]
    Postgres(SecretString),
}

/// Where the vendor sends a browser back to, below the URL at which browsers reach this host.
pub(crate) fn callback(public_url: &str) -> String {
    format!("{public_url}/oauth/callback")
}

impl Kept {
    /// By a flag, else by the variable, else in the user's data folder under this name.
    pub(crate) fn at(flag: Option<&str>, default: &str) -> Result<Self, Failure> {
        let given = flag.map(str::to_owned).or_else(|| env::variable(env::STORE));
        Ok(match given {
            Some(given) => Self { place: Place::read(&given)?, named: true },
            None => Self { place: Place::File(env::data_folder()?.join(default)), named: false },
        })
    }

    /// Whether there is a store, or one was asked for.
    pub(crate) fn is_set(&self) -> bool {
        self.named || self.exists()
    }

    /// Whether there is a store; one in a database is there for who can reach it.
    pub(crate) fn exists(&self) -> bool {
        match &self.place {
            // Whoever makes a file ahead, as `mktemp` does, leaves it empty.
            Place::File(path) => std::fs::metadata(path).is_ok_and(|file| file.len() > 0),
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => true,
        }
    }

    /// Whether a store is to be expected, though there is none: there is a key to seal one, or an app to connect through.
    pub(crate) fn is_expected(&self) -> bool {
        let has_key = matches!(&self.place, Place::File(path) if path.with_extension("key").exists());
        has_key || env::OF_A_STORE.iter().any(|name| env::variable(name).is_some())
    }

    /// Where its file is, or is to be, as a sentence goes on.
    pub(crate) fn at_file(&self) -> String {
        match &self.place {
            Place::File(path) => format!(" at {}", path.display()),
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => String::new(),
        }
    }

    /// Opens it, and makes it where there is none.
    pub(crate) async fn open(&self, app: App, http: &Http) -> Result<Vault, Failure> {
        let failed = |error: Error| Failure::host(told(&error));
        let key = self.key()?;
        let store = match &self.place {
            Place::File(path) => Store::sqlite(path).await,
            #[cfg(feature = "postgres")]
            Place::Postgres(url) => Store::postgres(url.expose_secret(), &env::authorities()?).await,
        };
        let vault = Vault::builder(store.map_err(failed)?, key, http).app(app);
        let vault = match env::variable(env::FORMER_KEY_FILE) {
            Some(file) => vault.former_key(read_key(&file)?),
            None => vault,
        };
        vault.open().await.map_err(failed)
    }

    /// The key that seals it: the variable, else a file, beside the store where that is one.
    fn key(&self) -> Result<Key, Failure> {
        if let Some(text) = env::variable(env::KEY) {
            return Key::parse(&text).map_err(|error| Failure::usage(format!("{}: {}", env::KEY, told(&error))));
        }
        let file = match (env::variable(env::KEY_FILE), &self.place) {
            (Some(file), _) => PathBuf::from(file),
            (None, Place::File(path)) => path.with_extension("key"),
            #[cfg(feature = "postgres")]
            // A key of this machine alone would seal what no other host opens.
            (None, Place::Postgres(_)) => {
                return Err(Failure::usage(format!(
                    "a store in PostgreSQL needs {} or {}, the same on every host",
                    env::KEY,
                    env::KEY_FILE
                )));
            }
        };
        // A new key would open nothing, and stand where the right one is to be put back; but a change of keys makes one.
        let sealed = matches!(self.place, Place::File(_)) && self.exists();
        if sealed && !file.exists() && env::variable(env::FORMER_KEY_FILE).is_none() {
            let (at, key) = (self.at_file(), file.display());
            return Err(Failure::host(format!(
                "there is no key {key}: the store{at} opens with the one that sealed it; put it back, or into {}",
                env::KEY
            )));
        }
        Key::load_or_create(&file).map_err(|error| Failure::host(format!("the key {}: {}", file.display(), told(&error))))
    }
}

impl Place {
    fn read(given: &str) -> Result<Self, Failure> {
        if given.starts_with("postgres://") || given.starts_with("postgresql://") {
            #[cfg(feature = "postgres")]
            return Ok(Self::Postgres(given.to_owned().into()));
            #[cfg(not(feature = "postgres"))]
            return Err(Failure::usage("this program was built without PostgreSQL: build it with --features postgres"));
        }
        // sqlite:///a/file, sqlite:a/file and a/file
        let path = given.strip_prefix("sqlite:").unwrap_or(given);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains("://") {
            return Err(Failure::usage("--store: write the path of a file, sqlite:PATH, or postgres://host/name"));
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// A key that must be there: a former one that was made now would open nothing.
fn read_key(file: &str) -> Result<Key, Failure> {
    std::fs::metadata(file).map_err(|error| Failure::host(format!("the key {file}: {error}")))?;
    Key::load_or_create(Path::new(file)).map_err(|error| Failure::host(format!("the key {file}: {}", told(&error))))
}

/// The app of the first connector against a sandbox, which knows this host as its demo app.
pub(crate) fn sandbox_app(url: &str, public_url: &str) -> Result<App, Failure> {
    let app = App::new(CONNECTORS[0]).map_err(|error| Failure::host(told(&error)))?;
    let app = app.with_client(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, callback(public_url));
    app.with_sandbox(url).map_err(|error| Failure::usage(format!("{}: {}", env::SANDBOX, told(&error))))
}

/// The app of the first connector: with a client where the environment names one, else for API tokens alone; against the
/// sandbox where that is named.
pub(crate) fn app(public_url: &str) -> Result<App, Failure> {
    let app = App::new(CONNECTORS[0]).map_err(|error| Failure::host(told(&error)))?;
    let app = match env::variable(env::SANDBOX) {
        Some(url) => app.with_sandbox(&url).map_err(|error| Failure::usage(format!("{}: {}", env::SANDBOX, told(&error))))?,
        None => app,
    };
    match (env::variable(env::CLIENT_ID), env::variable(env::CLIENT_SECRET)) {
        (Some(id), Some(secret)) => Ok(app.with_client(id, secret, callback(public_url))),
        (None, None) => Ok(app),
        _ => Err(Failure::usage(format!("{} and {} belong together", env::CLIENT_ID, env::CLIENT_SECRET))),
    }
}
