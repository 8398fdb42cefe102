//! How a connection comes about: by an authorization that began here, on behalf of a platform with its own callback, or
//! by an API token. What a grant is, and how it finds its place.

use std::time::Duration;

use connector_core::{Credential, Error, ErrorKind, Retry};
use secrecy::SecretString;

use crate::leftover;
use crate::oauth;
use crate::rows::{connection_columns, read_connection, write_metadata};
use crate::seal::keys::Key;
use crate::store::statement::{Ran, Statement, sql};
use crate::tickets::{Purpose, Ticket};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata, Method, Status};
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::value::tokens::Tokens;
use crate::value::wording::{BEGIN_AGAIN, name_taken, no_connection};
use crate::vault::{Inner, Vault};

/// How long a state is taken, and how long a connection waits to be finished or confirmed.
pub const STATE_LIFETIME: Duration = Duration::from_mins(10);
/// How long a link can be opened, and a connection that a platform began waits for it.
const LINK_LIFETIME: Duration = Duration::from_hours(24);
/// How many connections of one owner wait to be finished or confirmed at once.
const MOST_PENDING: i64 = 100;
/// How often a place is looked for that somebody else takes each time.
const ATTEMPTS: usize = 5;

/// Where to send a browser, and the connection that waits for its return.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Authorization {
    /// The connection.
    pub connection: Connection,
    /// The vendor's page. It holds the state: it is not to be logged.
    pub url: SecretString,
}

/// How a connection begins; each may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeginOptions<'a> {
    /// What to call it; the account's own name, once that is known, where none is given.
    pub name: Option<&'a str>,
    /// Where the vendor sends the browser, if not back to this host.
    pub redirect_uri: Option<&'a str>,
    /// What it sends along to a platform; the connection's id where it is left out.
    pub state: Option<&'a str>,
}

/// What became of a connection that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It waits to be granted or confirmed.
    Waiting,
    /// It was finished.
    Connected(Connection),
    /// The account was connected already, and that connection was renewed in its place.
    Renewed(Connection),
    /// The user declined at the vendor's.
    Declined,
    /// It was removed, or nobody finished it in time.
    Removed,
}

/// What a grant gave: tokens, and whose they are.
pub(crate) struct Granted {
    pub(crate) tokens: Tokens,
    pub(crate) metadata: Metadata,
    /// When: an uninstall before it does not concern it.
    pub(crate) at: Moment,
    /// The leftover that keeps it until it is a connection's.
    pub(crate) aside: Option<String>,
}

/// Why a code gave nothing.
pub(crate) enum NoGrant {
    /// The vendor did not look at it: it can be exchanged yet.
    Unused(Error),
    /// It is worth nothing any more.
    Spent(Error),
}

impl Vault {
    /// Begins an authorization: a connection that waits, and the vendor's page for the browser that holds this token.
    /// A name may be given; else the account's own is taken once it is known.
    pub async fn authorize(&self, owner: &str, app: &str, name: Option<&str>, browser: &str) -> Result<Authorization, Error> {
        let app = self.0.app(app)?;
        let connection = self.0.begin(owner, app, name, None, STATE_LIFETIME).await?;
        self.0.authorization(connection, browser)
    }

    /// A link by which a connection that is not finished, or failed, can be connected: it opens once.
    pub async fn create_link(&self, owner: &str, id: &str) -> Result<SecretString, Error> {
        let connection = self.0.get(owner, id).await?;
        connectable(&connection)?;
        let by_platform =
            sql!("SELECT 1 FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND redirect_uri IS NOT NULL", &connection.id);
        if !self.0.store.rows(by_platform).await?.is_empty() {
            return Err(Error::new(ErrorKind::Conflict, "A platform began the connection, and has the browser come back to itself."));
        }
        let ticket = Ticket::new(id, "", self.0.clock.now() + LINK_LIFETIME)?;
        Ok(self.0.write_ticket(&ticket, Purpose::Link)?.into())
    }

    /// The connection that a link leads to, whose page shows for whom an account would be connected; it stays good.
    pub async fn find_by_link(&self, link: &str) -> Result<Connection, Error> {
        let ticket = self.0.read_ticket(link, Purpose::Link)?;
        let connection = self.0.target(&ticket.connection).await?;
        connectable(&connection)?;
        Ok(connection)
    }

    /// Opens a link: the vendor's page for the browser that holds this token.
    pub async fn open_link(&self, link: &str, browser: &str) -> Result<Authorization, Error> {
        let ticket = self.0.read_ticket(link, Purpose::Link)?;
        let connection = self.0.target(&ticket.connection).await?;
        connectable(&connection)?;
        self.0.app(&connection.app)?.client()?;
        self.0.use_up(&ticket).await?;
        self.0.wait_on(&connection).await?;
        self.0.authorization(connection, browser)
    }

    /// The browser is back with a code: the connection is granted. An account of this owner that is connected already is
    /// renewed; one that is another than the link was made for becomes a connection of its own.
    pub async fn finish_authorization(&self, browser: &str, state: &str, code: SecretString) -> Result<Connection, Error> {
        let (browser, state) = (browser.to_owned(), state.to_owned());
        self.apart(async move |inner| {
            let ticket = inner.read_ticket(&state, Purpose::State)?;
            ticket.check_browser(&browser)?;
            inner.use_up(&ticket).await?;
            let target = inner.target(&ticket.connection).await?;
            let app = inner.app(&target.app)?;
            // The state is used up: the same answer of the vendor's leads nowhere any more.
            let granted = inner.grant(app, &code, &app.client()?.redirect_uri).await;
            let granted = granted.map_err(|none| begin_again(none.into()))?;
            inner.settle(&target, &granted).await
        })
        .await
    }

    /// The browser is back without one, since the user declined: the state is used up, and what waited for it removed.
    pub async fn decline_authorization(&self, browser: &str, state: &str) -> Result<(), Error> {
        let inner = &self.0;
        let ticket = inner.read_ticket(state, Purpose::State)?;
        ticket.check_browser(browser)?;
        inner.use_up(&ticket).await?;
        let delete = sql!(
            "DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND redirect_uri IS NULL RETURNING 1",
            &ticket.connection
        );
        let target = match inner.target(&ticket.connection).await {
            Err(error) if error.kind() == ErrorKind::NoConnection => return Ok(()),
            target => target?,
        };
        self.end(&target.id, vec![ended(&target, None, inner.clock.now()), delete.expect_row()]).await.map(|_| ())
    }

    /// Begins a connection that waits for a day: for its link to be opened, or for a platform that has the browser come
    /// back to itself, and then gives the code to [`Vault::exchange`].
    pub async fn begin(&self, owner: &str, app: &str, begin: BeginOptions<'_>) -> Result<Authorization, Error> {
        let app = self.0.app(app)?;
        let redirect_uri = begin.redirect_uri.unwrap_or(&app.client()?.redirect_uri);
        if !redirect_uri.starts_with("https://") && !is_local(redirect_uri) {
            return Err(Error::new(ErrorKind::InvalidInput, "The redirect URI is not https.").with_hint("Give the one that is registered."));
        }
        let connection = self.0.begin(owner, app, begin.name, begin.redirect_uri, LINK_LIFETIME).await?;
        let url = oauth::authorize_url(app, redirect_uri, begin.state.unwrap_or(&connection.id))?.into();
        Ok(Authorization { connection, url })
    }

    /// What became of a connection that was begun; how one ended is known for a day.
    pub async fn progress(&self, owner: &str, id: &str) -> Result<Progress, Error> {
        let found = |got: Result<Connection, Error>| match got {
            Ok(connection) => Ok(Some(connection)),
            Err(error) if error.kind() == ErrorKind::NoConnection => Ok(None),
            Err(error) => Err(error),
        };
        if let Some(connection) = found(self.get(owner, id).await)? {
            return Ok(if connection.status == Status::Pending { Progress::Waiting } else { Progress::Connected(connection) });
        }
        let rows = self.0.store.rows(sql!("SELECT renewed FROM connector_ended WHERE id = $1 AND owner = $2", id, owner)).await?;
        let Some(row) = rows.first() else { return Ok(Progress::Removed) };
        let Some(renewed) = row.maybe_text(0)? else { return Ok(Progress::Declined) };
        Ok(found(self.get(owner, renewed).await)?.map_or(Progress::Removed, Progress::Renewed))
    }

    /// Grants a connection that was begun, with the code that came back to a platform.
    pub async fn exchange(&self, owner: &str, id: &str, code: SecretString) -> Result<Connection, Error> {
        let target = self.0.get(owner, id).await?;
        self.apart(async move |inner| {
            let waiting = sql!(
                "SELECT redirect_uri FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 AND install IS NULL",
                &target.id,
                inner.clock.now()
            );
            let rows = inner.store.rows(waiting).await?;
            let app = inner.app(&target.app)?;
            let redirect_uri = rows.first().ok_or_else(finished)?.maybe_text(0)?.unwrap_or(&app.client()?.redirect_uri);
            let granted = inner.grant(app, &code, redirect_uri).await?;
            inner.settle(&target, &granted).await
        })
        .await
    }

    /// Connects an account by an API token, at its own host, once the vendor said whose it is.
    pub async fn add_api_token(
        &self,
        owner: &str,
        app: &str,
        name: Option<&str>,
        origin: &str,
        token: SecretString,
    ) -> Result<Connection, Error> {
        let inner = &self.0;
        let app = inner.app(app)?;
        check_owner(owner)?;
        name.map_or(Ok(()), check_name)?;
        let access = app.access(origin, Credential::ApiToken(token.clone()))?;
        let metadata = oauth::identity(&inner.http, app, &access).await?;
        inner.keep_api_token(owner, app, name, &metadata, &token).await
    }
}

impl Inner {
    /// A connection that waits to be granted; its name is its id until it has one.
    async fn begin(
        &self,
        owner: &str,
        app: &App,
        name: Option<&str>,
        redirect_uri: Option<&str>,
        lives: Duration,
    ) -> Result<Connection, Error> {
        check_owner(owner)?;
        name.map_or(Ok(()), check_name)?;
        app.client()?;
        let (id, now) = (random::generate_id()?, self.clock.now());
        let name = name.unwrap_or(&id);
        let new = New { id: &id, owner, app: app.key(), name, method: Method::OAuth2, status: Status::Pending, now };
        // What is too old makes room, whether anybody sweeps or not.
        let mut batch = vec![
            sql!(
                "DELETE FROM connector_connection WHERE owner = $1 AND status = 'PENDING' AND expires_at <= $2 AND install IS NULL",
                owner,
                now
            ),
            has_room(owner),
        ];
        batch.extend(new.statements(&Metadata::default()));
        batch.push(sql!(
            "UPDATE connector_connection SET expires_at = $2, redirect_uri = $3 WHERE id = $1",
            &id,
            now + lives,
            redirect_uri
        ));
        let ran = self.store.run(batch).await?;
        self.cache.forget();
        match ran {
            Ran::All(_) => self.get(owner, &id).await,
            Ran::Missed(1) => Err(no_room()),
            Ran::Missed(_) => Err(name_taken(name)),
        }
    }

    fn authorization(&self, connection: Connection, browser: &str) -> Result<Authorization, Error> {
        if browser.len() < 16 {
            return Err(Error::new(ErrorKind::Bug, "A browser's token is too short to tell it from another's."));
        }
        let app = self.app(&connection.app)?;
        let ticket = Ticket::new(&connection.id, browser, self.clock.now() + STATE_LIFETIME)?;
        let state = self.write_ticket(&ticket, Purpose::State)?;
        let url = oauth::authorize_url(app, &app.client()?.redirect_uri, &state)?.into();
        Ok(Authorization { connection, url })
    }

    /// The connection that a ticket leads to: the ticket is the right to it.
    pub(crate) async fn target(&self, id: &str) -> Result<Connection, Error> {
        let get = sql!(concat!("SELECT ", connection_columns!(), " FROM connector_connection WHERE id = $1"), id);
        self.store.rows(get).await?.first().map_or_else(|| Err(no_connection(id)), read_connection)
    }

    /// Tokens for a code, and whose they are.
    pub(crate) async fn grant(&self, app: &App, code: &SecretString, redirect_uri: &str) -> Result<Granted, NoGrant> {
        let at = self.clock.now();
        let tokens = oauth::exchange(&self.http, app, code, redirect_uri).await.map_err(|error| match error.kind() {
            // Taken or refused: it is worth nothing any more.
            ErrorKind::BadAnswer | ErrorKind::Gone => NoGrant::spent(error),
            _ => NoGrant::Unused(error),
        })?;
        self.known(app, tokens, at).await.map_err(NoGrant::spent)
    }

    /// Whose tokens are that just came. They are kept before anything else can fail.
    async fn known(&self, app: &App, tokens: Tokens, at: Moment) -> Result<Granted, Error> {
        let bad = |what: &str| Error::new(ErrorKind::BadAnswer, format!("{}'s token endpoint gave no {what}.", app.connector().label));
        if tokens.refresh.is_none() {
            return Err(bad("refresh token"));
        }
        let aside = self.set_aside(app, &tokens).await?;
        let domain = tokens.api_domain.as_deref().ok_or_else(|| bad("host"))?;
        let metadata = oauth::identity(&self.http, app, &app.access(domain, tokens.to_credential())?).await?;
        Ok(Granted { metadata: Metadata { scopes: tokens.scopes.clone(), ..metadata }, tokens, at, aside: Some(aside) })
    }

    /// A grant finds its place, or is given back.
    pub(crate) async fn settle(&self, target: &Connection, granted: &Granted) -> Result<Connection, Error> {
        match self.placed(target, granted).await {
            Ok(connection) => Ok(connection),
            Err(error) => Err(self.given_up(granted, error).await),
        }
    }

    /// Gives a grant back that found no place. One that a claimed connection has stays there, and can be confirmed again.
    pub(crate) async fn given_up(&self, granted: &Granted, why: Error) -> Error {
        let Some(aside) = &granted.aside else { return why };
        if let Err(error) = self.abandon(aside, &granted.metadata).await {
            tracing::warn!(grant = aside, %error, "a grant was not given back yet");
        }
        begin_again(why)
    }

    /// The place of a grant: the connection to the same account, else the one that waits for it, else a new one.
    async fn placed(&self, target: &Connection, granted: &Granted) -> Result<Connection, Error> {
        for _ in 0..ATTEMPTS {
            let all = self.list(&target.owner).await?;
            let place = match to_same_account(&all, &target.app, &granted.metadata) {
                Some(known) => Place::Known(known.id.clone()),
                None if target.status == Status::Pending => Place::Waiting(target.id.clone()),
                None => Place::New(random::generate_id()?),
            };
            let name = free_name(&all, &target.app, &granted.metadata);
            let now = self.clock.now();
            let conditions = granted.conditions(target, now);
            let ran = self.write(None, |key| Ok([conditions.clone(), granted.settled(key, target, &place, &name, now)?].concat())).await;
            self.cache.forget();
            match ran {
                Ok(Ran::All(_)) => return self.get(&target.owner, place.id()).await,
                // It is over for this one: it expired, or was confirmed or removed already.
                Ok(Ran::Missed(at)) if at < conditions.len() => return Err(finished()),
                // Somebody took the name or the account meanwhile: it is looked for again.
                Ok(Ran::Missed(_)) => {}
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(at_once())
    }

    /// A connection that waits to be granted waits at least until the state of an authorization is too old.
    async fn wait_on(&self, connection: &Connection) -> Result<(), Error> {
        if connection.status != Status::Pending {
            return Ok(());
        }
        let now = self.clock.now();
        let wait = sql!(
            "UPDATE connector_connection SET expires_at = CASE WHEN expires_at < $3 THEN $3 ELSE expires_at END \
             WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 RETURNING 1",
            &connection.id,
            now,
            now + STATE_LIFETIME
        );
        if self.store.rows(wait).await?.is_empty() { Err(finished()) } else { Ok(()) }
    }

    async fn keep_api_token(
        &self,
        owner: &str,
        app: &App,
        name: Option<&str>,
        metadata: &Metadata,
        token: &SecretString,
    ) -> Result<Connection, Error> {
        for _ in 0..ATTEMPTS {
            let all = self.list(owner).await?;
            let known = to_same_account(&all, app.key(), metadata);
            if let Some(by_oauth) = known.filter(|known| known.method == Method::OAuth2) {
                let message = format!("The account is connected by OAuth already, as {}.", by_oauth.name);
                return Err(Error::new(ErrorKind::Conflict, message).with_hint("Use that connection, or remove it first."));
            }
            let (fresh, now) = (random::generate_id()?, self.clock.now());
            let id = known.map_or(&fresh, |known| &known.id);
            // A connection that is known keeps its name, by which calls name it.
            if let Some(taken) = name.filter(|name| known.is_none() && all.iter().any(|one| one.app == app.key() && one.name == *name)) {
                return Err(name_taken(taken));
            }
            let free = free_name(&all, app.key(), metadata);
            let ran = self.write(None, |key| {
                let called = name.unwrap_or(&free);
                let new = New { id, owner, app: app.key(), name: called, method: Method::ApiKey, status: Status::Active, now };
                let mut batch = if known.is_none() { new.statements(metadata) } else { Vec::new() };
                batch.push(sql!(
                    "UPDATE connector_secret SET version = version + 1, api_token = $2, granted_at = $3 WHERE connection_id = $1",
                    id,
                    key.seal_text(id, "api_token", token)?,
                    now
                ));
                batch.push(activated(id, Method::ApiKey, metadata, &free, now));
                Ok(batch)
            });
            let ran = ran.await;
            self.cache.forget();
            match ran {
                Ok(Ran::All(_)) => return self.get(owner, id).await,
                // Somebody took the name or the account meanwhile: it is looked for again.
                Ok(Ran::Missed(_)) => {}
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(at_once())
    }
}

impl NoGrant {
    fn spent(error: Error) -> Self {
        Self::Spent(begin_again(error))
    }
}

impl From<NoGrant> for Error {
    fn from(none: NoGrant) -> Self {
        match none {
            NoGrant::Unused(error) | NoGrant::Spent(error) => error,
        }
    }
}

/// Where a grant goes.
enum Place {
    /// A connection to the same account.
    Known(String),
    /// The connection that waited for it.
    Waiting(String),
    /// A new one, since the connection that was to be renewed is another account's.
    New(String),
}

impl Place {
    fn id(&self) -> &str {
        match self {
            Self::Known(id) | Self::Waiting(id) | Self::New(id) => id,
        }
    }
}

/// A row to be.
pub(crate) struct New<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) app: &'a str,
    pub(crate) name: &'a str,
    pub(crate) method: Method,
    pub(crate) status: Status,
    pub(crate) now: Moment,
}

impl New<'_> {
    /// The row and its empty secret; it misses where the name is taken.
    pub(crate) fn statements(&self, metadata: &Metadata) -> Vec<Statement> {
        let connection = sql!(
            "INSERT INTO connector_connection (id, owner, app, name, method, status, created_at, updated_at, company_id, user_id, metadata) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING 1",
            self.id,
            self.owner,
            self.app,
            self.name,
            self.method.as_str(),
            self.status.as_str(),
            self.now,
            metadata.company.id.as_ref(),
            metadata.user.id.as_ref(),
            write_metadata(metadata)
        );
        vec![connection.expect_row(), sql!("INSERT INTO connector_secret (connection_id, version) VALUES ($1, 0)", self.id)]
    }
}

impl Granted {
    /// What must still be so: nobody gave it back, and what waits for it waits still, and does no longer.
    fn conditions(&self, target: &Connection, now: Moment) -> Vec<Statement> {
        let there = match target.status {
            // Only one comes through here for what waits.
            Status::Pending => sql!(
                "UPDATE connector_connection SET expires_at = NULL, install = NULL, redirect_uri = NULL \
                 WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 RETURNING 1",
                &target.id,
                now
            ),
            Status::Active | Status::Failed => sql!("SELECT 1 FROM connector_connection WHERE id = $1", &target.id),
        };
        // The secret is locked first, as by whoever ends or refreshes a connection.
        let secret = sql!("SELECT 1 FROM connector_secret WHERE connection_id = $1 FOR UPDATE", &target.id);
        let aside = self.aside.iter().map(|aside| leftover::taken(aside));
        aside.chain([secret.expect_row(), there.expect_row()]).collect()
    }

    /// It becomes that of its place.
    fn settled(&self, key: &Key, target: &Connection, place: &Place, name: &str, now: Moment) -> Result<Vec<Statement>, Error> {
        let mut batch = Vec::new();
        match place {
            Place::Known(known) if target.status == Status::Pending => {
                batch.push(ended(target, Some(known), now));
                batch.push(sql!("DELETE FROM connector_connection WHERE id = $1", &target.id));
            }
            Place::New(id) => {
                let (owner, app) = (&target.owner, &target.app);
                let new = New { id, owner, app, name, method: Method::OAuth2, status: Status::Active, now };
                batch.extend(new.statements(&self.metadata));
            }
            Place::Known(_) | Place::Waiting(_) => {}
        }
        batch.push(self.stored(key, place.id())?);
        batch.push(activated(place.id(), Method::OAuth2, &self.metadata, name, now));
        Ok(batch)
    }

    /// Its tokens become the connection's.
    pub(crate) fn stored(&self, key: &Key, id: &str) -> Result<Statement, Error> {
        let (refresh_at, expires_at) = (self.tokens.refresh_at(self.at), self.tokens.expires_at(self.at));
        let refresh = self.tokens.refresh.as_ref().map(|token| key.seal_text(id, "refresh_token", token)).transpose()?;
        Ok(sql!(
            "UPDATE connector_secret SET version = version + 1, access_token = $2, refresh_token = $3, api_token = NULL, \
             granted_at = $4, refresh_at = $5, expires_at = $6 WHERE connection_id = $1",
            id,
            key.seal_text(id, "access_token", &self.tokens.access)?,
            refresh,
            self.at,
            refresh_at,
            expires_at
        ))
    }
}

/// How a connection that was begun ended, for whoever waits for it.
pub(crate) fn ended(begun: &Connection, renewed: Option<&String>, now: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_ended (id, owner, renewed, expires_at) VALUES ($1, $2, $3, $4)",
        &begun.id,
        &begun.owner,
        renewed,
        now + LINK_LIFETIME
    )
}

/// A connection can be used. One whose name was its id takes this one; any other stays as calls know it.
pub(crate) fn activated(id: &str, method: Method, metadata: &Metadata, name: &str, now: Moment) -> Statement {
    let statement = sql!(
        "UPDATE connector_connection SET status = 'ACTIVE', reason = NULL, method = $2, metadata = $3, company_id = $4, user_id = $5, \
         updated_at = $6, name = CASE WHEN name = id THEN $7 ELSE name END WHERE id = $1 RETURNING 1",
        id,
        method.as_str(),
        write_metadata(metadata),
        metadata.company.id.as_ref(),
        metadata.user.id.as_ref(),
        now,
        name
    );
    statement.expect_row()
}

/// The connection to an account, where there is one that is finished.
pub(crate) fn to_same_account<'a>(all: &'a [Connection], app: &str, account: &Metadata) -> Option<&'a Connection> {
    all.iter().find(|one| one.app == app && one.status != Status::Pending && one.metadata.is_same_account(account))
}

/// The account's own name, with a number where the owner has one of that name.
fn free_name(all: &[Connection], app: &str, metadata: &Metadata) -> String {
    let own = [&metadata.company.domain, &metadata.company.name].into_iter().flatten().find(|name| check_name(name).is_ok());
    let own = own.map_or(app, String::as_str);
    let is_free = |name: &String| !all.iter().any(|one| one.app == app && one.name == *name);
    let numbered = (2..).map(|number| format!("{own}-{number}"));
    std::iter::once(own.to_owned()).chain(numbered).find(is_free).expect("there are more numbers than connections")
}

/// Whether a URI leads to this machine, whatever its port.
fn is_local(uri: &str) -> bool {
    let rest = ["http://127.0.0.1", "http://localhost"].iter().find_map(|start| uri.strip_prefix(start));
    let rest = rest.map(|rest| rest.trim_start_matches(|letter: char| letter == ':' || letter.is_ascii_digit()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// It misses where as many of an owner's connections wait as may.
pub(crate) fn has_room(owner: &str) -> Statement {
    const ROOM: &str = "SELECT 1 WHERE (SELECT COUNT(*) FROM connector_connection WHERE owner = $1 AND status = 'PENDING') < $2";
    sql!(ROOM, owner, MOST_PENDING).expect_row()
}

pub(crate) fn no_room() -> Error {
    Error::new(ErrorKind::RateLimited, format!("{MOST_PENDING} connections of this owner wait to be finished."))
        .with_hint("Finish or remove some of them; one that nobody finishes is removed a day after it was begun.")
}

fn connectable(connection: &Connection) -> Result<(), Error> {
    match connection.status {
        Status::Active => Err(finished()),
        Status::Pending | Status::Failed => Ok(()),
    }
}

fn at_once() -> Error {
    Error::new(ErrorKind::Conflict, "The account is being connected several times at once.").with_retry(Retry::Later)
}

fn finished() -> Error {
    Error::new(ErrorKind::Conflict, "The connection does not wait to be granted: it is finished, or it is too late.").with_hint(BEGIN_AGAIN)
}

/// A code is worth one exchange: what came after it cannot be repeated with the same one.
fn begin_again(error: Error) -> Error {
    if error.retry() == Retry::Later { error.with_retry(Retry::Never).with_hint(BEGIN_AGAIN) } else { error }
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_name_that_only_begins_as_this_machine_s_is_another() {
        for local in ["http://127.0.0.1", "http://localhost:8010/oauth/callback", "http://127.0.0.1:8010/?x=1"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["http://localhost.example", "http://127.0.0.1.example/", "http://localhost:80@example.com/", "ftp://localhost"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
