//! Rows of `connector_setting` that name the key of the store.

use crate::store::statement::{Statement, sql};

/// Names the key of a new store. A store that has a key keeps it.
pub(crate) fn insert_key(id: String) -> Statement {
    sql!("INSERT INTO connector_setting (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING", id)
}

/// Selects the id of the store's key.
pub(crate) fn select_key() -> Statement {
    sql!("SELECT value FROM connector_setting WHERE name = 'key'")
}

/// Requires that the store has this key, and keeps it until the batch ends.
pub(crate) fn require_key(id: String) -> Statement {
    sql!("SELECT 1 FROM connector_setting WHERE name = 'key' AND value = $1 FOR SHARE", id).expect_row()
}

/// Changes the key of the store. It misses if another process changed it.
pub(crate) fn change_key(new: String, old: String) -> Statement {
    sql!("UPDATE connector_setting SET value = $1 WHERE name = 'key' AND value = $2 RETURNING 1", new, old).expect_row()
}
