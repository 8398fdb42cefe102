//! Test of a connection: asks the vendor which account its credential belongs to.

use std::sync::Arc;

use connector_core::{Error, ErrorKind};

use crate::grants::{oauth, refresh};
use crate::state::context::Context;
use crate::state::lookup;
use crate::state::rows::{connections, secrets};
use crate::store::statement::Ran;
use crate::value::model::{Connection, Metadata};

/// Tests a connection, refreshes a token that the vendor refuses, and stores the account's metadata.
pub(crate) async fn test(context: &Arc<Context>, owner: &str, id: &str) -> Result<Connection, Error> {
    let connection = lookup::get(context, owner, id).await?;
    let app = context.app(&connection.app)?;
    let access = refresh::get_access(context, owner, id).await?;
    if !app.has_identity() {
        let message = format!("{} does not tell which account a credential belongs to, so it was not checked.", app.label());
        return Err(Error::new(ErrorKind::InvalidInput, message).with_hint("Invoke an action that reads, to see whether it works."));
    }
    let account = match oauth::fetch_account(context.http(), app, &access).await {
        Err(refused) if refused.kind() == ErrorKind::Unauthorized => match refresh::renew(context, owner, id, &access).await? {
            Some(fresh) => oauth::fetch_account(context.http(), app, &fresh).await?,
            None => {
                refresh::mark_needs_reconnect(context, owner, id, &access).await?;
                return Err(refused);
            }
        },
        account => account?,
    };
    let known = &connection.metadata;
    if (&account.company.id, &account.user.id) != (&known.company.id, &known.user.id) {
        return Err(Error::new(ErrorKind::Conflict, "The credential belongs to another company or user than the connection.")
            .with_hint("Remove the connection, and connect the account again."));
    }
    store_account(context, owner, id, account).await
}

/// Stores the account's metadata. The scopes and the host stay those that came with the current tokens.
async fn store_account(context: &Context, owner: &str, id: &str, account: Metadata) -> Result<Connection, Error> {
    loop {
        let credential = lookup::get_credential(context, owner, id).await?;
        let Metadata { scopes, api_domain, .. } = credential.metadata;
        let metadata = Metadata { scopes, api_domain, ..account.clone() };
        let update = connections::update_metadata(id, &metadata, context.now());
        // If somebody refreshed the tokens meanwhile, the new scopes and host are read.
        if let Ran::All(_) = context.store().run(vec![secrets::lock_version(id, credential.version), update]).await? {
            context.cache().forget();
            return lookup::get(context, owner, id).await;
        }
    }
}
