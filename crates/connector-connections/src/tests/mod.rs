//! Tests over both databases, against a vendor on this machine.

mod api_keys;
mod authorization;
mod connections;
mod credentials;
mod definitions;
mod installs;
mod ledger;
mod leftovers;
mod log;
mod meter;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod processes;
mod recorder;
mod refresh;
mod register;
mod stores;
mod threats;
mod vendor;
mod visits;

use std::time::Duration;

use connector_core::Error;
use connector_core::embed::{Access, Connections, Credential};
use connector_core::run::Http;
use secrecy::ExposeSecret;

use crate::{BeginOptions, Clock, Connection, Key, Moment, Store, Vault};
use vendor::{Vendor, Who};

/// Environment variable with the URL of a PostgreSQL database that may be thrown away.
#[cfg(feature = "postgres")]
const POSTGRES: &str = "CONNECTOR_TEST_POSTGRES";

const START: Moment = Moment::from_micros(1_800_000_000_000_000);
const BROWSER: &str = "a browser's own token";
const HEX_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Vendor, and a vault over a store of its own, with a fixed clock.
struct World {
    vendor: Vendor,
    vault: Vault,
    clock: Clock,
    place: Place,
}

/// Place of a store: a folder, or a schema of its own.
enum Place {
    Folder(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Schema(String),
}

impl Place {
    fn create_folder() -> Self {
        Self::Folder(tempfile::tempdir().expect("a folder"))
    }

    /// Creates a schema that no other test has, if there is a database.
    #[cfg(feature = "postgres")]
    async fn create_schema() -> Option<Self> {
        let Ok(url) = std::env::var(POSTGRES) else {
            assert!(std::env::var_os("CI").is_none(), "set {POSTGRES} in CI, or run `tests/postgres.sh cargo test …`");
            #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
            {
                eprintln!("skipped: {POSTGRES} is not set; run `tests/postgres.sh cargo test …`");
            }
            return None;
        };
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the database is there");
        let ended = tokio::spawn(connection);
        let schema = format!("test_{}", crate::value::random::generate_id().expect("an id").replace('-', ""));
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.expect("a schema");
        drop(client);
        ended.await.expect("no panic").expect("a clean end");
        let mark = if url.contains('?') { '&' } else { '?' };
        Some(Self::Schema(format!("{url}{mark}options=-csearch_path%3D{schema}")))
    }

    /// Returns the address by which another process opens the store.
    fn address(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path().join("store.db").display().to_string(),
            #[cfg(feature = "postgres")]
            Self::Schema(url) => url.clone(),
        }
    }

    /// Asserts that no file or row of the store holds any of these secrets.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "rows are read over a socket"))]
    async fn assert_holds_none_of(&self, secrets: &[&str]) {
        let content = match self {
            Self::Folder(folder) => read_files(folder.path()),
            #[cfg(feature = "postgres")]
            Self::Schema(url) => read_rows(url).await,
        };
        assert!(content.len() > 100, "the store was not read");
        for secret in secrets {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [secret.as_bytes(), hex.as_bytes()] {
                assert!(!content.windows(form.len()).any(|part| part == form), "{secret} is stored in the clear");
            }
        }
    }

    async fn store(&self) -> Store {
        open(&self.address()).await.expect("the store opens")
    }
}

fn read_files(folder: &std::path::Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).expect("it is read").map(|entry| entry.expect("it is read").path());
    entries.flat_map(|path| if path.is_dir() { read_files(&path) } else { std::fs::read(&path).expect("it is read") }).collect()
}

#[cfg(feature = "postgres")]
async fn read_rows(url: &str) -> Vec<u8> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    let tables = client.query("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()", &[]).await.expect("tables");
    let mut all = String::new();
    for table in tables {
        let table: String = table.get(0);
        for row in client.query(&format!("SELECT t::text FROM {table} t"), &[]).await.expect("rows") {
            all += row.get(0);
        }
    }
    all.into_bytes()
}

async fn open(address: &str) -> Result<Store, Error> {
    match address.strip_prefix("postgres") {
        #[cfg(feature = "postgres")]
        Some(_) => Store::postgres(address, &[]).await,
        _ => Store::sqlite(address).await,
    }
}

impl World {
    async fn new(place: Place) -> Self {
        let (vendor, clock) = (Vendor::start().await, Clock::fixed(START));
        let vault = vault(place.store().await, &vendor.url, &clock).await;
        Self { vendor, vault, clock, place }
    }

    /// Opens the store once more, as another process does.
    async fn open_another(&self) -> Vault {
        vault(self.place.store().await, &self.vendor.url, &self.clock).await
    }

    /// Connects an account by an authorization.
    async fn connect(&self, owner: &str, who: Who) -> Connection {
        let begun = self.vault.authorize(owner, "acme", None, BROWSER).await.expect("it begins");
        let state = state_of(&begun.url);
        self.vault.finish_authorization(BROWSER, &state, self.vendor.code(who)).await.expect("it is connected")
    }

    /// Returns the access of a call that names this connection.
    async fn access(&self, owner: &str, named: &str) -> Result<Access, Error> {
        access(&self.vault, owner, named).await
    }

    /// Advances the clock by the lifetime of a token.
    fn expire_tokens(&self) {
        self.clock.advance(Duration::from_hours(1));
    }

    fn refreshes(&self) -> usize {
        self.vendor.refreshes()
    }
}

async fn vault(store: Store, vendor: &str, clock: &Clock) -> Vault {
    let key = Key::parse(HEX_KEY).expect("a key");
    Vault::builder(store, key, &http()).app(vendor::app(vendor)).clock(clock.clone()).open().await.expect("the vault opens")
}

fn http() -> Http {
    Http::new(None, Vec::new()).expect("a client")
}

async fn access(vault: &Vault, owner: &str, named: &str) -> Result<Access, Error> {
    let owned = vault.for_owner(owner);
    let chosen = owned.choose("acme", Some(named)).await?;
    owned.access(&chosen).await
}

fn token(access: &Access) -> String {
    match access.credential() {
        Credential::Bearer(token) | Credential::ApiToken(token) => token.expose_secret().to_owned(),
        other => panic!("read the secret of {other:?}"),
    }
}

/// Returns a parameter of a URL.
fn parameter(url: &secrecy::SecretString, name: &str) -> String {
    let query = url.expose_secret().split_once('?').expect("a query").1;
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.into_owned().find(|(other, _)| other == name).expect("it is there").1
}

fn state_of(url: &secrecy::SecretString) -> String {
    parameter(url, "state")
}

#[tokio::test]
async fn public_futures_can_be_spawned() {
    fn assert_send<T: Send>(_: &T) {}
    let World { vault, .. } = World::new(Place::create_folder()).await;
    assert_send(&vault.authorize("ann", "acme", None, BROWSER));
    assert_send(&vault.open_link("link", BROWSER));
    assert_send(&vault.finish_authorization(BROWSER, "state", "code".into()));
    assert_send(&vault.decline_authorization(BROWSER, "state"));
    assert_send(&vault.hold_install("acme", "code".into()));
    assert_send(&vault.claim_install("ann", "handle"));
    assert_send(&vault.confirm_install("ann", "handle"));
    assert_send(&vault.decline_install("ann", "handle"));
    assert_send(&vault.begin("ann", "acme", BeginOptions::default()));
    assert_send(&vault.progress("ann", "id"));
    assert_send(&vault.exchange("ann", "id", "code".into()));
    assert_send(&vault.record_uninstall("client", "7", "3", None));
    assert_send(&vault.add_api_token("ann", "acme", None, None, "http://127.0.0.1:1", "token".into()));
    assert_send(&vault.remove("ann", "id"));
    assert_send(&vault.test("ann", "id"));
    assert_send(&vault.sweep());
    assert_send(&vault.rekey());
}

/// Runs each test over SQLite, and over PostgreSQL if there is a database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::tests::World::new(crate::tests::Place::create_folder()).await).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(place) = crate::tests::Place::create_schema().await {
                    super::$name(crate::tests::World::new(place).await).await;
                }
            })*
        }
    };
}
use on_both;
