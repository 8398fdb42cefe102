//! Removal of connections, whose grants are revoked.

use std::sync::Arc;

use connector_core::{Error, ErrorKind};

use crate::grants::leftover;
use crate::state::context::Context;
use crate::state::lookup;
use crate::state::rows::{connections, definitions};
use crate::store::statement::{Ran, Statement};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::{Connection, Method, Revocation, Status};
use crate::value::wording::no_connection;

/// Checks that the connection is the owner's, then ends it and revokes its grant.
pub(crate) async fn remove(context: &Arc<Context>, owner: &str, id: &str) -> Result<Revocation, Error> {
    lookup::get(context, owner, id).await?;
    let ended = end_and_revoke(context, id, vec![connections::delete(owner, id)]).await?;
    ended.ok_or_else(|| no_connection(id))
}

/// Ends a connection and revokes its grant. It returns none if the deletion missed.
pub(crate) async fn end_and_revoke(context: &Arc<Context>, id: &str, delete: Vec<Statement>) -> Result<Option<Revocation>, Error> {
    let (shared, id) = (Arc::clone(context), id.to_owned());
    let work = async move {
        let Some(ended) = end(&shared, &id, delete, leftover::retry_at(shared.now())).await? else { return Ok(None) };
        if !can_revoke(&shared, &ended) {
            let had_grant = ended.method == Method::OAuth2 && ended.status != Status::Failed && ended.metadata.api_domain.is_some();
            return Ok(Some(if had_grant { Revocation::NotOffered } else { Revocation::NothingToRevoke }));
        }
        Ok(Some(leftover::revoke(&shared, &id).await.unwrap_or_else(|error| {
            tracing::warn!(connection = id, %error, "a grant could not be revoked yet");
            Revocation::No
        })))
    };
    context.run_to_end(work).await
}

/// Deletes a connection and turns its grant into a leftover, in one step.
///
/// A caller that confirms, renews or refreshes it at the same time finds no connection. It returns none if the deletion
/// missed.
pub(crate) async fn end(context: &Context, id: &str, delete: Vec<Statement>, due: Moment) -> Result<Option<Connection>, Error> {
    let mut lock = context.store().lock(id).await?;
    let connection = match lookup::get_by_id(context, id).await {
        Err(error) if error.kind() == ErrorKind::NoConnection => return Ok(None),
        connection => connection?,
    };
    let mut batch = delete;
    if can_revoke(context, &connection) {
        batch.insert(0, leftover::insert_from_connection(&connection, context.now(), due));
    }
    batch.push(definitions::delete_of(&connection.owner, id));
    let ran = context.write_locked(&mut lock, |_| Ok(batch.clone())).await?;
    lock.release().await?;
    let ended = matches!(ran, Ran::All(_));
    if ended {
        context.store().unlink(id);
        context.cache().forget();
        context.flights().forget(id);
    }
    Ok(ended.then_some(connection))
}

/// Checks that the vendor revokes grants. An app that this process does not have is left to one that has it.
fn can_revoke(context: &Context, connection: &Connection) -> bool {
    context.app(&connection.app).map_or(true, App::can_revoke)
}
