//! The ledger of the command line: that of the store, or a file of its own where there is no store.

use std::sync::Arc;

use async_trait::async_trait;
use connector_connections::{OwnerVault, Vault};
use connector_core::Error;
use connector_core::embed::{Claim, Kept, KeyedCall, Ledger};
use connector_core::run::Http;
use tokio::sync::OnceCell;

use crate::setup::store::StorePlace;
use crate::terminal::arguments::LOCAL_OWNER;
use crate::terminal::env;
use crate::terminal::failure::{Failure, HostFailure};

/// The file of the ledger of accounts that the environment names.
pub(crate) const LEDGER_FILE: &str = "ledger.db";

/// The file of the ledger of the embedded sandbox.
pub(crate) const SANDBOX_LEDGER_FILE: &str = "sandbox-ledger.db";

/// A ledger that is opened by the first call under an idempotency key.
///
/// A file of its own is no store of connections: it ends the use of neither the environment nor the embedded sandbox.
#[derive(Clone)]
pub(crate) struct LocalLedger(Arc<Opening>);

struct Opening {
    /// The file of its own, and the client that its vault is built with.
    file: Option<(StorePlace, Http)>,
    opened: OnceCell<OwnerVault>,
}

impl LocalLedger {
    /// Builds the ledger of a store.
    pub(crate) fn of_vault(vault: &Vault) -> Self {
        Self(Arc::new(Opening { file: None, opened: OnceCell::new_with(Some(vault.for_owner(LOCAL_OWNER))) }))
    }

    /// Builds the ledger in a file of its own in the data folder.
    pub(crate) fn beside(file: &str, http: &Http) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Opening { file: Some((StorePlace::find(None, file)?, http.clone())), opened: OnceCell::new() })))
    }

    /// Opens the ledger if it is there.
    pub(crate) async fn open_existing(&self) -> Result<Option<OwnerVault>, Failure> {
        match &self.0.file {
            Some((place, _)) if !place.exists() => Ok(None),
            _ => self.open().await.cloned().map(Some),
        }
    }

    async fn open(&self) -> Result<&OwnerVault, Failure> {
        let open = async || match &self.0.file {
            Some((place, http)) => {
                let vault = place.open_or_create(Vec::new(), http).await?;
                let sweeping = vault.clone();
                tokio::spawn(async move { sweeping.sweep().await });
                Ok(vault.for_owner(LOCAL_OWNER))
            }
            None => Err(Failure::host("the ledger has no place".to_owned())),
        };
        self.0.opened.get_or_try_init(open).await
    }

    /// Opens the vault that has the ledger, if it is there.
    pub(crate) async fn find_vault(&self) -> Result<Option<OwnerVault>, Error> {
        self.open_existing().await.map_err(|failure| explain_failure(&failure))
    }

    /// Opens the vault that has the ledger, and the lists that accounts define beside it.
    pub(crate) async fn vault(&self) -> Result<&OwnerVault, Error> {
        self.open().await.map_err(|failure| explain_failure(&failure))
    }
}

fn explain_failure(failure: &Failure) -> Error {
    let folder = env::data_folder().unwrap_or_default();
    HostFailure::from_disk("The ledger cannot be opened", failure.message(), &folder)
}

#[async_trait]
impl Ledger for LocalLedger {
    async fn claim(&self, call: &KeyedCall) -> Result<Claim, Error> {
        self.vault().await?.claim(call).await
    }

    async fn peek(&self, call: &KeyedCall) -> Result<Option<Claim>, Error> {
        // Without a file no key was ever used.
        match self.find_vault().await? {
            Some(vault) => vault.peek(call).await,
            None => Ok(Some(Claim::Fresh)),
        }
    }

    async fn finish(&self, call: &KeyedCall, kept: Kept) -> Result<(), Error> {
        self.vault().await?.finish(call, kept).await
    }

    async fn release(&self, call: &KeyedCall) -> Result<(), Error> {
        self.vault().await?.release(call).await
    }

    async fn abandon(&self, call: &KeyedCall) -> Result<(), Error> {
        self.vault().await?.abandon(call).await
    }

    async fn extend(&self, call: &KeyedCall) -> Result<(), Error> {
        self.vault().await?.extend(call).await
    }

    async fn has_twin(&self, call: &KeyedCall) -> Result<bool, Error> {
        self.vault().await?.has_twin(call).await
    }

    async fn has_made(&self, record: &str) -> Result<bool, Error> {
        self.vault().await?.has_made(record).await
    }

    async fn settle(&self, call: &KeyedCall, kept: Kept) -> Result<bool, Error> {
        self.vault().await?.settle(call, kept).await
    }
}
