//! Rows of `connector_leftover`: grants that no connection has.

use connector_core::Error;

use crate::seal::keys::Key;
use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata};
use crate::value::tokens::Tokens;

/// Inserts tokens that were just issued.
pub(crate) fn insert(key: &Key, id: &str, app: &str, tokens: &Tokens, due: Moment, expires: Moment) -> Result<Statement, Error> {
    Ok(sql!(
        "INSERT INTO connector_leftover (id, app, api_domain, access_token, refresh_token, next_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id,
        app,
        tokens.api_domain.as_ref(),
        key.seal_text(id, "access_token", &tokens.access)?,
        tokens.refresh.as_ref().map(|token| key.seal_text(id, "refresh_token", token)).transpose()?,
        due,
        expires
    ))
}

/// Inserts the grant of a connection that is about to be deleted, if it has one.
pub(crate) fn insert_from_connection(connection: &Connection, due: Moment, expires: Moment) -> Statement {
    sql!(
        "INSERT INTO connector_leftover (id, app, company_id, user_id, api_domain, access_token, refresh_token, next_at, expires_at) \
         SELECT c.id, c.app, c.company_id, c.user_id, $2, CASE WHEN s.refresh_token IS NULL THEN s.access_token END, s.refresh_token, \
         $3, $4 FROM connector_connection c JOIN connector_secret s ON s.connection_id = c.id \
         WHERE c.id = $1 AND (s.refresh_token IS NOT NULL OR s.access_token IS NOT NULL)",
        &connection.id,
        connection.metadata.api_domain.as_ref(),
        due,
        expires
    )
}

/// Selects a grant.
pub(crate) fn select(id: &str) -> Statement {
    sql!("SELECT app, company_id, user_id, api_domain, access_token, refresh_token FROM connector_leftover WHERE id = $1", id)
}

/// Selects a row if another grant of the app has no known account yet and expires after a moment.
pub(crate) fn select_unsettled(app: &str, id: &str, expires_after: Moment) -> Statement {
    sql!(
        "SELECT 1 FROM connector_leftover \
         WHERE app = $1 AND id <> $2 AND company_id IS NULL AND user_id IS NULL AND access_token IS NOT NULL \
         AND expires_at > $3 LIMIT 1",
        app,
        id,
        expires_after
    )
}

/// Stores the account of a grant, which is due now.
pub(crate) fn set_account(id: &str, account: &Metadata, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_leftover SET company_id = $2, user_id = $3, next_at = $4 WHERE id = $1",
        id,
        account.company.id.as_ref(),
        account.user.id.as_ref(),
        now
    )
}

/// Takes the next due grant of an app and postpones it, so that one host tries it at a time.
pub(crate) fn take_next(app: &str, now: Moment, retry: Moment) -> Statement {
    sql!(
        "UPDATE connector_leftover SET next_at = $2 WHERE next_at <= $1 \
         AND id = (SELECT id FROM connector_leftover WHERE app = $3 AND next_at <= $1 ORDER BY next_at, id LIMIT 1) RETURNING id",
        now,
        retry,
        app
    )
}

/// Deletes a grant that a connection takes. It misses one that was revoked.
pub(crate) fn take(id: &str) -> Statement {
    sql!("DELETE FROM connector_leftover WHERE id = $1 RETURNING 1", id).expect_row()
}

/// Deletes a grant.
pub(crate) fn delete(id: &str) -> Statement {
    sql!("DELETE FROM connector_leftover WHERE id = $1", id)
}

/// Deletes the grants of an app that are too old, and returns their ids.
pub(crate) fn delete_expired(app: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_leftover WHERE app = $2 AND expires_at <= $1 RETURNING id", now, app)
}
