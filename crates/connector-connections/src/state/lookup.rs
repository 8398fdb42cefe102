//! Look-ups of connections and their credentials.

use std::sync::Arc;

use connector_core::Error;
use connector_core::embed::Credential;
use secrecy::SecretString;

use crate::state::cache::StoredCredential;
use crate::state::context::Context;
use crate::state::rows::{connections, secrets};
use crate::store::database::Lock;
use crate::store::statement::{Row, Statement, misread};
use crate::value::model::{Connection, Metadata, Method, Reason, Status};
use crate::value::wording::no_connection;

/// Reads the connections that a statement selects.
pub(crate) async fn list(context: &Context, select: Statement) -> Result<Vec<Connection>, Error> {
    context.store().rows(select).await?.iter().map(connections::read).collect()
}

/// Reads the only connection that a statement selects, if there is one.
pub(crate) async fn find(context: &Context, select: Statement) -> Result<Option<Connection>, Error> {
    context.store().rows(select).await?.first().map(connections::read).transpose()
}

/// Reads a connection of an owner.
pub(crate) async fn get(context: &Context, owner: &str, id: &str) -> Result<Connection, Error> {
    find(context, connections::select(owner, id)).await?.ok_or_else(|| no_connection(id))
}

/// Reads a connection of any owner, for a caller whose right to it a ticket or an earlier check has shown.
pub(crate) async fn get_by_id(context: &Context, id: &str) -> Result<Connection, Error> {
    find(context, connections::select_by_id(id)).await?.ok_or_else(|| no_connection(id))
}

/// Lists an owner's connections that were ever finished, as they were a moment ago.
pub(crate) async fn list_recent(context: &Context, owner: &str) -> Result<Arc<[Connection]>, Error> {
    let now = context.now();
    let read = context.cache().begin_read(now);
    if let Some(cached) = context.cache().find_list(owner, now) {
        return Ok(cached);
    }
    let found: Arc<[Connection]> = list(context, connections::select_finished(owner)).await?.into();
    context.cache().keep_list(owner, &found, read);
    Ok(found)
}

/// Finds the finished connection of an app to the same account.
pub(crate) fn find_same_account<'a>(all: &'a [Connection], app: &str, account: &Metadata) -> Option<&'a Connection> {
    all.iter().find(|one| one.app == app && one.status != Status::Pending && one.metadata.is_same_account(account))
}

/// Reads the credential of an owner's connection.
pub(crate) async fn get_credential(context: &Context, owner: &str, id: &str) -> Result<StoredCredential, Error> {
    let read = context.cache().begin_read(context.now());
    let rows = context.store().rows(secrets::select(owner, id)).await?;
    let credential = read_credential(context, id, rows.first())?;
    context.cache().keep_credential(id, &credential, read);
    Ok(credential)
}

/// Reads the credential of a connection under its lock.
pub(crate) async fn get_locked_credential(context: &Context, id: &str, lock: &mut Box<dyn Lock>) -> Result<StoredCredential, Error> {
    let rows = lock.run(vec![secrets::select_by_id(id)]).await?.into_last()?;
    read_credential(context, id, rows.first())
}

fn read_credential(context: &Context, id: &str, row: Option<&Row>) -> Result<StoredCredential, Error> {
    let row = row.ok_or_else(|| no_connection(id))?;
    let (app, name) = (context.app(row.text(1)?)?, row.text(2)?);
    let method = Method::from_word(row.text(3)?).ok_or_else(misread)?;
    let reason = row.maybe_text(5)?.and_then(Reason::from_word);
    Status::from_word(row.text(4)?).ok_or_else(misread)?.check_usable(reason, name)?;
    let metadata = connections::read_metadata(row.text(6)?)?;
    let open = |at: usize, column: &str| -> Result<Option<SecretString>, Error> {
        row.maybe_bytes(at)?.map(|sealed| context.open_secret(id, column, sealed)).transpose()
    };
    let credential = match method {
        Method::OAuth2 => open(8, "access_token")?.map(Credential::Bearer),
        Method::ApiKey => open(10, "api_token")?.map(Credential::ApiToken),
    };
    let origin = metadata.api_domain.as_deref().ok_or_else(misread)?;
    Ok(StoredCredential {
        owner: row.text(0)?.to_owned(),
        app: app.key().to_owned(),
        version: row.integer(7)?,
        access: app.access(origin, credential.ok_or_else(misread)?)?,
        refresh: open(9, "refresh_token")?,
        refresh_at: row.maybe_moment(11)?,
        expires_at: row.maybe_moment(12)?,
        metadata,
    })
}
