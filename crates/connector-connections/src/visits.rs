//! People in a browser: a link that signs an owner in once, and the session that it opens. Both are kept as hashes.

use std::time::Duration;

use connector_core::Error;
use secrecy::SecretString;

use crate::store::statement::sql;
use crate::value::names::check_owner;
use crate::value::random;
use crate::vault::Vault;

/// How long a link waits to be opened.
const LINK_LIFETIME: Duration = Duration::from_mins(15);
/// How long a session lasts; it does not slide.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(12);

impl Vault {
    /// A secret that signs a person in as an owner, once.
    pub async fn create_sign_in_link(&self, owner: &str) -> Result<SecretString, Error> {
        check_owner(owner)?;
        self.visit("link", owner, LINK_LIFETIME).await
    }

    /// Whom a link would sign in; it stays good.
    pub async fn check_sign_in_link(&self, link: &str) -> Result<Option<String>, Error> {
        self.visitor("link", link).await
    }

    /// Uses a link up, and opens a session for its owner.
    pub async fn sign_in(&self, link: &str) -> Result<Option<(String, SecretString)>, Error> {
        let take = sql!(
            "DELETE FROM connector_visit WHERE hash = $1 AND kind = 'link' AND expires_at > $2 RETURNING owner",
            random::hash(link),
            self.0.clock.now()
        );
        let rows = self.0.store.rows(take).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let owner = row.text(0)?.to_owned();
        let session = self.visit("session", &owner, SESSION_LIFETIME).await?;
        Ok(Some((owner, session)))
    }

    /// Who is signed in by a session.
    pub async fn check_session(&self, session: &str) -> Result<Option<String>, Error> {
        self.visitor("session", session).await
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &str) -> Result<(), Error> {
        let end = sql!("DELETE FROM connector_visit WHERE hash = $1 AND kind = 'session'", random::hash(session));
        self.0.store.rows(end).await.map(|_| ())
    }

    async fn visit(&self, kind: &str, owner: &str, lives: Duration) -> Result<SecretString, Error> {
        let secret = random::generate_secret()?;
        let keep = sql!(
            "INSERT INTO connector_visit (hash, kind, owner, expires_at) VALUES ($1, $2, $3, $4)",
            random::hash(&secret),
            kind,
            owner,
            self.0.clock.now() + lives
        );
        self.0.store.rows(keep).await?;
        Ok(secret.into())
    }

    async fn visitor(&self, kind: &str, secret: &str) -> Result<Option<String>, Error> {
        let get = sql!(
            "SELECT owner FROM connector_visit WHERE hash = $1 AND kind = $2 AND expires_at > $3",
            random::hash(secret),
            kind,
            self.0.clock.now()
        );
        self.0.store.rows(get).await?.first().map(|row| row.text(0).map(str::to_owned)).transpose()
    }
}
