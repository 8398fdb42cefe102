//! Authorizations: a browser goes to the vendor's page, and comes back with a code.

use std::sync::Arc;
use std::time::Duration;

use connector_core::run::View;
use connector_core::{Error, ErrorKind};
use secrecy::SecretString;

use crate::grants::settle::{self, forbid_retry, not_waiting};
use crate::grants::{oauth, removal};
use crate::state::context::Context;
use crate::state::lookup;
use crate::state::rows::connections::{self, NewConnection};
use crate::state::rows::{ended, secrets};
use crate::state::tickets::{Purpose, Ticket};
use crate::store::statement::{Ran, Statement};
use crate::value::app::App;
use crate::value::lifetimes::{LINK_LIFETIME, STATE_LIFETIME};
use crate::value::model::{Connection, Metadata, Method, Status};
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::value::wording::name_taken;

/// Maximum number of unfinished connections of one owner.
const MAX_PENDING: i64 = 100;
/// Minimum length of the token by which browsers are told apart.
const MIN_BROWSER_TOKEN: usize = 16;

/// URL of the vendor's page, and the connection that waits for the browser's return.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Authorization {
    /// The connection.
    pub connection: Connection,
    /// The vendor's page. The URL holds the state and must not be logged.
    pub url: SecretString,
}

/// Options of a connection that begins; each may be left out.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BeginOptions<'a> {
    /// The connection's name. Left out, it takes the account's own name once that is known.
    pub name: Option<&'a str>,
    /// The URI to which the vendor sends the browser. Left out, it is this host's.
    pub redirect_uri: Option<&'a str>,
    /// The state that the vendor passes back to a platform. Left out, it is the connection's id.
    pub state: Option<&'a str>,
    /// The view of calls that name none. Left out, a connection that is renewed keeps its own.
    pub view: Option<View>,
}

impl<'a> BeginOptions<'a> {
    /// Sets the connection's name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the URI to which the vendor sends the browser.
    #[must_use]
    pub fn with_redirect_uri(mut self, uri: impl Into<Option<&'a str>>) -> Self {
        self.redirect_uri = uri.into();
        self
    }

    /// Sets the state that the vendor passes back to a platform.
    #[must_use]
    pub fn with_state(mut self, state: impl Into<Option<&'a str>>) -> Self {
        self.state = state.into();
        self
    }

    /// Sets the view of calls that name none.
    #[must_use]
    pub fn with_view(mut self, view: impl Into<Option<View>>) -> Self {
        self.view = view.into();
        self
    }
}

/// Progress of a connection that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The connection waits to be granted or confirmed.
    Waiting,
    /// The connection was finished.
    Connected(Connection),
    /// The account was connected already, and that connection was renewed in place of this one.
    Renewed(Connection),
    /// The user declined on the vendor's page.
    Declined,
    /// The connection was removed, or nobody finished it in time.
    Removed,
}

/// Inserts a connection that waits for its authorization, and seals its state for the browser.
pub(crate) async fn authorize(
    context: &Context,
    owner: &str,
    app: &str,
    name: Option<&str>,
    browser: &str,
) -> Result<Authorization, Error> {
    let app = context.app(app)?;
    let connection = insert_pending(context, owner, app, BeginOptions { name, ..BeginOptions::default() }, STATE_LIFETIME).await?;
    build_authorization(context, connection, browser)
}

/// Begins a connection that waits for a day: for its link to be opened, or for a platform's code.
pub(crate) async fn begin(context: &Context, owner: &str, app: &str, options: BeginOptions<'_>) -> Result<Authorization, Error> {
    let app = context.app(app)?;
    let redirect_uri = options.redirect_uri.unwrap_or(&app.client()?.redirect_uri);
    if !redirect_uri.starts_with("https://") && !is_local(redirect_uri) {
        return Err(Error::new(ErrorKind::InvalidInput, "The redirect URI is not https.").with_hint("Give the one that is registered."));
    }
    let connection = insert_pending(context, owner, app, options, LINK_LIFETIME).await?;
    let verifier = oauth::generate_verifier(app)?;
    if let Some(verifier) = &verifier {
        let id = &connection.id;
        context.write(|key| Ok(vec![secrets::store_verifier(id, key.seal_text(id, "verifier", verifier)?)])).await?.into_all()?;
    }
    let state = options.state.unwrap_or(&connection.id);
    let url = oauth::build_authorize_url(app, redirect_uri, state, verifier.as_ref())?.into();
    Ok(Authorization { connection, url })
}

/// Inserts a connection that waits to be granted.
///
/// Without a name it is called by its id until the account is known.
async fn insert_pending(
    context: &Context,
    owner: &str,
    app: &App,
    options: BeginOptions<'_>,
    lifetime: Duration,
) -> Result<Connection, Error> {
    check_owner(owner)?;
    options.name.map_or(Ok(()), check_name)?;
    app.client()?;
    let (id, now) = (random::generate_id()?, context.now());
    let name = options.name.unwrap_or(&id);
    let (method, status, view) = (Method::OAuth2, Status::Pending, options.view);
    let new = NewConnection { id: &id, owner, app: app.key(), name, method, status, view, now };
    // Expired connections make room even if nobody calls the sweep.
    let mut batch = vec![connections::delete_expired_of_owner(owner, now), require_room(owner)];
    batch.extend(new.insert(&Metadata::default()));
    batch.push(connections::wait_for_authorization(&id, now + lifetime, options.redirect_uri));
    let ran = context.store().run(batch).await?;
    context.cache().forget();
    match ran {
        Ran::All(_) => lookup::get(context, owner, &id).await,
        Ran::Missed(1) => Err(no_room()),
        Ran::Missed(_) => Err(name_taken(name)),
    }
}

fn build_authorization(context: &Context, connection: Connection, browser: &str) -> Result<Authorization, Error> {
    if browser.len() < MIN_BROWSER_TOKEN {
        return Err(Error::new(ErrorKind::Bug, "A browser's token is too short to tell it from another's."));
    }
    let app = context.app(&connection.app)?;
    let verifier = oauth::generate_verifier(app)?;
    let ticket = Ticket::new(&connection.id, browser, context.now() + STATE_LIFETIME)?.with_verifier(verifier.clone());
    let state = ticket.seal(context, Purpose::State)?;
    let url = oauth::build_authorize_url(app, &app.client()?.redirect_uri, &state, verifier.as_ref())?.into();
    Ok(Authorization { connection, url })
}

/// Creates a link by which a connection that is not finished, or failed, can be connected once.
pub(crate) async fn create_link(context: &Context, owner: &str, id: &str) -> Result<SecretString, Error> {
    let connection = lookup::get(context, owner, id).await?;
    check_connectable(&connection)?;
    if !context.store().rows(connections::select_begun_by_platform(&connection.id)).await?.is_empty() {
        return Err(Error::new(ErrorKind::Conflict, "A platform began the connection, and has the browser come back to itself."));
    }
    let ticket = Ticket::new(id, "", context.now() + LINK_LIFETIME)?;
    Ok(ticket.seal(context, Purpose::Link)?.into())
}

/// Finds the connection of a link, which stays valid.
pub(crate) async fn find_by_link(context: &Context, link: &str) -> Result<Connection, Error> {
    let ticket = Ticket::open(context, link, Purpose::Link)?;
    find_connectable(context, &ticket).await
}

/// Uses a link up, and begins an authorization for the browser that holds this token.
pub(crate) async fn open_link(context: &Context, link: &str, browser: &str) -> Result<Authorization, Error> {
    let ticket = Ticket::open(context, link, Purpose::Link)?;
    let connection = find_connectable(context, &ticket).await?;
    context.app(&connection.app)?.client()?;
    ticket.use_up(context).await?;
    if connection.status == Status::Pending {
        let now = context.now();
        let extend = connections::extend_wait(&connection.id, now, now + STATE_LIFETIME);
        if context.store().rows(extend).await?.is_empty() {
            return Err(not_waiting());
        }
    }
    build_authorization(context, connection, browser)
}

async fn find_connectable(context: &Context, ticket: &Ticket) -> Result<Connection, Error> {
    let connection = lookup::get_by_id(context, ticket.connection()).await?;
    check_connectable(&connection)?;
    Ok(connection)
}

/// Finishes an authorization: exchanges the code that the browser brought back, and settles the grant.
pub(crate) async fn finish(context: &Context, browser: &str, state: &str, code: &SecretString) -> Result<Connection, Error> {
    let ticket = use_state(context, browser, state).await?;
    let target = lookup::get_by_id(context, ticket.connection()).await?;
    let app = context.app(&target.app)?;
    let grant = settle::exchange(context, app, code, &app.client()?.redirect_uri, ticket.verifier()).await;
    // The state is used up, so that the same callback cannot be repeated even if the code can.
    let grant = grant.map_err(|failure| forbid_retry(failure.into()))?;
    settle::settle(context, &target, &grant).await
}

/// Uses the state up, and removes the connection if it was never finished.
pub(crate) async fn decline(context: &Arc<Context>, browser: &str, state: &str) -> Result<Option<Connection>, Error> {
    let ticket = use_state(context, browser, state).await?;
    let target = match lookup::get_by_id(context, ticket.connection()).await {
        Err(error) if error.kind() == ErrorKind::NoConnection => return Ok(None),
        target => target?,
    };
    let delete = vec![ended::insert(&target, None, context.now()), connections::delete_pending_of_host(&target.id)];
    removal::end_and_revoke(context, &target.id, delete).await?;
    Ok(Some(target))
}

/// Finds the connection of a state, which stays valid.
pub(crate) async fn find_by_state(context: &Context, state: &str) -> Result<Connection, Error> {
    let ticket = Ticket::open(context, state, Purpose::State)?;
    lookup::get_by_id(context, ticket.connection()).await
}

async fn use_state(context: &Context, browser: &str, state: &str) -> Result<Ticket, Error> {
    let ticket = Ticket::open(context, state, Purpose::State)?;
    ticket.check_browser(browser)?;
    ticket.use_up(context).await?;
    Ok(ticket)
}

/// Exchanges the code that came back to a platform, and settles the grant.
pub(crate) async fn exchange(context: &Context, target: &Connection, code: &SecretString) -> Result<Connection, Error> {
    let rows = context.store().rows(connections::select_redirect_uri(&target.id, context.now())).await?;
    let app = context.app(&target.app)?;
    let redirect_uri = rows.first().ok_or_else(not_waiting)?.maybe_text(0)?.unwrap_or(&app.client()?.redirect_uri);
    let rows_of_verifier = context.store().rows(secrets::select_verifier(&target.id)).await?;
    let sealed = rows_of_verifier.first().ok_or_else(not_waiting)?.maybe_bytes(0)?;
    let verifier = sealed.map(|sealed| context.open_secret(&target.id, "verifier", sealed)).transpose()?;
    let grant = settle::exchange(context, app, code, redirect_uri, verifier.as_ref()).await?;
    settle::settle(context, target, &grant).await
}

/// Looks for the connection, else for the record of its end.
pub(crate) async fn find_progress(context: &Context, owner: &str, id: &str) -> Result<Progress, Error> {
    if let Some(connection) = lookup::find(context, connections::select(owner, id)).await? {
        return Ok(if connection.status == Status::Pending { Progress::Waiting } else { Progress::Connected(connection) });
    }
    let rows = context.store().rows(ended::select_renewed(owner, id)).await?;
    let Some(row) = rows.first() else { return Ok(Progress::Removed) };
    let Some(renewed) = row.maybe_text(0)? else { return Ok(Progress::Declined) };
    let renewed = lookup::find(context, connections::select(owner, renewed)).await?;
    Ok(renewed.map_or(Progress::Removed, Progress::Renewed))
}

/// Builds the condition that an owner has room for another unfinished connection.
pub(crate) fn require_room(owner: &str) -> Statement {
    connections::require_room(owner, MAX_PENDING)
}

/// Builds the error for an owner without room.
pub(crate) fn no_room() -> Error {
    Error::new(ErrorKind::RateLimited, format!("{MAX_PENDING} connections of this owner wait to be finished."))
        .with_hint("Finish or remove some of them. Unfinished connections are removed after a day.")
}

fn check_connectable(connection: &Connection) -> Result<(), Error> {
    match connection.status {
        Status::Active => Err(not_waiting()),
        Status::Pending | Status::Failed => Ok(()),
    }
}

/// Checks whether a URI leads to this machine, on any port.
fn is_local(uri: &str) -> bool {
    let rest = ["http://127.0.0.1", "http://localhost"].iter().find_map(|start| uri.strip_prefix(start));
    let rest = rest.map(|rest| rest.trim_start_matches(|letter: char| letter == ':' || letter.is_ascii_digit()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_host_that_only_begins_like_this_machine_is_not_local() {
        for local in ["http://127.0.0.1", "http://localhost:8010/oauth/callback", "http://127.0.0.1:8010/?x=1"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["http://localhost.example", "http://127.0.0.1.example/", "http://localhost:80@example.com/", "ftp://localhost"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
