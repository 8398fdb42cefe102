//! Rows of connections.

use connector_core::Error;

use crate::store::statement::{Row, misread};
use crate::value::model::{Connection, Metadata, Method, Reason, Status};

/// Columns that [`read_connection`] reads.
macro_rules! connection_columns {
    () => {
        "id, owner, name, app, method, status, reason, created_at, updated_at, is_default, metadata"
    };
}
pub(crate) use connection_columns;

/// Reads a row of [`connection_columns`].
pub(crate) fn read_connection(row: &Row) -> Result<Connection, Error> {
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
    })
}

pub(crate) fn read_metadata(text: &str) -> Result<Metadata, Error> {
    serde_json::from_str(text).map_err(|_| misread())
}

pub(crate) fn write_metadata(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("it is written to memory")
}
