//! Installs that begin on the vendor's site.
//!
//! A code that came without a state is held, claimed by an owner, and confirmed or declined.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::grants::authorize::{no_room, require_room};
use crate::grants::removal;
use crate::grants::settle::{self, ExchangeFailure, Grant, Keeper};
use crate::state::context::Context;
use crate::state::lookup::{self, find_same_account};
use crate::state::rows::connections::{self, NewConnection};
use crate::state::rows::{ended, installs, secrets};
use crate::store::statement::{Ran, Statement, misread};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::lifetimes::{CODE_LIFETIME, STATE_LIFETIME};
use crate::value::model::{Connection, Method, Revocation, Status};
use crate::value::names::check_owner;
use crate::value::random;
use crate::value::tokens::Tokens;

/// Time by which a grant may seem later than the uninstall that ended it.
///
/// A notice has whole seconds of the vendor's clock. Nobody uninstalls an app and installs it again in so short a time.
const UNINSTALL_SLACK: Duration = Duration::from_secs(5);
/// Maximum length of a code. Those of vendors have some dozens of characters.
const MAX_CODE_LENGTH: usize = 1024;
/// Maximum number of held installs, so that nobody can fill the store without signing in.
const MAX_INSTALLS: i64 = 1_000;

/// Install whose code is held until somebody signs in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HeldInstall {
    /// The secret that the browser keeps, in a cookie that no script reads.
    pub handle: SecretString,
    /// The time at which the install expires.
    pub expires: Moment,
}

/// Install that an owner claimed and must confirm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimedInstall {
    /// The connection with its account, which is to be shown before it is confirmed.
    pub connection: Connection,
    /// The connection to the same account that would be renewed.
    pub renews: Option<Connection>,
}

/// Holds a code that came without a state.
pub(crate) async fn hold(context: &Context, app: &str, code: &SecretString) -> Result<HeldInstall, Error> {
    let app = context.app(app)?;
    app.client()?;
    if code.expose_secret().len() > MAX_CODE_LENGTH {
        let message = format!("The code has more than {MAX_CODE_LENGTH} bytes.");
        return Err(Error::new(ErrorKind::InvalidInput, message).with_hint("Begin again."));
    }
    let handle = random::generate_secret()?;
    let (hash, now) = (random::hash(&handle), context.now());
    let expires = now + CODE_LIFETIME;
    let ran = context
        .write(|key| {
            let sealed = key.seal_text(&hash, "code", code)?;
            Ok(vec![installs::delete_expired(now), installs::insert_if_room(&hash, app.key(), sealed, expires, MAX_INSTALLS)])
        })
        .await?;
    match ran {
        Ran::All(_) => Ok(HeldInstall { handle: handle.into(), expires }),
        Ran::Missed(_) => Err(Error::new(ErrorKind::RateLimited, "Too many installs wait for somebody to sign in.")
            .with_hint("Sign in first, then install the app again.")),
    }
}

/// Claims an install for an owner who is signed in: exchanges its code, and finds the account.
pub(crate) async fn claim(context: &Context, owner: &str, handle_hash: &str) -> Result<ClaimedInstall, Error> {
    check_owner(owner)?;
    // The code is taken first, since a vendor may end the grant of a code that is exchanged twice.
    let batch = vec![require_room(owner), installs::take(handle_hash, context.now())];
    let rows = match context.store().run(batch).await? {
        ran @ Ran::All(_) => ran.into_last()?,
        Ran::Missed(0) => return Err(no_room()),
        Ran::Missed(_) => return Err(no_install()),
    };
    let row = rows.first().ok_or_else(misread)?;
    let app = context.app(row.text(0)?)?;
    let code = context.open_secret(handle_hash, "code", row.bytes(1)?)?;
    let grant = match settle::exchange(context, app, &code, &app.client()?.redirect_uri, None).await {
        Ok(grant) => grant,
        Err(ExchangeFailure::Unused(error)) => {
            put_back(context, handle_hash, app, &code, row.moment(2)?).await?;
            return Err(error);
        }
        Err(ExchangeFailure::Spent(error)) => return Err(error),
    };
    let all = lookup::list(context, connections::select_all(owner)).await?;
    let renews = find_same_account(&all, app.key(), &grant.account).cloned();
    match store_claimed(context, owner, handle_hash, app, &grant, renews.as_ref()).await {
        Ok(connection) => Ok(ClaimedInstall { connection, renews }),
        Err(error) => Err(settle::give_up(context, &grant, error).await),
    }
}

/// Puts a code back that was not exchanged.
async fn put_back(context: &Context, handle_hash: &str, app: &App, code: &SecretString, expires: Moment) -> Result<(), Error> {
    let ran =
        context.write(|key| Ok(vec![installs::insert(handle_hash, app.key(), key.seal_text(handle_hash, "code", code)?, expires)])).await?;
    ran.into_all().map(|_| ())
}

/// Stores the grant of an install until it is confirmed.
///
/// If the owner has an active connection to the account, the vendor has ended its old grant with the new one. It takes the
/// new tokens at once, and the owner only confirms that the install was meant.
async fn store_claimed(
    context: &Context,
    owner: &str,
    handle_hash: &str,
    app: &App,
    grant: &Grant,
    renews: Option<&Connection>,
) -> Result<Connection, Error> {
    let active = renews.filter(|one| one.status == Status::Active && one.method == Method::OAuth2);
    let (id, now) = (random::generate_id()?, context.now());
    let (method, status) = (Method::OAuth2, Status::Pending);
    let new = NewConnection { id: &id, owner, app: app.key(), name: &id, method, status, view: None, now };
    let ran = context
        .write(|key| {
            let mut batch: Vec<Statement> = grant.keeper.take().into_iter().collect();
            batch.extend(new.insert(&grant.account));
            batch.push(secrets::store_grant(key, active.map_or(&id, |one| &one.id), &grant.tokens, grant.granted_at)?);
            if let Some(one) = active {
                batch.push(connections::activate(&one.id, Method::OAuth2, &grant.account, &one.name, now));
            }
            batch.push(connections::wait_for_confirmation(&id, now + STATE_LIFETIME, handle_hash));
            Ok(batch)
        })
        .await?;
    context.cache().forget();
    match ran {
        Ran::All(_) => lookup::get(context, owner, &id).await,
        Ran::Missed(_) => Err(no_install()),
    }
}

/// Finds a claimed install, and the connection that it would renew.
pub(crate) async fn find_claimed(context: &Context, owner: &str, handle_hash: &str) -> Result<Option<ClaimedInstall>, Error> {
    let Some(connection) = find_connection(context, owner, handle_hash).await? else { return Ok(None) };
    let all = lookup::list(context, connections::select_all(owner)).await?;
    let renews = find_same_account(&all, &connection.app, &connection.metadata).cloned();
    Ok(Some(ClaimedInstall { connection, renews }))
}

async fn find_connection(context: &Context, owner: &str, handle_hash: &str) -> Result<Option<Connection>, Error> {
    lookup::find(context, connections::select_claimed(owner, handle_hash, context.now())).await
}

/// Finds the connection of a claimed install that its owner is about to confirm.
pub(crate) async fn get_claimed_connection(context: &Context, owner: &str, handle_hash: &str) -> Result<Connection, Error> {
    find_connection(context, owner, handle_hash).await?.ok_or_else(no_install)
}

/// Confirms a claimed install, and settles its grant.
pub(crate) async fn confirm(context: &Context, claimed: &Connection) -> Result<Connection, Error> {
    match load_grant(context, claimed).await? {
        Some(grant) => settle::settle(context, claimed, &grant).await,
        None => confirm_renewed(context, claimed).await,
    }
}

/// Confirms a claimed install whose grant an active connection to the account has taken.
async fn confirm_renewed(context: &Context, claimed: &Connection) -> Result<Connection, Error> {
    let all = lookup::list(context, connections::select_all(&claimed.owner)).await?;
    let known = find_same_account(&all, &claimed.app, &claimed.metadata).filter(|known| known.status == Status::Active);
    let known = known.ok_or_else(no_install)?;
    let batch = vec![ended::insert(claimed, Some(&known.id), context.now()), connections::delete_pending(&claimed.id)];
    let ran = context.store().run(batch).await?;
    context.cache().forget();
    if matches!(ran, Ran::All(_)) { Ok(known.clone()) } else { Err(no_install()) }
}

/// Ends the connection of a claimed install, or deletes the code of an unclaimed one.
pub(crate) async fn decline(context: &Arc<Context>, owner: &str, handle_hash: &str) -> Result<Revocation, Error> {
    let Some(claimed) = find_connection(context, owner, handle_hash).await? else {
        let deleted = context.store().rows(installs::delete(handle_hash)).await?;
        return if deleted.is_empty() { Err(no_install()) } else { Ok(Revocation::NothingToRevoke) };
    };
    let delete = vec![connections::delete_pending(&claimed.id)];
    if load_grant(context, &claimed).await?.is_some() {
        return removal::end_and_revoke(context, &claimed.id, delete).await?.ok_or_else(no_install);
    }
    let ran = context.store().run(delete).await?;
    context.cache().forget();
    if matches!(ran, Ran::All(_)) { Ok(Revocation::StillUsed) } else { Err(no_install()) }
}

/// Loads the grant of a claimed install. There is none if an active connection took it.
async fn load_grant(context: &Context, claimed: &Connection) -> Result<Option<Grant>, Error> {
    let rows = context.store().rows(secrets::select_tokens(&claimed.id)).await?;
    let row = rows.first().ok_or_else(no_install)?;
    let Some(access) = row.maybe_bytes(0)? else { return Ok(None) };
    let account = claimed.metadata.clone();
    let granted_at = row.moment(3)?;
    let lifetime =
        row.maybe_moment(2)?.map(|end| Duration::from_micros(u64::try_from(end.as_micros() - granted_at.as_micros()).unwrap_or(0)));
    let tokens = Tokens {
        access: context.open_secret(&claimed.id, "access_token", access)?,
        refresh: row.maybe_bytes(1)?.map(|refresh| context.open_secret(&claimed.id, "refresh_token", refresh)).transpose()?,
        api_domain: account.api_domain.clone(),
        scopes: account.scopes.clone(),
        lifetime,
    };
    Ok(Some(Grant { tokens, account, granted_at, keeper: Keeper::Install }))
}

/// Fails the connections whose grants a user's uninstall ended, and returns their number.
///
/// Without a time all grants of the account count; else those that were granted before it.
pub(crate) async fn record_uninstall(
    context: &Context,
    client_id: &str,
    company_id: &str,
    user_id: &str,
    at: Option<Moment>,
) -> Result<usize, Error> {
    let mut failed = 0;
    for app in context.apps().iter().filter(|app| app.has_client(client_id)) {
        failed += fail_connections(context, app, company_id, user_id, at).await?;
    }
    Ok(failed)
}

async fn fail_connections(context: &Context, app: &App, company_id: &str, user_id: &str, at: Option<Moment>) -> Result<usize, Error> {
    let until = at.map_or(Moment::from_micros(i64::MAX), |at| at + UNINSTALL_SLACK);
    let granted = || secrets::lock_granted(app.key(), company_id, user_id, until);
    // Unconfirmed connections go first: one that is confirmed meanwhile is either deleted or among the granted ones.
    let unconfirmed = connections::delete_unconfirmed(app.key(), company_id, user_id, until);
    context.store().run(vec![granted(), unconfirmed]).await?.into_all()?;
    let mut failed = 0;
    for row in context.store().rows(granted()).await? {
        let id = row.text(0)?;
        // The erasure misses a grant that was issued since.
        let batch = vec![secrets::erase_granted(id, until), connections::mark_uninstalled(id, context.now())];
        failed += usize::from(matches!(context.store().run(batch).await?, Ran::All(_)));
    }
    context.cache().forget();
    Ok(failed)
}

fn no_install() -> Error {
    Error::new(ErrorKind::NotFound, "There is no such install: it was used, or has expired.").with_hint("Install the app again.")
}
