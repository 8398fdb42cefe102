//! One owner's connections, as an engine asks for them.

use async_trait::async_trait;
use connector_core::{Access, Connections, Error, ErrorKind, quote};

use crate::store::statement::sql;
use crate::value::model::{Connection, Method, Status};
use crate::vault::Vault;

/// The connections of one owner, and no other's.
#[derive(Clone, Debug)]
pub struct OwnerVault {
    pub(crate) vault: Vault,
    pub(crate) owner: String,
}

impl Vault {
    /// The connections and the ledger of one owner, for a runtime. The ledger keeps an answer for a week where it has at
    /// most 1 MiB; the key of a longer one stays claimed without it, so that the same call is refused and not carried out
    /// again.
    pub fn for_owner(&self, owner: impl Into<String>) -> OwnerVault {
        OwnerVault { vault: self.clone(), owner: owner.into() }
    }
}

impl OwnerVault {
    /// Whether there is any connection of a connector that was ever finished.
    pub async fn has_any(&self, connector: &str) -> Result<bool, Error> {
        let all = self.vault.0.recent(&self.owner).await?;
        Ok(all.iter().any(|one| one.app == connector))
    }
}

impl OwnerVault {
    /// That the named connection is not finished, where that is why it is not there.
    async fn waits(&self, connector: &str, named: Option<&str>) -> Result<Option<Error>, Error> {
        let Some(named) = named else { return Ok(None) };
        let get = sql!(
            "SELECT name FROM connector_connection WHERE owner = $1 AND app = $2 AND (name = $3 OR id = $3) AND status = 'PENDING'",
            &self.owner,
            connector,
            named
        );
        let rows = self.vault.0.store.rows(get).await?;
        rows.first().map(|row| Ok(Status::Pending.check_usable(None, row.text(0)?).expect_err("what waits cannot be used"))).transpose()
    }
}

#[async_trait]
impl Connections for OwnerVault {
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<connector_core::Connection, Error> {
        let inner = &self.vault.0;
        let all = inner.recent(&self.owner).await?;
        let chosen = match choose(&all.iter().filter(|one| one.app == connector).collect::<Vec<_>>(), named) {
            Err(missing) => return Err(self.waits(connector, named).await?.unwrap_or(missing)),
            chosen => chosen?,
        };
        let sandbox = inner.app(connector)?.is_sandbox();
        let origin = chosen.metadata.api_domain.clone().unwrap_or_default();
        let mut connection = connector_core::Connection::new(&chosen.name, origin).with_id(&chosen.id);
        if chosen.method == Method::ApiKey {
            connection = connection.with_api_token();
        }
        if sandbox {
            connection = connection.as_sandbox();
        }
        Ok(match &chosen.metadata.scopes {
            Some(scopes) => connection.with_scopes(scopes),
            None => connection,
        })
    }

    async fn access(&self, connection: &connector_core::Connection) -> Result<Access, Error> {
        self.vault.0.access(&self.owner, &connection.id).await
    }

    async fn renew(&self, connection: &connector_core::Connection, refused: &Access) -> Result<Option<Access>, Error> {
        self.vault.0.renew(&self.owner, &connection.id, refused).await
    }
}

/// Among those that were ever finished, by name or id; else the only one, else the default. A failed one counts: a call that was meant for it must not go to
/// another account.
fn choose<'a>(all: &[&'a Connection], named: Option<&str>) -> Result<&'a Connection, Error> {
    let missing = |message: String| {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        let there = if names.is_empty() {
            "There is none yet: connect an account.".to_owned()
        } else {
            format!("There are: {}.", names.join(", "))
        };
        Error::new(ErrorKind::NoConnection, message).with_hint(there)
    };
    if let Some(named) = named {
        let found = all.iter().find(|one| one.name == named || one.id == named);
        return found.copied().ok_or_else(|| missing(format!("There is no connection {}.", quote(named))));
    }
    match all {
        [only] => Ok(only),
        [] => Err(missing("No connection is set up.".to_owned())),
        several => several
            .iter()
            .find(|one| one.is_default)
            .copied()
            .ok_or_else(|| missing("Several connections are set up, none is named and none is the default.".to_owned())),
    }
}
