//! Settlement: a code becomes a grant, and the grant becomes a connection's or is revoked.

use connector_core::{Error, ErrorKind, Retry};
use secrecy::SecretString;

use crate::grants::{leftover, oauth};
use crate::seal::keys::Key;
use crate::state::context::Context;
use crate::state::lookup::{self, find_same_account};
use crate::state::rows::connections::{self, NewConnection};
use crate::state::rows::{ended, leftovers, secrets};
use crate::store::statement::{Ran, Statement};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata, Method, Status};
use crate::value::names::check_name;
use crate::value::random;
use crate::value::tokens::Tokens;
use crate::value::wording::BEGIN_AGAIN;

/// Number of attempts to settle while others take the name or the account.
pub(crate) const MAX_ATTEMPTS: usize = 5;

/// Tokens that a code gave, and their account.
pub(crate) struct Grant {
    pub(crate) tokens: Tokens,
    pub(crate) account: Metadata,
    /// Time of the request for the tokens. An uninstall before it does not concern them.
    pub(crate) granted_at: Moment,
    pub(crate) keeper: Keeper,
}

/// Keeper of a grant until a connection takes it.
pub(crate) enum Keeper {
    /// The leftover with this id.
    Leftover(String),
    /// The claimed install, which can be confirmed again.
    Install,
    /// Nobody, since the vendor revokes no grants.
    Nobody,
}

impl Keeper {
    /// Builds the statement that takes the grant. It misses one that was revoked.
    pub(crate) fn take(&self) -> Option<Statement> {
        match self {
            Self::Leftover(id) => Some(leftovers::take(id)),
            Self::Install | Self::Nobody => None,
        }
    }
}

/// Failure to exchange a code.
pub(crate) enum ExchangeFailure {
    /// The vendor did not look at the code, which can be exchanged later.
    Unused(Error),
    /// The code can no longer be exchanged.
    Spent(Error),
}

impl ExchangeFailure {
    fn spent(error: Error) -> Self {
        Self::Spent(forbid_retry(error))
    }
}

impl From<ExchangeFailure> for Error {
    fn from(failure: ExchangeFailure) -> Self {
        match failure {
            ExchangeFailure::Unused(error) | ExchangeFailure::Spent(error) => error,
        }
    }
}

/// Connection that takes a grant.
enum Destination {
    /// A connection to the same account.
    Known(String),
    /// The connection that waited for the grant.
    Waiting(String),
    /// A new connection, because the one that was to be renewed is another account's.
    New(String),
}

impl Destination {
    fn id(&self) -> &str {
        match self {
            Self::Known(id) | Self::Waiting(id) | Self::New(id) => id,
        }
    }
}

/// Exchanges a code for a grant.
pub(crate) async fn exchange(
    context: &Context,
    app: &App,
    code: &SecretString,
    redirect_uri: &str,
    verifier: Option<&SecretString>,
) -> Result<Grant, ExchangeFailure> {
    let granted_at = context.now();
    let tokens = oauth::exchange_code(context.http(), app, code, redirect_uri, verifier).await.map_err(|error| match error.kind() {
        // The vendor took the code, or refused it.
        ErrorKind::BadAnswer | ErrorKind::Gone => ExchangeFailure::spent(error),
        _ => ExchangeFailure::Unused(error),
    })?;
    identify(context, app, tokens, granted_at).await.map_err(ExchangeFailure::spent)
}

/// Stores freshly issued tokens, then asks the vendor which account they belong to.
async fn identify(context: &Context, app: &App, tokens: Tokens, granted_at: Moment) -> Result<Grant, Error> {
    let no_host = || Error::new(ErrorKind::BadAnswer, format!("{}'s token endpoint gave no host.", app.label()));
    // A grant that cannot be revoked need not be kept for it.
    let keeper = if app.can_revoke() { Keeper::Leftover(leftover::store(context, app, &tokens).await?) } else { Keeper::Nobody };
    let host = tokens.api_domain.as_deref().or(app.host()).ok_or_else(no_host)?;
    let account = oauth::fetch_account(context.http(), app, &app.access(host, tokens.to_credential())?).await?;
    // A response without scopes means that all were granted that were asked for.
    let asked = || Some(app.scopes()).filter(|asked| !asked.is_empty()).map(|asked| asked.into_iter().map(str::to_owned).collect());
    let account = Metadata { scopes: tokens.scopes.clone().or_else(asked), ..account };
    Ok(Grant { tokens, account, granted_at, keeper })
}

/// Settles a grant for the connection that it was meant for. A grant that cannot be settled is revoked.
pub(crate) async fn settle(context: &Context, target: &Connection, grant: &Grant) -> Result<Connection, Error> {
    match place(context, target, grant).await {
        Ok(connection) => Ok(connection),
        Err(error) => Err(give_up(context, grant, error).await),
    }
}

/// Revokes a grant that could not be settled.
///
/// A grant that a claimed install has is kept and can be confirmed again.
pub(crate) async fn give_up(context: &Context, grant: &Grant, why: Error) -> Error {
    match &grant.keeper {
        Keeper::Leftover(leftover) => {
            if let Err(error) = leftover::abandon(context, leftover, &grant.account).await {
                tracing::warn!(grant = leftover, %error, "a grant could not be revoked yet");
            }
            forbid_retry(why)
        }
        Keeper::Nobody => forbid_retry(why),
        Keeper::Install => why,
    }
}

/// Gives the grant to the connection to the same account, else to the one that waits for it, else to a new one.
async fn place(context: &Context, target: &Connection, grant: &Grant) -> Result<Connection, Error> {
    let has_identity = context.app(&target.app)?.has_identity();
    for _ in 0..MAX_ATTEMPTS {
        let all = lookup::list(context, connections::select_all(&target.owner)).await?;
        let destination = match find_same_account(&all, &target.app, &grant.account) {
            Some(known) => Destination::Known(known.id.clone()),
            // An account that the vendor does not name is known by its connection.
            None if !has_identity && target.status != Status::Pending => Destination::Known(target.id.clone()),
            None if target.status == Status::Pending => Destination::Waiting(target.id.clone()),
            None => Destination::New(random::generate_id()?),
        };
        let name = find_free_name(&all, &target.app, &grant.account);
        let now = context.now();
        let conditions = grant.require(target, now);
        let ran = context.write(|key| Ok([conditions.clone(), grant.give_to(key, target, &destination, &name, now)?].concat())).await;
        context.cache().forget();
        match ran {
            Ok(Ran::All(_)) => return lookup::get(context, &target.owner, destination.id()).await,
            // The target expired, or was confirmed or removed.
            Ok(Ran::Missed(at)) if at < conditions.len() => return Err(not_waiting()),
            // Somebody took the name or the account meanwhile, so that the destination is looked for again.
            Ok(Ran::Missed(_)) => {}
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(too_many_attempts())
}

impl Grant {
    /// Builds the conditions of a settlement: the grant was not revoked, and the target still waits.
    ///
    /// They end the target's wait, so that it is settled once.
    fn require(&self, target: &Connection, now: Moment) -> Vec<Statement> {
        let still_there = match target.status {
            Status::Pending => connections::end_wait(&target.id, now),
            Status::Active | Status::Failed => connections::require(&target.id),
        };
        // The secret is locked first, in the order of those who end or refresh a connection.
        self.keeper.take().into_iter().chain([secrets::lock(&target.id), still_there]).collect()
    }

    /// Builds the statements that give the grant to its destination.
    fn give_to(&self, key: &Key, target: &Connection, destination: &Destination, name: &str, now: Moment) -> Result<Vec<Statement>, Error> {
        let mut batch = Vec::new();
        match destination {
            Destination::Known(known) if target.status == Status::Pending => {
                batch.push(ended::insert(target, Some(known), now));
                batch.push(connections::delete_by_id(&target.id));
                if target.view.is_some() {
                    batch.push(connections::set_view(&target.owner, known, target.view, now));
                }
            }
            Destination::New(id) => {
                let (owner, app) = (&target.owner, &target.app);
                let new = NewConnection { id, owner, app, name, method: Method::OAuth2, status: Status::Active, view: None, now };
                batch.extend(new.insert(&self.account));
            }
            Destination::Known(_) | Destination::Waiting(_) => {}
        }
        batch.push(secrets::store_grant(key, destination.id(), &self.tokens, self.granted_at)?);
        batch.push(connections::activate(destination.id(), Method::OAuth2, &self.account, name, now));
        Ok(batch)
    }
}

/// Finds a free name: the account's own, with a number if the owner has a connection of that name.
pub(crate) fn find_free_name(all: &[Connection], app: &str, account: &Metadata) -> String {
    let own = [&account.company.domain, &account.company.name].into_iter().flatten().find(|name| check_name(name).is_ok());
    let own = own.map_or(app, String::as_str);
    let is_free = |name: &String| !all.iter().any(|one| one.app == app && one.name == *name);
    let numbered = (2..).map(|number| format!("{own}-{number}"));
    std::iter::once(own.to_owned()).chain(numbered).find(is_free).expect("there are more numbers than connections")
}

/// Builds the error for a connection that does not wait for a grant.
pub(crate) fn not_waiting() -> Error {
    Error::new(ErrorKind::Conflict, "The connection does not wait to be authorized: it is finished, or has expired.").with_hint(BEGIN_AGAIN)
}

/// Builds the error for an account that others kept connecting meanwhile.
pub(crate) fn too_many_attempts() -> Error {
    Error::new(ErrorKind::Conflict, "The account is being connected several times at once.").with_retry(Retry::Later)
}

/// Forbids a retry after a code was used: the same request cannot succeed.
pub(crate) fn forbid_retry(error: Error) -> Error {
    if error.retry() == Retry::Later { error.with_retry(Retry::Never).with_hint(BEGIN_AGAIN) } else { error }
}
