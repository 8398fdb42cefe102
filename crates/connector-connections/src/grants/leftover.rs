//! Leftovers: grants that no connection has yet, or no longer has.
//!
//! Each is kept until a connection takes it or the vendor revokes it.

use std::time::Duration;

use connector_core::embed::Credential;
use connector_core::{Error, ErrorKind, Retry};
use secrecy::SecretString;

use crate::grants::oauth;
use crate::state::context::Context;
use crate::state::rows::{leftovers, secrets};
use crate::store::statement::{Row, Statement};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata, Revocation};
use crate::value::random;
use crate::value::tokens::Tokens;

/// Time that a new grant has to become a connection before it is revoked.
const SETTLE_TIME: Duration = Duration::from_mins(5);
/// Pause after a revocation that failed.
const RETRY_AFTER: Duration = Duration::from_mins(5);
/// Time after which a grant that cannot be revoked is given up.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// Builds the statement that turns the grant of a connection into a leftover, if it has one.
///
/// A sweep revokes it from `due` on.
pub(crate) fn insert_from_connection(connection: &Connection, now: Moment, due: Moment) -> Statement {
    leftovers::insert_from_connection(connection, due, now + KEPT_FOR)
}

/// Computes when a sweep may retry a revocation that begins now.
pub(crate) fn retry_at(now: Moment) -> Moment {
    now + RETRY_AFTER
}

/// Stores freshly issued tokens, before anything else can fail, and returns the leftover's id.
pub(crate) async fn store(context: &Context, app: &App, tokens: &Tokens) -> Result<String, Error> {
    let (id, now) = (random::generate_id()?, context.now());
    let ran = context.write(|key| Ok(vec![leftovers::insert(key, &id, app.key(), tokens, now + SETTLE_TIME, now + KEPT_FOR)?])).await?;
    ran.into_all()?;
    Ok(id)
}

/// Revokes a grant that no connection took.
///
/// Its account is stored first, so that the sweep can retry.
pub(crate) async fn abandon(context: &Context, id: &str, account: &Metadata) -> Result<Revocation, Error> {
    context.store().rows(leftovers::set_account(id, account, context.now())).await?;
    revoke(context, id).await
}

/// Revokes a leftover, unless a connection uses the same grant.
///
/// A vendor revokes all tokens of an install at once.
pub(crate) async fn revoke(context: &Context, id: &str) -> Result<Revocation, Error> {
    let rows = context.store().rows(leftovers::select(id)).await?;
    let Some(row) = rows.first() else { return Ok(Revocation::NothingToRevoke) };
    let app = context.app(row.text(0)?)?;
    if let Some(domain) = row.maybe_text(3)? {
        // A token goes to the vendor that issued it alone: not to a sandbox, nor to another vendor of this process.
        app.access(domain, Credential::Bearer(SecretString::default()))?;
    }
    let revocation = if is_used(context, id, app, row).await? {
        Revocation::StillUsed
    } else {
        let (column, sealed) = match row.maybe_bytes(5)? {
            Some(refresh) => ("refresh_token", refresh),
            None => ("access_token", row.bytes(4)?),
        };
        oauth::revoke(context.http(), app, column, &context.open_secret(id, column, sealed)?).await?;
        Revocation::Yes
    };
    context.store().rows(leftovers::delete(id)).await?;
    Ok(revocation)
}

/// Checks whether a connection uses the same grant.
async fn is_used(context: &Context, id: &str, app: &App, row: &Row) -> Result<bool, Error> {
    if !app.has_identity() {
        // The vendor tells no accounts apart: each authorization is a grant of its own.
        return Ok(false);
    }
    let (company, user) = find_account(context, id, app, row).await?;
    check_none_is_settling(context, id, app).await?;
    Ok(!context.store().rows(secrets::select_living_grant(app.key(), company, user)).await?.is_empty())
}

/// Checks that no new grant waits for its connection.
///
/// It may be of the same install, which a revocation would end.
async fn check_none_is_settling(context: &Context, id: &str, app: &App) -> Result<(), Error> {
    // A grant that was stored within the settle time expires after this moment.
    let expires_after = context.now() + KEPT_FOR - SETTLE_TIME;
    if context.store().rows(leftovers::select_unsettled(app.key(), id, expires_after)).await?.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, "Another account is being connected.").with_retry(Retry::Later))
}

/// Finds the company and the user of a leftover.
///
/// If they cannot be found the grant is not revoked, since another connection may use it.
async fn find_account(context: &Context, id: &str, app: &App, row: &Row) -> Result<(Option<String>, Option<String>), Error> {
    let known = (row.maybe_text(1)?.map(str::to_owned), row.maybe_text(2)?.map(str::to_owned));
    if known != (None, None) {
        return Ok(known);
    }
    let unknown = || Error::new(ErrorKind::BadAnswer, "The account of the grant is unknown.").with_retry(Retry::Never);
    let (host, sealed) = (row.maybe_text(3)?.or(app.host()).ok_or_else(unknown)?, row.maybe_bytes(4)?.ok_or_else(unknown)?);
    let access = app.access(host, Credential::Bearer(context.open_secret(id, "access_token", sealed)?))?;
    let account = oauth::fetch_account(context.http(), app, &access).await?;
    Ok((account.company.id, account.user.id))
}

/// Revokes the leftovers that are due, and returns how many were given up after a day.
///
/// Leftovers of an app without a client are left to a process that has one.
pub(crate) async fn revoke_due(context: &Context) -> Result<usize, Error> {
    let mut given_up = 0;
    for app in context.apps().iter().filter(|app| app.is_registered()) {
        given_up += revoke_due_of_app(context, app).await?;
    }
    Ok(given_up)
}

async fn revoke_due_of_app(context: &Context, app: &App) -> Result<usize, Error> {
    let now = context.now();
    let next = || leftovers::take_next(app.key(), now, retry_at(now));
    while let Some(row) = context.store().rows(next()).await?.first() {
        let id = row.text(0)?;
        if let Err(error) = revoke(context, id).await {
            tracing::warn!(grant = id, %error, "a grant could not be revoked yet");
            // The vendor is down: the others would fail too.
            if error.retry() == Retry::Later {
                break;
            }
        }
    }
    let expired = context.store().rows(leftovers::delete_expired(app.key(), now)).await?;
    for row in &expired {
        tracing::warn!(grant = row.text(0)?, "a grant could not be revoked for a day: it stays in force at the vendor");
    }
    Ok(expired.len())
}
