//! Who may call, as whom: connections and their secrets in SQLite or PostgreSQL, how they come about, and refresh.
//!
//! A [`Vault`] over a [`Store`] keeps every owner's connections; [`Vault::for_owner`] is what a runtime is given: one owner's
//! connections and ledger, and never another's. This crate names no vendor: an [`App`] is made of a connector.
//!
//! The program that embeds this calls [`Vault::sweep`] every minute or so: it removes what nobody finished or confirmed in
//! time, and gives grants back that no connection lives by. Without it neither happens.
//!
//! ```no_run
//! # async fn embed(connector: &'static connector_core::Connector, path: &std::path::Path) -> Result<(), connector_core::Error> {
//! use connector_connections::{App, Key, Store, Vault};
//!
//! let http = connector_core::Http::new(None, Vec::new())?;
//! let store = Store::sqlite(path.join("connections.db")).await?;
//! let app = App::new(connector)?.with_client("client-id", "client-secret", "https://engine.example/oauth/callback");
//! let vault = Vault::builder(store, Key::load_or_create(&path.join("key"))?, &http).app(app).open().await?;
//!
//! let ann = vault.for_owner("ann");
//! let runtime = connector_core::Runtime::builder().connectors(&[connector]).connections(ann.clone()).ledger(ann).http(&http).build()?;
//! # Ok(()) }
//! ```

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("connections are kept somewhere: choose the feature `sqlite` or `postgres`");

mod access;
mod api_keys;
mod flows;
mod installs;
mod ledger;
mod leftover;
mod oauth;
mod owner_vault;
mod rekey;
mod rows;
mod seal;
mod store;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
mod tickets;
mod value;
mod vault;
mod visits;

pub use api_keys::{ApiKey, Holder, NewApiKey};
pub use flows::{Authorization, BeginOptions, Progress, STATE_LIFETIME};
pub use installs::{CODE_LIFETIME, ClaimedInstall, HeldInstall};
pub use owner_vault::OwnerVault;
pub use seal::keys::Key;
pub use store::Store;
pub use value::app::App;
pub use value::clock::{Clock, Moment};
pub use value::model::{Company, Connection, Metadata, Method, Reason, Revocation, Status, User};
pub use value::names::{check_name, check_owner};
pub use vault::{SweepReport, Vault, VaultBuilder};
pub use visits::SESSION_LIFETIME;
