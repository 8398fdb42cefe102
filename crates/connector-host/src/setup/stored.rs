//! The flags that say which store a command works with.

use std::time::Duration;

use connector_connections::{App, Vault};
use connector_core::run::Http;

use crate::setup::app::{build_apps, build_apps_beside};
use crate::setup::http::build_client;
use crate::setup::sandbox::{DEFAULT_SANDBOX_URL, build_demo_app};
use crate::setup::store::{SANDBOX_STORE_FILE, STORE_FILE, StorePlace};
use crate::terminal::env;
use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;

/// The longest time that a command sweeps the store. The next command goes on with what is left.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(1);

/// The store that a command works with.
#[derive(clap::Args)]
pub(crate) struct StoreArguments {
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Use a sandbox in place of the vendor, with a store of its own; no account is needed
    #[arg(long)]
    pub(crate) sandbox: bool,
}

impl StoreArguments {
    /// Finds the place of the store.
    pub(crate) fn place(&self) -> Result<StorePlace, Failure> {
        StorePlace::find(self.store.as_deref(), if self.sandbox { SANDBOX_STORE_FILE } else { STORE_FILE })
    }

    /// Opens the store, and creates it if there is none: for commands that add something to it.
    pub(crate) async fn open_or_create(&self, linked: Linked, public_url: &str, http: &Http) -> Result<Vault, Failure> {
        let vault = self.place()?.open_or_create(self.apps(linked, public_url)?, http).await?;
        // Without a running `connector serve`, nothing else removes what was never finished.
        if tokio::time::timeout(SWEEP_TIMEOUT, vault.sweep()).await.is_err() {
            tracing::debug!("the sweep of the store is not finished");
        }
        Ok(vault)
    }

    /// Opens the store if there is one. A new store would end the use of the embedded sandbox.
    pub(crate) async fn open_existing(&self, linked: Linked) -> Result<Option<Vault>, Failure> {
        if !self.place()?.exists() {
            return Ok(None);
        }
        let public_url = env::variable(env::PUBLIC_URL).unwrap_or_default();
        self.open_or_create(linked, &public_url, &build_client()?).await.map(Some)
    }

    /// Opens the store, and fails if there is none.
    pub(crate) async fn require(&self, linked: Linked) -> Result<Vault, Failure> {
        match self.open_existing(linked).await? {
            Some(vault) => Ok(vault),
            None => Err(Failure::not_ok(format!("There is no store yet{}: `connector connect` creates one.", self.place()?.at_file()))),
        }
    }

    fn apps(&self, linked: Linked, public_url: &str) -> Result<Vec<App>, Failure> {
        if !self.sandbox {
            return build_apps(linked, public_url);
        }
        let (sandboxed, _) = linked.require_sandboxed()?;
        let url = sandboxed.setting(env::SANDBOX)?.unwrap_or_else(|| DEFAULT_SANDBOX_URL.to_owned());
        build_apps_beside(build_demo_app(linked, &url, public_url)?, linked, public_url)
    }
}
