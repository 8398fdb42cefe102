//! Rows of `connector_secret`. The version of a row rises with each change of its secrets.

use connector_core::Error;

use crate::seal::keys::Key;
use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;
use crate::value::tokens::Tokens;

/// Columns of a connection and its secrets, as `lookup::read_credential` reads them.
macro_rules! credential {
    () => {
        "SELECT c.owner, c.app, c.name, c.method, c.status, c.reason, c.metadata, \
         s.version, s.access_token, s.refresh_token, s.api_token, s.refresh_at, s.expires_at \
         FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id WHERE c.id = $1"
    };
}

/// Selects the credential of an owner's connection.
pub(crate) fn select(owner: &str, id: &str) -> Statement {
    sql!(concat!(credential!(), " AND c.owner = $2"), id, owner)
}

/// Selects the credential of a connection of any owner.
pub(crate) fn select_by_id(id: &str) -> Statement {
    sql!(credential!(), id)
}

/// Selects the tokens of a connection, with their times.
pub(crate) fn select_tokens(id: &str) -> Statement {
    sql!("SELECT access_token, refresh_token, expires_at, granted_at FROM connector_secret WHERE connection_id = $1", id)
}

/// Selects and locks the secrets of an account's OAuth connections that were granted until a moment.
pub(crate) fn lock_granted(app: &str, company_id: &str, user_id: &str, granted_until: Moment) -> Statement {
    const GRANTED: &str = "SELECT s.connection_id FROM connector_secret s JOIN connector_connection c ON c.id = s.connection_id \
         WHERE c.app = $1 AND c.company_id = $2 AND c.user_id = $3 AND c.method = 'OAUTH2' AND s.granted_at <= $4 FOR UPDATE OF s";
    sql!(GRANTED, app, company_id, user_id, granted_until)
}

/// Selects a row if a connection to the account has tokens. The account has a company or a user.
pub(crate) fn select_living_grant(app: &str, company_id: Option<String>, user_id: Option<String>) -> Statement {
    macro_rules! living {
        ($account:literal) => {
            concat!(
                "SELECT 1 FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id WHERE c.app = $1 AND ",
                $account,
                " AND (s.refresh_token IS NOT NULL OR s.access_token IS NOT NULL) LIMIT 1"
            )
        };
    }
    match (company_id, user_id) {
        (company_id, None) => sql!(living!("c.company_id = $2 AND c.user_id IS NULL"), app, company_id),
        (None, user_id) => sql!(living!("c.company_id IS NULL AND c.user_id = $2"), app, user_id),
        (company_id, user_id) => sql!(living!("c.company_id = $2 AND c.user_id = $3"), app, company_id, user_id),
    }
}

/// Stores the sealed code verifier of an authorization that a platform began.
pub(crate) fn store_verifier(id: &str, sealed: Vec<u8>) -> Statement {
    sql!("UPDATE connector_secret SET verifier = $2 WHERE connection_id = $1", id, sealed)
}

/// Selects the code verifier of an authorization that a platform began.
pub(crate) fn select_verifier(id: &str) -> Statement {
    sql!("SELECT verifier FROM connector_secret WHERE connection_id = $1", id)
}

/// Locks the secrets of a connection until the batch ends.
pub(crate) fn lock(id: &str) -> Statement {
    sql!("SELECT 1 FROM connector_secret WHERE connection_id = $1 FOR UPDATE", id).expect_row()
}

/// Locks the secrets of a connection until the batch ends. It misses if they changed since `version` was read.
pub(crate) fn lock_version(id: &str, version: i64) -> Statement {
    sql!("SELECT 1 FROM connector_secret WHERE connection_id = $1 AND version = $2 FOR UPDATE", id, version).expect_row()
}

/// Stores the tokens of a new grant.
pub(crate) fn store_grant(key: &Key, id: &str, tokens: &Tokens, granted_at: Moment) -> Result<Statement, Error> {
    Ok(sql!(
        "UPDATE connector_secret SET version = version + 1, access_token = $2, refresh_token = $3, api_token = NULL, verifier = NULL, \
         granted_at = $4, refresh_at = $5, expires_at = $6 WHERE connection_id = $1",
        id,
        key.seal_text(id, "access_token", &tokens.access)?,
        seal_refresh_token(key, id, tokens)?,
        granted_at,
        tokens.renew_at(granted_at),
        tokens.expires_at(granted_at)
    ))
}

/// Stores refreshed tokens. It misses if the secrets changed since `version` was read.
pub(crate) fn store_refreshed(key: &Key, id: &str, version: i64, tokens: &Tokens, now: Moment) -> Result<Statement, Error> {
    let refreshed = sql!(
        "UPDATE connector_secret SET version = version + 1, access_token = $3, refresh_token = COALESCE($4, refresh_token), \
         refresh_at = $5, expires_at = $6 WHERE connection_id = $1 AND version = $2 RETURNING 1",
        id,
        version,
        key.seal_text(id, "access_token", &tokens.access)?,
        seal_refresh_token(key, id, tokens)?,
        tokens.refresh_at(now),
        tokens.expires_at(now)
    );
    Ok(refreshed.expect_row())
}

/// Stores a sealed API token.
pub(crate) fn store_api_token(id: &str, sealed: Vec<u8>, now: Moment) -> Statement {
    sql!("UPDATE connector_secret SET version = version + 1, api_token = $2, granted_at = $3 WHERE connection_id = $1", id, sealed, now)
}

/// Erases the tokens of a connection. It misses if they changed since `version` was read.
pub(crate) fn erase_version(id: &str, version: i64) -> Statement {
    sql!(
        "UPDATE connector_secret SET version = version + 1, access_token = NULL, refresh_token = NULL \
         WHERE connection_id = $1 AND version = $2 RETURNING 1",
        id,
        version
    )
    .expect_row()
}

/// Erases the tokens of a connection. It misses tokens that were granted after a moment.
pub(crate) fn erase_granted(id: &str, granted_until: Moment) -> Statement {
    sql!(
        "UPDATE connector_secret SET version = version + 1, access_token = NULL, refresh_token = NULL \
         WHERE connection_id = $1 AND granted_at <= $2 RETURNING 1",
        id,
        granted_until
    )
    .expect_row()
}

fn seal_refresh_token(key: &Key, id: &str, tokens: &Tokens) -> Result<Option<Vec<u8>>, Error> {
    tokens.refresh.as_ref().map(|token| key.seal_text(id, "refresh_token", token)).transpose()
}
