//! The values by which upserts look for records, kept beside the ledger of the command line.

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{MatchClaim, MatchEnding, MatchMemory, MatchRegister};

use crate::setup::ledger::LocalLedger;

/// A register that is opened by the first upsert.
#[derive(Clone)]
pub(crate) struct LocalRegister(LocalLedger);

impl LocalRegister {
    /// Builds the register in the store or the file of a ledger.
    pub(crate) fn beside(ledger: LocalLedger) -> Self {
        Self(ledger)
    }
}

#[async_trait]
impl MatchRegister for LocalRegister {
    async fn lease(&self, claim: &MatchClaim) -> Result<Option<MatchMemory>, Error> {
        self.0.vault().await?.lease(claim).await
    }

    async fn peek(&self, values: &[String]) -> Result<MatchMemory, Error> {
        // Without a file nothing was ever remembered.
        match self.0.find_vault().await? {
            Some(vault) => vault.peek(values).await,
            None => Ok(MatchMemory::default()),
        }
    }

    async fn extend(&self, claim: &MatchClaim) -> Result<(), Error> {
        self.0.vault().await?.extend(claim).await
    }

    async fn begin_add(&self, claim: &MatchClaim) -> Result<bool, Error> {
        self.0.vault().await?.begin_add(claim).await
    }

    async fn end(&self, claim: &MatchClaim, ending: &MatchEnding) -> Result<(), Error> {
        self.0.vault().await?.end(claim, ending).await
    }
}
