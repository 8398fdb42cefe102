//! Grants that no connection has yet, or has any more: kept until a connection takes them or the vendor takes them back.

use std::time::Duration;

use connector_core::{Credential, Error, ErrorKind, Retry};
use secrecy::SecretString;

use crate::oauth;
use crate::store::statement::{Row, Statement, sql};
use crate::value::app::App;
use crate::value::clock::Moment;
use crate::value::model::Revocation;
use crate::value::model::{Connection, Metadata};
use crate::value::random;
use crate::value::tokens::Tokens;
use crate::vault::Inner;

/// For how long a grant that just came is left to the connection that it is for.
const SETTLES: Duration = Duration::from_mins(5);
/// How long after a failure a grant is given back again, and for how long that is tried.
const AGAIN: Duration = Duration::from_mins(5);
const TRIED: Duration = Duration::from_hours(24);

/// What a connection lived by is a leftover from here on, which a sweep gives back from `due` on; nothing, where it had no
/// grant.
pub(crate) fn of_connection(connection: &Connection, now: Moment, due: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_leftover (id, app, company_id, user_id, api_domain, refresh_token, next_at, expires_at) \
         SELECT c.id, c.app, c.company_id, c.user_id, $2, s.refresh_token, $3, $4 \
         FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id WHERE c.id = $1 AND s.refresh_token IS NOT NULL",
        &connection.id,
        connection.metadata.api_domain.as_ref(),
        due,
        now + TRIED
    )
}

/// When a sweep may give back what is being given back now.
pub(crate) fn again(now: Moment) -> Moment {
    now + AGAIN
}

/// A connection takes a leftover; it misses where that was given back already.
pub(crate) fn taken(id: &str) -> Statement {
    sql!("DELETE FROM connector_leftover WHERE id = $1 RETURNING 1", id).expect_row()
}

impl Inner {
    /// Keeps tokens that just came, before anything else can fail; the leftover's id.
    pub(crate) async fn set_aside(&self, app: &App, tokens: &Tokens) -> Result<String, Error> {
        let (id, now) = (random::generate_id()?, self.clock.now());
        let kept = self.write(None, |key| {
            Ok(vec![sql!(
                "INSERT INTO connector_leftover (id, app, api_domain, access_token, refresh_token, next_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &id,
                app.key(),
                tokens.api_domain.as_ref(),
                key.seal_text(&id, "access_token", &tokens.access)?,
                tokens.refresh.as_ref().map(|token| key.seal_text(&id, "refresh_token", token)).transpose()?,
                now + SETTLES,
                now + TRIED
            )])
        });
        kept.await?.into_all()?;
        Ok(id)
    }

    /// Gives back what no connection took, now that it is known whose it is; the sweep does, where that fails.
    pub(crate) async fn abandon(&self, id: &str, whose: &Metadata) -> Result<Revocation, Error> {
        let due = sql!(
            "UPDATE connector_leftover SET company_id = $2, user_id = $3, next_at = $4 WHERE id = $1",
            id,
            whose.company.id.as_ref(),
            whose.user.id.as_ref(),
            self.clock.now()
        );
        self.store.rows(due).await?;
        self.give_back(id).await
    }

    /// Gives a leftover back, unless a connection lives by the same grant: a vendor takes away all that one install gave.
    pub(crate) async fn give_back(&self, id: &str) -> Result<Revocation, Error> {
        let get =
            sql!("SELECT app, company_id, user_id, api_domain, access_token, refresh_token FROM connector_leftover WHERE id = $1", id);
        let rows = self.store.rows(get).await?;
        let Some(row) = rows.first() else { return Ok(Revocation::NothingToRevoke) };
        let app = self.app(row.text(0)?)?;
        if let Some(domain) = row.maybe_text(3)? {
            // A token goes to the vendor that gave it, and to no sandbox or other vendor that this process is set up for.
            app.access(domain, Credential::Bearer(SecretString::default()))?;
        }
        let (company, user) = self.whose(id, app, row).await?;
        self.wait_for_those_that_settle(id, app).await?;
        let lives = sql!(
            "SELECT 1 FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id \
             WHERE c.app = $1 AND c.company_id = $2 AND c.user_id = $3 AND s.refresh_token IS NOT NULL LIMIT 1",
            app.key(),
            company,
            user
        );
        let revoked = if self.store.rows(lives).await?.is_empty() {
            let token = self.secret(id, "refresh_token", row.bytes(5)?)?;
            oauth::revoke(&self.http, app, &token).await?;
            Revocation::Yes
        } else {
            Revocation::StillUsed
        };
        self.store.rows(sql!("DELETE FROM connector_leftover WHERE id = $1", id)).await?;
        Ok(revoked)
    }

    /// A grant that just came, and is not yet a connection's, may be of the same install, which a revocation would end.
    async fn wait_for_those_that_settle(&self, id: &str, app: &App) -> Result<(), Error> {
        let settling = sql!(
            "SELECT 1 FROM connector_leftover \
             WHERE app = $1 AND id <> $2 AND company_id IS NULL AND access_token IS NOT NULL AND expires_at > $3 LIMIT 1",
            app.key(),
            id,
            // One that came since then.
            self.clock.now() + TRIED - SETTLES
        );
        if self.store.rows(settling).await?.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "Another account is just being connected.").with_retry(Retry::Later))
    }

    /// Whose a leftover is. One of which that cannot be learnt is not given back: somebody else's connection may live by it.
    async fn whose(&self, id: &str, app: &App, row: &Row) -> Result<(Option<String>, Option<String>), Error> {
        if let (Some(company), Some(user)) = (row.maybe_text(1)?, row.maybe_text(2)?) {
            return Ok((Some(company.to_owned()), Some(user.to_owned())));
        }
        let unknown = || Error::new(ErrorKind::BadAnswer, "It is not known whose the grant is.").with_retry(Retry::Never);
        let (domain, sealed) = (row.maybe_text(3)?.ok_or_else(unknown)?, row.maybe_bytes(4)?.ok_or_else(unknown)?);
        let access = app.access(domain, Credential::Bearer(self.secret(id, "access_token", sealed)?))?;
        let said = oauth::identity(&self.http, app, &access).await?;
        Ok((said.company.id, said.user.id))
    }

    /// Gives back what is due, until the vendor fails; how many grants were given up, since a day was not enough. What is of
    /// an app that this process has no client of is left to one that has.
    pub(crate) async fn give_back_what_is_due(&self) -> Result<usize, Error> {
        let mut given_up = 0;
        for app in self.apps.iter().filter(|app| app.client().is_ok()) {
            given_up += self.give_back_of(app).await?;
        }
        Ok(given_up)
    }

    async fn give_back_of(&self, app: &App) -> Result<usize, Error> {
        let now = self.clock.now();
        // Each is tried by one host at a time.
        let next = || {
            sql!(
                "UPDATE connector_leftover SET next_at = $2 WHERE next_at <= $1 \
                 AND id = (SELECT id FROM connector_leftover WHERE app = $3 AND next_at <= $1 ORDER BY next_at, id LIMIT 1) RETURNING id",
                now,
                again(now),
                app.key()
            )
        };
        while let Some(row) = self.store.rows(next()).await?.first() {
            let id = row.text(0)?;
            if let Err(error) = self.give_back(id).await {
                tracing::warn!(grant = id, %error, "a grant was not given back yet");
                if error.retry() == Retry::Later {
                    break;
                }
            }
        }
        let over = sql!("DELETE FROM connector_leftover WHERE app = $2 AND expires_at <= $1 RETURNING id", now, app.key());
        let given_up = self.store.rows(over).await?;
        for row in &given_up {
            tracing::warn!(grant = row.text(0)?, "a grant could not be given back for a day: it lives on at the vendor");
        }
        Ok(given_up.len())
    }
}
