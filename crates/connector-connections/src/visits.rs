//! Sign-in of people in a browser: a link that works once, and the session that it opens.
//!
//! Both are stored as hashes.

use std::time::Duration;

use connector_core::Error;
use secrecy::SecretString;

use crate::state::context::Context;
use crate::state::rows::visits;
use crate::value::lifetimes::{SESSION_LIFETIME, SIGN_IN_LINK_LIFETIME};
use crate::value::names::check_owner;
use crate::value::random;
use crate::vault::Vault;

impl Vault {
    /// Creates a secret that signs a person in as an owner, once.
    pub async fn create_sign_in_link(&self, owner: &str) -> Result<SecretString, Error> {
        check_owner(owner)?;
        create_visit(self.context(), "link", owner, SIGN_IN_LINK_LIFETIME).await
    }

    /// Finds the owner whom a link would sign in, without using the link up.
    pub async fn check_sign_in_link(&self, link: &str) -> Result<Option<String>, Error> {
        find_owner(self.context(), "link", link).await
    }

    /// Uses a link up, and opens a session for its owner.
    pub async fn sign_in(&self, link: &str) -> Result<Option<(String, SecretString)>, Error> {
        let rows = self.context().store().rows(visits::take_link(random::hash(link), self.context().now())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let owner = row.text(0)?.to_owned();
        let session = create_visit(self.context(), "session", &owner, SESSION_LIFETIME).await?;
        Ok(Some((owner, session)))
    }

    /// Finds the owner of a session.
    pub async fn check_session(&self, session: &str) -> Result<Option<String>, Error> {
        find_owner(self.context(), "session", session).await
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &str) -> Result<(), Error> {
        self.context().store().rows(visits::delete_session(random::hash(session))).await.map(|_| ())
    }
}

async fn create_visit(context: &Context, kind: &str, owner: &str, lifetime: Duration) -> Result<SecretString, Error> {
    let secret = random::generate_secret()?;
    let expires = context.now() + lifetime;
    context.store().rows(visits::insert(random::hash(&secret), kind, owner, expires)).await?;
    Ok(secret.into())
}

async fn find_owner(context: &Context, kind: &str, secret: &str) -> Result<Option<String>, Error> {
    let rows = context.store().rows(visits::select_owner(random::hash(secret), kind, context.now())).await?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
