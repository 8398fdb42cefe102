//! Connections of one owner, as a runtime uses them.

use async_trait::async_trait;
use connector_core::embed::{Access, Connections};
use connector_core::run::View;
use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};

use crate::grants::refresh;
use crate::state::lookup;
use crate::state::rows::connections;
use crate::value::app::App;
use crate::value::model::{Connection, Method, Status};
use crate::vault::Vault;

/// Vault of one owner, which reaches no other owner's connections.
#[derive(Clone, Debug)]
pub struct OwnerVault {
    vault: Vault,
    owner: String,
    view: Option<View>,
}

impl Vault {
    /// Returns the connections and the ledger of one owner, for a runtime.
    ///
    /// The ledger keeps each outcome for seven days, and longer while nothing sweeps the store: [`Vault::sweep`] advances its clock.
    pub fn for_owner(&self, owner: impl Into<String>) -> OwnerVault {
        OwnerVault { vault: self.clone(), owner: owner.into(), view: None }
    }
}

impl OwnerVault {
    /// Sets the view of calls that name none, which goes before the view of their connection.
    #[must_use]
    pub fn with_view(mut self, view: Option<View>) -> Self {
        self.view = view;
        self
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Checks whether any connection of a connector was ever finished.
    pub async fn has_any(&self, connector: &str) -> Result<bool, Error> {
        let all = lookup::list_recent(self.vault.context(), &self.owner).await?;
        Ok(all.iter().any(|one| one.app == connector))
    }

    /// Builds the error for a named connection that exists but is not finished.
    async fn explain_unfinished(&self, connector: &str, named: Option<&str>) -> Result<Option<Error>, Error> {
        let Some(named) = named else { return Ok(None) };
        let rows = self.vault.context().store().rows(connections::select_pending_name(&self.owner, connector, named)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Status::Pending.check_usable(None, row.text(0)?).err())
    }
}

#[async_trait]
impl Connections for OwnerVault {
    async fn choose(&self, connector: &str, named: Option<&str>) -> Result<connector_core::embed::Connection, Error> {
        let context = self.vault.context();
        let all = lookup::list_recent(context, &self.owner).await?;
        // Where there are several vendors, a message says whose connection is missing.
        let label = context.app(connector).ok().filter(|_| context.apps().len() > 1).map(App::label);
        let chosen = match choose(&all.iter().filter(|one| one.app == connector).collect::<Vec<_>>(), named, label) {
            Err(missing) => return Err(self.explain_unfinished(connector, named).await?.unwrap_or(missing)),
            chosen => chosen?,
        };
        let sandbox = context.app(connector)?.is_sandbox();
        let origin = chosen.metadata.api_domain.clone().unwrap_or_default();
        let mut connection =
            connector_core::embed::Connection::new(&chosen.name, origin).with_id(&chosen.id).with_view(self.view.or(chosen.view));
        // Two companies at one host are two accounts.
        connection = connection.with_account(chosen.metadata.company.id.clone());
        if chosen.method == Method::ApiKey {
            connection = connection.with_api_token();
        }
        if sandbox {
            connection = connection.mark_as_sandbox();
        }
        Ok(match &chosen.metadata.scopes {
            Some(scopes) => connection.with_scopes(scopes),
            None => connection,
        })
    }

    async fn access(&self, connection: &connector_core::embed::Connection) -> Result<Access, Error> {
        refresh::get_access(self.vault.context(), &self.owner, &connection.id).await
    }

    async fn renew(&self, connection: &connector_core::embed::Connection, refused: &Access) -> Result<Option<Access>, Error> {
        refresh::renew(self.vault.context(), &self.owner, &connection.id, refused).await
    }
}

/// Chooses a finished connection: the one of this name or id, else the only one, else the default.
///
/// A failed one counts too, since a call that was meant for it must not go to another account. `label` is the vendor's name
/// for a message.
fn choose<'a>(all: &[&'a Connection], named: Option<&str>, label: Option<&str>) -> Result<&'a Connection, Error> {
    let of_vendor = label.map_or_else(String::new, |label| format!(" of {label}"));
    let missing = |message: String| {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        let hint = if names.is_empty() {
            "There is none yet: connect an account.".to_owned()
        } else {
            format!("There are: {}.", names.join(", "))
        };
        Error::new(ErrorKind::NoConnection, message).with_hint(hint)
    };
    if let Some(named) = named {
        let found = all.iter().find(|one| one.name == named || one.id == named);
        return found.copied().ok_or_else(|| missing(format!("There is no connection {}{of_vendor}.", quote(named))));
    }
    match all {
        [only] => Ok(only),
        [] => Err(missing(format!("No connection{of_vendor} is set up."))),
        several => several
            .iter()
            .find(|one| one.is_default)
            .copied()
            .ok_or_else(|| missing(format!("Several connections{of_vendor} are set up, none is named and none is the default."))),
    }
}
