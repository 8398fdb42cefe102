//! Installs that begin at the vendor's: a code comes without a state, is held, claimed, and confirmed or declined; and the
//! notice that the app was uninstalled.

use std::time::Duration;

use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::flows::{Granted, New, NoGrant, STATE_LIFETIME, activated, ended, has_room, no_room, to_same_account};
use crate::leftover;
use crate::rows::{connection_columns, read_connection};
use crate::store::statement::{Ran, Statement, misread, sql};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::Revocation;
use crate::value::model::{Connection, Method, Status};
use crate::value::names::check_owner;
use crate::value::random;
use crate::value::tokens::Tokens;
use crate::vault::{Inner, Vault};

/// How long a code is held: the vendor takes it no longer.
pub const CODE_LIFETIME: Duration = Duration::from_mins(5);
/// How much later than an uninstall, by its notice, a grant may seem that it ended: a notice has whole seconds, and the
/// vendor's clock. Nobody uninstalls an app and installs it again in so short a time.
const UNINSTALL_SLACK: Duration = Duration::from_secs(5);
/// How long a code may be; vendors' have some dozens of characters.
const LONGEST_CODE: usize = 1024;
/// How many installs are held at once, so that nobody can fill the store without signing in.
const MOST_INSTALLS: i64 = 1_000;

/// A code that came without a state, held until somebody signs in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HeldInstall {
    /// What the browser keeps, in a cookie that no script reads.
    pub handle: SecretString,
    /// When it is too late.
    pub expires: Moment,
}

/// An install that somebody claimed, and must confirm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimedInstall {
    /// Whose account it is: to be shown before it is confirmed.
    pub connection: Connection,
    /// The connection to this very account that would be renewed.
    pub renews: Option<Connection>,
}

impl Vault {
    /// Holds a code that came without a state. It connects nothing by itself: whose it is must be said and confirmed.
    pub async fn hold_install(&self, app: &str, code: SecretString) -> Result<HeldInstall, Error> {
        self.0.hold(self.0.app(app)?, &code).await
    }

    /// Somebody who is signed in claims an install: its code is exchanged, and the answer says whose account it is.
    pub async fn claim_install(&self, owner: &str, handle: &str) -> Result<ClaimedInstall, Error> {
        check_owner(owner)?;
        let (owner, hash) = (owner.to_owned(), random::hash(handle));
        self.apart(async move |inner| inner.claim(&owner, &hash).await).await
    }

    /// An install that this owner claimed and has not decided on, as when its page is loaded anew.
    pub async fn find_claimed_install(&self, owner: &str, handle: &str) -> Result<Option<ClaimedInstall>, Error> {
        let Some(connection) = self.0.claimed(owner, &random::hash(handle)).await? else { return Ok(None) };
        let renews = to_same_account(&self.0.list(owner).await?, &connection.app, &connection.metadata).cloned();
        Ok(Some(ClaimedInstall { connection, renews }))
    }

    /// The claimed install is the right one.
    pub async fn confirm_install(&self, owner: &str, handle: &str) -> Result<Connection, Error> {
        let claimed = self.0.claimed(owner, &random::hash(handle)).await?.ok_or_else(no_install)?;
        self.apart(async move |inner| match inner.granted(&claimed).await? {
            Some(granted) => inner.settle(&claimed, &granted).await,
            None => inner.renewed(&claimed).await,
        })
        .await
    }

    /// The install is not wanted: its grant is given back, unless a connection to the account lives by it.
    pub async fn decline_install(&self, owner: &str, handle: &str) -> Result<Revocation, Error> {
        let hash = random::hash(handle);
        if let Some(claimed) = self.0.claimed(owner, &hash).await? {
            if self.0.granted(&claimed).await?.is_none() {
                let delete = sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' RETURNING 1", &claimed.id);
                let declined = !self.0.store.rows(delete).await?.is_empty();
                self.0.cache.forget();
                return if declined { Ok(Revocation::StillUsed) } else { Err(no_install()) };
            }
            let delete = sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' RETURNING 1", &claimed.id);
            return self.end(&claimed.id, vec![delete.expect_row()]).await?.ok_or_else(no_install);
        }
        let held = sql!("DELETE FROM connector_install WHERE handle = $1 RETURNING 1", hash);
        if self.0.store.rows(held).await?.is_empty() { Err(no_install()) } else { Ok(Revocation::NothingToRevoke) }
    }

    /// The vendor says that a user uninstalled the app, at a time where it is known: what was granted before it is gone.
    /// How many connections that were.
    pub async fn record_uninstall(&self, client_id: &str, company_id: &str, user_id: &str, at: Option<Moment>) -> Result<usize, Error> {
        let mut gone = 0;
        for app in self.0.apps.iter().filter(|app| app.has_client(client_id)) {
            gone += self.0.uninstalled(app, company_id, user_id, at).await?;
        }
        Ok(gone)
    }
}

impl Inner {
    async fn hold(&self, app: &App, code: &SecretString) -> Result<HeldInstall, Error> {
        app.client()?;
        if code.expose_secret().len() > LONGEST_CODE {
            return Err(
                Error::new(ErrorKind::InvalidInput, format!("The code has more than {LONGEST_CODE} bytes.")).with_hint("Begin again.")
            );
        }
        let handle = random::generate_secret()?;
        let (hash, now) = (random::hash(&handle), self.clock.now());
        let expires = now + CODE_LIFETIME;
        let ran = self.write(None, |key| {
            Ok(vec![
                sql!("DELETE FROM connector_install WHERE expires_at <= $1", now),
                sql!(
                    "INSERT INTO connector_install (handle, app, code, expires_at) SELECT $1, $2, $3, $4 \
                     WHERE (SELECT COUNT(*) FROM connector_install) < $5 RETURNING 1",
                    &hash,
                    app.key(),
                    key.seal(&hash, "code", code.expose_secret().as_bytes())?,
                    expires,
                    MOST_INSTALLS
                )
                .expect_row(),
            ])
        });
        match ran.await? {
            Ran::All(_) => Ok(HeldInstall { handle: handle.into(), expires }),
            Ran::Missed(_) => Err(Error::new(ErrorKind::RateLimited, "Too many installs wait for somebody to sign in.")
                .with_hint("Sign in first, then install the app again.")),
        }
    }

    async fn claim(&self, owner: &str, hash: &str) -> Result<ClaimedInstall, Error> {
        let now = self.clock.now();
        // Nobody else exchanges the code meanwhile: a vendor may end what a code gave that comes twice.
        let take = sql!("DELETE FROM connector_install WHERE handle = $1 AND expires_at > $2 RETURNING app, code, expires_at", hash, now);
        let rows = match self.store.run(vec![has_room(owner), take.expect_row()]).await? {
            Ran::All(mut rows) => rows.pop().unwrap_or_default(),
            Ran::Missed(0) => return Err(no_room()),
            Ran::Missed(_) => return Err(no_install()),
        };
        let row = rows.first().ok_or_else(misread)?;
        let app = self.app(row.text(0)?)?;
        let code = self.secret(hash, "code", row.bytes(1)?)?;
        let granted = match self.grant(app, &code, &app.client()?.redirect_uri).await {
            Ok(granted) => granted,
            Err(NoGrant::Unused(error)) => {
                self.put_back(hash, app, &code, row.moment(2)?).await?;
                return Err(error);
            }
            Err(NoGrant::Spent(error)) => return Err(error),
        };
        let renews = to_same_account(&self.list(owner).await?, app.key(), &granted.metadata).cloned();
        match self.keep_claimed(owner, hash, app, &granted, renews.as_ref()).await {
            Ok(connection) => Ok(ClaimedInstall { connection, renews }),
            Err(error) => Err(self.given_up(&granted, error).await),
        }
    }

    /// A code that was not exchanged waits on.
    async fn put_back(&self, hash: &str, app: &App, code: &SecretString, expires: Moment) -> Result<(), Error> {
        let ran = self.write(None, |key| {
            Ok(vec![sql!(
                "INSERT INTO connector_install (handle, app, code, expires_at) VALUES ($1, $2, $3, $4)",
                hash,
                app.key(),
                key.seal_text(hash, "code", code)?,
                expires
            )])
        });
        ran.await?.into_all().map(|_| ())
    }

    /// What an install granted waits to be confirmed. Where its owner has a living connection to the very account, the vendor
    /// has ended the grant of that one by the new one: it takes the tokens at once, and nothing is left to be confirmed but
    /// that it was meant.
    async fn keep_claimed(
        &self,
        owner: &str,
        hash: &str,
        app: &App,
        granted: &Granted,
        renews: Option<&Connection>,
    ) -> Result<Connection, Error> {
        let living = renews.filter(|one| one.status == Status::Active && one.method == Method::OAuth2);
        let (id, now) = (random::generate_id()?, self.clock.now());
        let new = New { id: &id, owner, app: app.key(), name: &id, method: Method::OAuth2, status: Status::Pending, now };
        let ran = self.write(None, |key| {
            let mut batch: Vec<Statement> = granted.aside.iter().map(|aside| leftover::taken(aside)).collect();
            batch.extend(new.statements(&granted.metadata));
            batch.push(granted.stored(key, living.map_or(&id, |one| &one.id))?);
            if let Some(one) = living {
                batch.push(activated(&one.id, Method::OAuth2, &granted.metadata, &one.name, now));
            }
            batch.push(sql!(
                "UPDATE connector_connection SET expires_at = $2, install = $3 WHERE id = $1",
                &id,
                now + STATE_LIFETIME,
                hash
            ));
            Ok(batch)
        });
        let ran = ran.await?;
        self.cache.forget();
        match ran {
            Ran::All(_) => self.get(owner, &id).await,
            Ran::Missed(_) => Err(no_install()),
        }
    }

    /// The connection that an owner made of an install, and has not confirmed.
    async fn claimed(&self, owner: &str, hash: &str) -> Result<Option<Connection>, Error> {
        let get = sql!(
            concat!(
                "SELECT ",
                connection_columns!(),
                " FROM connector_connection WHERE install = $1 AND owner = $2 AND status = 'PENDING' AND expires_at > $3"
            ),
            hash,
            owner,
            self.clock.now()
        );
        self.store.rows(get).await?.first().map(read_connection).transpose()
    }

    /// A claimed install whose grant its account's connection has already was meant.
    async fn renewed(&self, claimed: &Connection) -> Result<Connection, Error> {
        let all = self.list(&claimed.owner).await?;
        let known = to_same_account(&all, &claimed.app, &claimed.metadata).filter(|known| known.status == Status::Active);
        let known = known.ok_or_else(no_install)?;
        let delete = sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' RETURNING 1", &claimed.id);
        let ran = self.store.run(vec![ended(claimed, Some(&known.id), self.clock.now()), delete.expect_row()]).await?;
        self.cache.forget();
        if matches!(ran, Ran::All(_)) { Ok(known.clone()) } else { Err(no_install()) }
    }

    /// What a claimed install was granted; nothing, where a connection has it already.
    async fn granted(&self, claimed: &Connection) -> Result<Option<Granted>, Error> {
        let get =
            sql!("SELECT access_token, refresh_token, expires_at, granted_at FROM connector_secret WHERE connection_id = $1", &claimed.id);
        let rows = self.store.rows(get).await?;
        let row = rows.first().ok_or_else(no_install)?;
        if row.maybe_bytes(1)?.is_none() {
            return Ok(None);
        }
        let secret = |at, column| self.secret(&claimed.id, column, row.maybe_bytes(at)?.ok_or_else(misread)?);
        let metadata = claimed.metadata.clone();
        let at = row.moment(3)?;
        let lifetime = row.maybe_integer(2)?.map(|end| Duration::from_micros(u64::try_from(end - at.as_micros()).unwrap_or(0)));
        let tokens = Tokens {
            access: secret(0, "access_token")?,
            refresh: Some(secret(1, "refresh_token")?),
            api_domain: metadata.api_domain.clone(),
            scopes: metadata.scopes.clone(),
            lifetime,
        };
        Ok(Some(Granted { tokens, metadata, at, aside: None }))
    }

    async fn uninstalled(&self, app: &App, company_id: &str, user_id: &str, at: Option<Moment>) -> Result<usize, Error> {
        const GRANTED: &str = "SELECT s.connection_id FROM connector_secret s JOIN connector_connection c ON c.id = s.connection_id \
             WHERE c.app = $1 AND c.company_id = $2 AND c.user_id = $3 AND c.method = 'OAUTH2' AND s.granted_at <= $4 FOR UPDATE OF s";
        const UNCONFIRMED: &str = "DELETE FROM connector_connection WHERE app = $1 AND company_id = $2 AND user_id = $3 \
             AND status = 'PENDING' AND id IN (SELECT connection_id FROM connector_secret WHERE granted_at <= $4)";
        let at = at.map_or(Moment::from_micros(i64::MAX), |at| at + UNINSTALL_SLACK);
        let of_account = |statement| sql!(statement, app.key(), company_id, user_id, at);
        // What was not confirmed goes first: one that is confirmed meanwhile is either gone, or among the rest.
        self.store.run(vec![of_account(GRANTED), of_account(UNCONFIRMED)]).await?.into_all()?;
        let mut gone = 0;
        for row in self.store.rows(of_account(GRANTED)).await? {
            let id = row.text(0)?;
            let batch = vec![
                // Not what was granted anew in the meantime.
                sql!(
                    "UPDATE connector_secret SET version = version + 1, access_token = NULL, refresh_token = NULL \
                     WHERE connection_id = $1 AND granted_at <= $2 RETURNING 1",
                    id,
                    at
                )
                .expect_row(),
                sql!(
                    "UPDATE connector_connection SET status = 'FAILED', reason = 'uninstalled', updated_at = $2 WHERE id = $1",
                    id,
                    self.clock.now()
                ),
            ];
            gone += usize::from(matches!(self.store.run(batch).await?, Ran::All(_)));
        }
        self.cache.forget();
        Ok(gone)
    }
}

fn no_install() -> Error {
    Error::new(ErrorKind::NotFound, "No such install waits: it was used, or is too old.").with_hint("Install the app again.")
}
