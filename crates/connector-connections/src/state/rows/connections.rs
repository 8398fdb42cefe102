//! Rows of `connector_connection`.

use connector_core::Error;
use connector_core::run::View;

use super::read_view;
use crate::store::statement::{Row, Statement, misread, sql};
use crate::value::clock::Moment;
use crate::value::model::{Connection, Metadata, Method, Reason, Status};

/// Columns that [`read`] reads.
macro_rules! columns {
    () => {
        "id, owner, name, app, method, status, reason, created_at, updated_at, is_default, metadata, view"
    };
}

/// Reads a row of all columns.
pub(crate) fn read(row: &Row) -> Result<Connection, Error> {
    Ok(Connection {
        id: row.text(0)?.to_owned(),
        owner: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        app: row.text(3)?.to_owned(),
        method: Method::from_word(row.text(4)?).ok_or_else(misread)?,
        status: Status::from_word(row.text(5)?).ok_or_else(misread)?,
        reason: row.maybe_text(6)?.map(|word| Reason::from_word(word).ok_or_else(misread)).transpose()?,
        creation_time: row.moment(7)?,
        last_updated_time: row.moment(8)?,
        is_default: row.integer(9)? == 1,
        metadata: read_metadata(row.text(10)?)?,
        view: read_view(row, 11)?,
    })
}

/// Reads the column `metadata`.
pub(crate) fn read_metadata(text: &str) -> Result<Metadata, Error> {
    serde_json::from_str(text).map_err(|_| misread())
}

fn write_metadata(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("metadata serializes to memory")
}

/// Connection that is about to be inserted.
pub(crate) struct NewConnection<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) app: &'a str,
    pub(crate) name: &'a str,
    pub(crate) method: Method,
    pub(crate) status: Status,
    pub(crate) view: Option<View>,
    pub(crate) now: Moment,
}

impl NewConnection<'_> {
    /// Builds the statements that insert the connection and its empty secret. The first misses if the name is taken.
    pub(crate) fn insert(&self, metadata: &Metadata) -> Vec<Statement> {
        let connection = sql!(
            "INSERT INTO connector_connection \
             (id, owner, app, name, method, status, created_at, updated_at, company_id, user_id, metadata, view) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING 1",
            self.id,
            self.owner,
            self.app,
            self.name,
            self.method.as_str(),
            self.status.as_str(),
            self.now,
            metadata.company.id.as_ref(),
            metadata.user.id.as_ref(),
            write_metadata(metadata),
            self.view.map(View::as_str)
        );
        vec![connection.expect_row(), sql!("INSERT INTO connector_secret (connection_id, version) VALUES ($1, 0)", self.id)]
    }
}

/// Selects an owner's connections, oldest first.
pub(crate) fn select_all(owner: &str) -> Statement {
    sql!(concat!("SELECT ", columns!(), " FROM connector_connection WHERE owner = $1 ORDER BY created_at, id"), owner)
}

/// Selects an owner's connections, oldest first, of one app and one status where these are given.
pub(crate) fn select_filtered(owner: &str, app: Option<&str>, status: Option<Status>) -> Statement {
    sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM connector_connection WHERE owner = $1 AND app = COALESCE($2, app) AND status = COALESCE($3, status) \
             ORDER BY created_at, id"
        ),
        owner,
        app,
        status.map(Status::as_str)
    )
}

/// Selects an owner's connections that were ever finished, oldest first.
pub(crate) fn select_finished(owner: &str) -> Statement {
    sql!(
        concat!("SELECT ", columns!(), " FROM connector_connection WHERE owner = $1 AND status <> 'PENDING' ORDER BY created_at, id"),
        owner
    )
}

/// Selects a connection of an owner.
pub(crate) fn select(owner: &str, id: &str) -> Statement {
    sql!(concat!("SELECT ", columns!(), " FROM connector_connection WHERE id = $1 AND owner = $2"), id, owner)
}

/// Selects a connection of any owner.
pub(crate) fn select_by_id(id: &str) -> Statement {
    sql!(concat!("SELECT ", columns!(), " FROM connector_connection WHERE id = $1"), id)
}

/// Selects the connection that an owner made of an install and has not confirmed.
pub(crate) fn select_claimed(owner: &str, handle_hash: &str, now: Moment) -> Statement {
    sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM connector_connection WHERE install = $1 AND owner = $2 AND status = 'PENDING' AND expires_at > $3"
        ),
        handle_hash,
        owner,
        now
    )
}

/// Selects the name of an unfinished connection of this name or id.
pub(crate) fn select_pending_name(owner: &str, app: &str, name_or_id: &str) -> Statement {
    sql!(
        "SELECT name FROM connector_connection WHERE owner = $1 AND app = $2 AND (name = $3 OR id = $3) AND status = 'PENDING'",
        owner,
        app,
        name_or_id
    )
}

/// Selects the ids of unfinished connections that are too old.
pub(crate) fn select_expired(now: Moment) -> Statement {
    sql!("SELECT id FROM connector_connection WHERE status = 'PENDING' AND expires_at <= $1", now)
}

/// Selects a row if a platform began the connection and has the browser come back to itself.
pub(crate) fn select_begun_by_platform(id: &str) -> Statement {
    sql!("SELECT 1 FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND redirect_uri IS NOT NULL", id)
}

/// Selects the redirect URI of a connection that waits for an authorization code.
pub(crate) fn select_redirect_uri(id: &str, now: Moment) -> Statement {
    sql!(
        "SELECT redirect_uri FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 AND install IS NULL",
        id,
        now
    )
}

/// Requires that a connection exists.
pub(crate) fn require(id: &str) -> Statement {
    sql!("SELECT 1 FROM connector_connection WHERE id = $1", id).expect_row()
}

/// Requires that an owner has fewer unfinished connections than `most`.
pub(crate) fn require_room(owner: &str, most: i64) -> Statement {
    const ROOM: &str = "SELECT 1 WHERE (SELECT COUNT(*) FROM connector_connection WHERE owner = $1 AND status = 'PENDING') < $2";
    sql!(ROOM, owner, most).expect_row()
}

/// Renames a connection of an owner.
pub(crate) fn rename(owner: &str, id: &str, name: &str, now: Moment) -> Statement {
    sql!("UPDATE connector_connection SET name = $3, updated_at = $4 WHERE id = $1 AND owner = $2 RETURNING 1", id, owner, name, now)
}

/// Takes the default mark from an owner's connections of an app.
pub(crate) fn clear_default(owner: &str, app: &str) -> Statement {
    sql!("UPDATE connector_connection SET is_default = 0 WHERE owner = $1 AND app = $2 AND is_default = 1", owner, app)
}

/// Marks a connection as the default. It misses one that is not finished.
pub(crate) fn set_default(owner: &str, id: &str, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET is_default = 1, updated_at = $3 \
         WHERE id = $1 AND owner = $2 AND status <> 'PENDING' RETURNING 1",
        id,
        owner,
        now
    )
    .expect_row()
}

/// Sets the view of calls that name none, or takes it away.
pub(crate) fn set_view(owner: &str, id: &str, view: Option<View>, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET view = $3, updated_at = $4 WHERE id = $1 AND owner = $2 RETURNING 1",
        id,
        owner,
        view.map(View::as_str),
        now
    )
}

/// Lets a connection wait for its authorization, by way of a platform's redirect URI if one is given.
pub(crate) fn wait_for_authorization(id: &str, expires: Moment, redirect_uri: Option<&str>) -> Statement {
    sql!("UPDATE connector_connection SET expires_at = $2, redirect_uri = $3 WHERE id = $1", id, expires, redirect_uri)
}

/// Lets a connection wait until its install is confirmed.
pub(crate) fn wait_for_confirmation(id: &str, expires: Moment, handle_hash: &str) -> Statement {
    sql!("UPDATE connector_connection SET expires_at = $2, install = $3 WHERE id = $1", id, expires, handle_hash)
}

/// Lets an unfinished connection wait at least until `expires`.
pub(crate) fn extend_wait(id: &str, now: Moment, expires: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET expires_at = CASE WHEN expires_at < $3 THEN $3 ELSE expires_at END \
         WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 RETURNING 1",
        id,
        now,
        expires
    )
}

/// Ends the wait of a connection. It misses one that was finished or expired, so that a wait ends once.
pub(crate) fn end_wait(id: &str, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET expires_at = NULL, install = NULL, redirect_uri = NULL \
         WHERE id = $1 AND status = 'PENDING' AND expires_at > $2 RETURNING 1",
        id,
        now
    )
    .expect_row()
}

/// Activates a connection. One whose name is its id takes `name`; any other keeps the name that calls use.
pub(crate) fn activate(id: &str, method: Method, metadata: &Metadata, name: &str, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET status = 'ACTIVE', reason = NULL, method = $2, metadata = $3, company_id = $4, user_id = $5, \
         updated_at = $6, name = CASE WHEN name = id THEN $7 ELSE name END WHERE id = $1 RETURNING 1",
        id,
        method.as_str(),
        write_metadata(metadata),
        metadata.company.id.as_ref(),
        metadata.user.id.as_ref(),
        now,
        name
    )
    .expect_row()
}

/// Marks an active connection as one that must be connected again.
pub(crate) fn mark_needs_reconnect(id: &str, now: Moment) -> Statement {
    sql!(
        "UPDATE connector_connection SET status = 'FAILED', reason = 'needsReconnect', updated_at = $2 WHERE id = $1 AND status = 'ACTIVE'",
        id,
        now
    )
}

/// Marks a connection as one whose user uninstalled the app.
pub(crate) fn mark_uninstalled(id: &str, now: Moment) -> Statement {
    sql!("UPDATE connector_connection SET status = 'FAILED', reason = 'uninstalled', updated_at = $2 WHERE id = $1", id, now)
}

/// Stores the metadata that came with refreshed tokens.
pub(crate) fn set_metadata(id: &str, metadata: &Metadata) -> Statement {
    sql!("UPDATE connector_connection SET metadata = $2 WHERE id = $1", id, write_metadata(metadata))
}

/// Stores the metadata of a test, which counts as a change of the connection.
pub(crate) fn update_metadata(id: &str, metadata: &Metadata, now: Moment) -> Statement {
    sql!("UPDATE connector_connection SET metadata = $2, updated_at = $3 WHERE id = $1", id, write_metadata(metadata), now)
}

/// Deletes a connection of any owner.
pub(crate) fn delete_by_id(id: &str) -> Statement {
    sql!("DELETE FROM connector_connection WHERE id = $1", id)
}

/// Deletes a connection of an owner.
pub(crate) fn delete(owner: &str, id: &str) -> Statement {
    sql!("DELETE FROM connector_connection WHERE id = $1 AND owner = $2 RETURNING 1", id, owner).expect_row()
}

/// Deletes a connection that is not finished.
pub(crate) fn delete_pending(id: &str) -> Statement {
    sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' RETURNING 1", id).expect_row()
}

/// Deletes a connection that is not finished and was not begun by a platform.
pub(crate) fn delete_pending_of_host(id: &str) -> Statement {
    sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND redirect_uri IS NULL RETURNING 1", id).expect_row()
}

/// Deletes an unfinished connection that is too old.
pub(crate) fn delete_expired(id: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_connection WHERE id = $1 AND status = 'PENDING' AND expires_at <= $2 RETURNING 1", id, now).expect_row()
}

/// Deletes an owner's unfinished connections that are too old and have no grant.
pub(crate) fn delete_expired_of_owner(owner: &str, now: Moment) -> Statement {
    sql!("DELETE FROM connector_connection WHERE owner = $1 AND status = 'PENDING' AND expires_at <= $2 AND install IS NULL", owner, now)
}

/// Deletes unconfirmed connections of an account whose grants an uninstall ended.
pub(crate) fn delete_unconfirmed(app: &str, company_id: &str, user_id: &str, granted_until: Moment) -> Statement {
    sql!(
        "DELETE FROM connector_connection WHERE app = $1 AND company_id = $2 AND user_id = $3 \
         AND status = 'PENDING' AND id IN (SELECT connection_id FROM connector_secret WHERE granted_at <= $4)",
        app,
        company_id,
        user_id,
        granted_until
    )
}
