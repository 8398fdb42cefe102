//! Columns of all tables that hold sealed bytes, as a change of keys reads and replaces them.

use crate::store::statement::{Statement, sql};

/// Column that holds sealed bytes.
pub(crate) struct SealedColumn {
    pub(crate) name: &'static str,
    select: &'static str,
    replace: &'static str,
    count: &'static str,
}

macro_rules! sealed {
    ($table:literal, $id:literal, $column:literal) => {
        SealedColumn {
            name: $column,
            select: concat!("SELECT ", $id, ", ", $column, " FROM ", $table, " WHERE ", $column, " IS NOT NULL"),
            replace: concat!("UPDATE ", $table, " SET ", $column, " = $3 WHERE ", $id, " = $1 AND ", $column, " = $2 RETURNING 1"),
            count: concat!("SELECT 1 WHERE (SELECT COUNT(*) FROM ", $table, " WHERE ", $column, " IS NOT NULL) = $1"),
        }
    };
}

/// All sealed columns that a change of keys seals anew. Lists of definitions are deleted instead.
pub(crate) const SEALED_COLUMNS: [SealedColumn; 9] = [
    sealed!("connector_secret", "connection_id", "access_token"),
    sealed!("connector_secret", "connection_id", "refresh_token"),
    sealed!("connector_secret", "connection_id", "api_token"),
    sealed!("connector_secret", "connection_id", "verifier"),
    sealed!("connector_leftover", "id", "access_token"),
    sealed!("connector_leftover", "id", "refresh_token"),
    sealed!("connector_install", "handle", "code"),
    sealed!("connector_ledger", "key", "about"),
    sealed!("connector_ledger", "key", "answer"),
];

impl SealedColumn {
    /// Selects the record and the sealed bytes of each row.
    pub(crate) fn select(&self) -> Statement {
        sql!(self.select)
    }

    /// Replaces the sealed bytes of a record. It misses if they changed.
    pub(crate) fn replace(&self, record: &str, old: Vec<u8>, new: Vec<u8>) -> Statement {
        sql!(self.replace, record, old, new).expect_row()
    }

    /// Requires this number of rows, so that none came or went since they were read.
    pub(crate) fn require_count(&self, count: i64) -> Statement {
        sql!(self.count, count).expect_row()
    }
}
