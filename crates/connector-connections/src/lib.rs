//! Connections of owners to vendors' accounts, and their secrets, in SQLite or PostgreSQL.
//!
//! A [`Vault`] over a [`Store`] holds the connections of all owners. [`Vault::for_owner`] gives a runtime the connections, the
//! ledger, the register of upserts and the kept definitions of one owner. This crate names no vendor: an [`App`] is built from a connector.
//!
//! The program that embeds this crate calls [`Vault::sweep`] every minute or so. The sweep removes connections that nobody
//! finished in time, and revokes grants that no connection uses.
//!
//! ```no_run
//! # async fn embed(connector: &'static connector_core::declare::Connector, path: &std::path::Path) -> Result<(), connector_core::Error> {
//! use connector_connections::{App, Key, Store, Vault};
//!
//! let http = connector_core::run::Http::new(None, Vec::new())?;
//! let store = Store::sqlite(path.join("connections.db")).await?;
//! let app = App::new(connector)?.with_client("client-id", "client-secret", "https://engine.example/oauth/callback");
//! let vault = Vault::builder(store, Key::load_or_create(&path.join("key"))?, &http).app(app).open().await?;
//!
//! let ann = vault.for_owner("ann");
//! let runtime = connector_core::run::Runtime::builder().connectors(&[connector]).connections(ann.clone()).ledger(ann.clone()).register(ann.clone()).cache(ann).http(&http).build()?;
//! # Ok(()) }
//! ```

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("enable the feature `sqlite` or `postgres`, in which connections are stored");

mod api_keys;
mod definitions;
mod grants;
mod ledger;
mod meter;
mod owner_vault;
mod register;
mod seal;
mod state;
mod store;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
mod value;
mod vault;
mod visits;

pub use api_keys::NewApiKey;
pub use grants::authorize::{Authorization, BeginOptions, Progress};
pub use grants::installs::{ClaimedInstall, HeldInstall};
pub use grants::sweep::SweepReport;
pub use ledger::{KeyState, LedgerKey, Resolution};
pub use owner_vault::OwnerVault;
pub use seal::keys::Key;
pub use store::Store;
pub use value::api_key::{ApiKey, Holder};
pub use value::app::App;
pub use value::clock::{Clock, Moment};
pub use value::lifetimes::{CODE_LIFETIME, SESSION_LIFETIME, STATE_LIFETIME};
pub use value::model::{Company, Connection, Metadata, Method, Reason, Revocation, Status, User};
pub use value::names::{check_name, check_owner};
pub use value::refresh_count::RefreshCount;
pub use vault::{Vault, VaultBuilder};
