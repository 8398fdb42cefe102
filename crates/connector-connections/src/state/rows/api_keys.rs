//! Rows of `connector_key`: the hashes of the host's own API keys.

use connector_core::Error;
use connector_core::run::View;

use super::read_view;
use crate::store::statement::{Row, Statement, sql};
use crate::value::api_key::ApiKey;

/// Columns that [`read`] reads.
macro_rules! columns {
    () => {
        "id, name, prefix, owner, created_at, view"
    };
}

/// Reads a row of all columns.
pub(crate) fn read(row: &Row) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        prefix: row.text(2)?.to_owned(),
        owner: row.maybe_text(3)?.map(str::to_owned),
        creation_time: row.moment(4)?,
        view: read_view(row, 5)?,
    })
}

/// Inserts a key and the hash of its secret; one without an owner is the operator's.
pub(crate) fn insert(key: &ApiKey, hash: String) -> Statement {
    sql!(
        "INSERT INTO connector_key (id, hash, prefix, name, owner, created_at, view) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &key.id,
        hash,
        &key.prefix,
        &key.name,
        key.owner.as_ref(),
        key.creation_time,
        key.view.map(View::as_str)
    )
}

/// Selects the keys of an owner, or the operator's, oldest first.
pub(crate) fn select_all(owner: Option<&str>) -> Statement {
    sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM connector_key WHERE COALESCE(owner, '') = $1 AND (owner IS NULL) = ($2 = 1) ORDER BY created_at, id"
        ),
        owner.unwrap_or_default(),
        i64::from(owner.is_none())
    )
}

/// Selects the key of a secret by its hash.
pub(crate) fn select_by_hash(hash: String) -> Statement {
    sql!(concat!("SELECT ", columns!(), " FROM connector_key WHERE hash = $1"), hash)
}

/// Deletes a key of an owner, or of the operator.
pub(crate) fn delete(id: &str, owner: Option<&str>) -> Statement {
    sql!(
        "DELETE FROM connector_key WHERE id = $1 AND COALESCE(owner, '') = $2 AND (owner IS NULL) = ($3 = 1) RETURNING 1",
        id,
        owner.unwrap_or_default(),
        i64::from(owner.is_none())
    )
}
