//! Credentials of calls.
//!
//! They are refreshed ahead of their expiry, by one caller at a time, and stored before they are used.

use std::sync::Arc;

use connector_core::embed::{Access, Credential};
use connector_core::run::SPANS;
use connector_core::{Error, Retry};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use crate::grants::oauth::{self, TokenFailure};
use crate::state::cache::StoredCredential;
use crate::state::context::Context;
use crate::state::flights::Flight;
use crate::state::lookup;
use crate::state::rows::{connections, secrets};
use crate::store::database::{Lock, StoreFailure};
use crate::value::app::App;
use crate::value::tokens::Tokens;

/// Returns the host and the credential for the calls of a connection.
pub(crate) async fn get_access(context: &Arc<Context>, owner: &str, id: &str) -> Result<Access, Error> {
    let now = context.now();
    let credential = match context.cache().find_credential(id, now).filter(|credential| credential.owner == owner) {
        Some(credential) => credential,
        None => lookup::get_credential(context, owner, id).await?,
    };
    if !credential.needs_refresh(now) {
        return Ok(credential.access);
    }
    let flight = context.flights().join(id);
    // A token that is refreshed ahead of its expiry is still valid, so that no call waits for a slow server.
    if credential.is_valid(now) && flight.can_wait(now) {
        return Ok(credential.access);
    }
    match refresh(context, id, credential.version, flight).await {
        Ok(fresh) => Ok(fresh.access),
        Err(error) if error.retry() == Retry::Later && credential.is_valid(context.now()) => Ok(credential.access),
        Err(error) => Err(error),
    }
}

/// Returns an access other than the refused one. An API token has none, unless it was replaced.
///
/// An access token that cannot be refreshed has ended, whatever its lifetime was.
pub(crate) async fn renew(context: &Arc<Context>, owner: &str, id: &str, refused: &Access) -> Result<Option<Access>, Error> {
    let credential = lookup::get_credential(context, owner, id).await?;
    if !credential.access.has_same_secret(refused) {
        // It was refreshed or replaced meanwhile.
        return get_access(context, owner, id).await.map(Some);
    }
    if credential.refresh.is_none() {
        if matches!(credential.access.credential(), Credential::ApiToken(_)) {
            return Ok(None);
        }
        mark_needs_reconnect(context, owner, id, refused).await?;
        // Reading the credential reports that the account must be connected again, or finds one that replaced it.
        return lookup::get_credential(context, owner, id).await.map(|credential| Some(credential.access));
    }
    let fresh = refresh(context, id, credential.version, context.flights().join(id)).await?;
    Ok(Some(fresh.access))
}

/// Marks a connection as one that must be connected again, unless its access was replaced meanwhile.
pub(crate) async fn mark_needs_reconnect(context: &Context, owner: &str, id: &str, refused: &Access) -> Result<(), Error> {
    let credential = lookup::get_credential(context, owner, id).await?;
    if credential.access.has_same_secret(refused) {
        let mark = connections::mark_needs_reconnect(id, context.now());
        context.store().run(vec![secrets::lock_version(id, credential.version), mark]).await?;
        context.cache().forget();
    }
    Ok(())
}

/// Refreshes a credential that is of the stale version.
///
/// The work runs to its end even if the caller goes away. A refresh token may be valid for one request, and the response
/// holds the only other one.
async fn refresh(context: &Arc<Context>, id: &str, stale: i64, flight: Arc<Flight>) -> Result<StoredCredential, Error> {
    let (shared, id, attempts_before) = (Arc::clone(context), id.to_owned(), flight.attempts());
    let work = async move {
        let mut last = flight.take_turn().await;
        let now = shared.now();
        let cached = shared.cache().find_credential(&id, now);
        if let Some(fresh) = cached.filter(|credential| credential.version > stale && !credential.needs_refresh(now)) {
            return Ok(fresh);
        }
        if flight.attempts() != attempts_before
            && let Some(failure) = &last.failure
        {
            return Err(copy_error(failure));
        }
        reach("waits");
        let mut result = refresh_locked(&shared, &id, stale, &mut last.unstored).await;
        // A store that was gone for a moment may be back. Another host must not ask with the old refresh token.
        if result.is_err() && last.unstored.is_some() {
            result = refresh_locked(&shared, &id, stale, &mut last.unstored).await;
        }
        last.failure = result.as_ref().err().map(copy_error);
        if result.is_err() {
            flight.pause(shared.now());
        }
        flight.record_attempt();
        result
    };
    context.run_to_end(work.in_current_span()).await
}

/// Refreshes a connection under its lock, unless another process did.
async fn refresh_locked(context: &Context, id: &str, stale: i64, unstored: &mut Option<(i64, Tokens)>) -> Result<StoredCredential, Error> {
    let mut lock = context.store().lock(id).await?;
    reach("locked");
    let credential = lookup::get_locked_credential(context, id, &mut lock).await?;
    // The credential and the time are read again, since both may have changed during the wait for the lock.
    if credential.version != stale && !credential.needs_refresh(context.now()) {
        lock.release().await?;
        return Ok(credential);
    }
    let app = context.app(&credential.app)?;
    let Some(token) = &credential.refresh else {
        return fail_connection(context, id, credential.version, lock).await;
    };
    let tokens = match unstored.take().filter(|(version, _)| *version == credential.version) {
        Some((_, tokens)) => Ok(tokens),
        None => {
            reach("asks");
            let span = begin_refresh(&credential.app, id);
            let tokens = oauth::refresh_tokens(context.http(), app, token).instrument(span.clone()).await;
            record_refresh(context, &span, &credential.app, &tokens);
            tokens
        }
    };
    reach("answered");
    match tokens {
        Ok(tokens) => store_tokens(context, id, &credential, app, tokens, unstored, lock).await,
        Err(TokenFailure::Refused(error)) => {
            tracing::warn!(connection = id, %error, "the vendor no longer accepts a grant");
            fail_connection(context, id, credential.version, lock).await
        }
        Err(TokenFailure::Failed(error)) => {
            lock.release().await?;
            Err(error)
        }
    }
}

/// Begins the span of a request for fresh tokens.
fn begin_refresh(app: &str, id: &str) -> Span {
    info_span!(
        target: SPANS,
        "refresh",
        otel.name = "refresh token",
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        http.request.method = "POST",
        connector.name = app,
        connector.connection.id = id,
    )
}

/// Counts a refresh, and records in its span how it ended.
fn record_refresh(context: &Context, span: &Span, app: &str, tokens: &Result<Tokens, TokenFailure>) {
    let result = match tokens {
        Ok(_) => "ok",
        Err(TokenFailure::Refused(_)) => "refused",
        Err(TokenFailure::Failed(_)) => "failed",
    };
    context.refreshes().record(app, result);
    if tokens.is_err() {
        span.record("error.type", result);
        span.record("otel.status_code", "ERROR");
    }
}

/// Stores tokens before anyone uses them. If the store fails they are left in `unstored` for the next attempt.
async fn store_tokens(
    context: &Context,
    id: &str,
    old: &StoredCredential,
    app: &App,
    tokens: Tokens,
    unstored: &mut Option<(i64, Tokens)>,
    mut lock: Box<dyn Lock>,
) -> Result<StoredCredential, Error> {
    let mut metadata = old.metadata.clone();
    metadata.scopes = tokens.scopes.clone().or(metadata.scopes);
    // A host that is none of the vendor's is ignored, and the connection keeps its own.
    let domain = tokens.api_domain.as_deref().filter(|domain| app.access(domain, tokens.to_credential()).is_ok());
    metadata.api_domain = domain.map(str::to_owned).or(metadata.api_domain);
    let now = context.now();
    let written = context
        .write_locked(&mut lock, |key| {
            let refreshed = secrets::store_refreshed(key, id, old.version, &tokens, now)?;
            Ok(vec![refreshed, connections::set_metadata(id, &metadata)])
        })
        .await;
    reach("written");
    // If the row changed during the request, it holds newer tokens than these.
    let stored = lookup::get_locked_credential(context, id, &mut lock).await;
    if let Err(error) = written.and(lock.release().await) {
        *unstored = Some((old.version, tokens));
        return Err(error.with_retry(Retry::Later));
    }
    reach("stored");
    context.cache().forget();
    let read = context.cache().begin_read(now);
    let stored = stored?;
    context.cache().keep_credential(id, &stored, read);
    Ok(stored)
}

/// Fails a connection whose grant ended, unless somebody renewed it meanwhile.
async fn fail_connection(context: &Context, id: &str, version: i64, mut lock: Box<dyn Lock>) -> Result<StoredCredential, Error> {
    lock.run(vec![secrets::erase_version(id, version), connections::mark_needs_reconnect(id, context.now())]).await?;
    // Reading the credential reports that the account must be connected again, or finds the renewed one.
    let credential = lookup::get_locked_credential(context, id, &mut lock).await;
    lock.release().await?;
    context.cache().forget();
    credential
}

/// Copies an error for another caller that waited for the same result.
fn copy_error(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message()).with_retry(error.retry());
    if let Some(hint) = error.hint() {
        copy = copy.with_hint(hint);
    }
    if let Some(failure) = StoreFailure::find(error) {
        copy = copy.with_source(failure.clone());
    }
    match error.upstream() {
        Some(upstream) => copy.with_upstream(upstream.clone()),
        None => copy,
    }
}

/// Marks a step at which a test may end the process.
#[cfg(all(test, feature = "sqlite"))]
fn reach(step: &str) {
    crate::tests::processes::reach(step);
}

#[cfg(not(all(test, feature = "sqlite")))]
fn reach(_step: &str) {}
