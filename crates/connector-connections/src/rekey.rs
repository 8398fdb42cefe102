//! A change of keys: everything that is sealed, sealed anew, in one transaction.

use connector_core::{Error, ErrorKind, Retry};

use crate::store::statement::{Ran, Row, misread, sql};
use crate::vault::Inner;

/// Everything that is sealed: a column, what it is bound to and what it holds, its new content, and how many there are.
struct Sealed {
    column: &'static str,
    all: &'static str,
    replace: &'static str,
    as_many: &'static str,
}

macro_rules! sealed {
    ($table:literal, $id:literal, $column:literal) => {
        Sealed {
            column: $column,
            all: concat!("SELECT ", $id, ", ", $column, " FROM ", $table, " WHERE ", $column, " IS NOT NULL"),
            replace: concat!("UPDATE ", $table, " SET ", $column, " = $3 WHERE ", $id, " = $1 AND ", $column, " = $2 RETURNING 1"),
            as_many: concat!("SELECT 1 WHERE (SELECT COUNT(*) FROM ", $table, " WHERE ", $column, " IS NOT NULL) = $1"),
        }
    };
}

const SEALED: [Sealed; 7] = [
    sealed!("connector_secret", "connection_id", "access_token"),
    sealed!("connector_secret", "connection_id", "refresh_token"),
    sealed!("connector_secret", "connection_id", "api_token"),
    sealed!("connector_leftover", "id", "access_token"),
    sealed!("connector_leftover", "id", "refresh_token"),
    sealed!("connector_install", "handle", "code"),
    sealed!("connector_ledger", "key", "answer"),
];

/// Seals everything with the wanted key; how much that was.
pub(crate) async fn rekey(inner: &Inner) -> Result<usize, Error> {
    const ATTEMPTS: usize = 20;
    let wanted = inner.keys.wanted();
    for _ in 0..ATTEMPTS {
        inner.settle_key().await?;
        let now = inner.keys.sealing();
        if now.id() == wanted.id() {
            return Ok(0);
        }
        // Whoever seals with the old key from here on misses, and sees the new one.
        let mut batch = vec![
            sql!("UPDATE connector_setting SET value = $1 WHERE name = 'key' AND value = $2 RETURNING 1", wanted.id(), now.id())
                .expect_row(),
        ];
        let mut count = 0;
        for sealed in &SEALED {
            let rows = inner.store.rows(sql!(sealed.all)).await?;
            for row in &rows {
                let (id, old) = (row.text(0)?, bytes(row)?);
                let new = wanted.seal(id, sealed.column, &inner.keys.open(id, sealed.column, old)?)?;
                batch.push(sql!(sealed.replace, id, old.to_vec(), new).expect_row());
            }
            count += rows.len();
            // None came or went since it was read.
            batch.push(sql!(sealed.as_many, i64::try_from(rows.len()).unwrap_or(i64::MAX)).expect_row());
        }
        if let Ran::All(_) = inner.store.run(batch).await? {
            inner.settle_key().await?;
            return Ok(count);
        }
    }
    Err(Error::new(ErrorKind::TimedOut, "The store changes faster than it can be sealed anew.")
        .with_retry(Retry::Later)
        .with_hint("Try again when fewer calls are made."))
}

fn bytes(row: &Row) -> Result<&[u8], Error> {
    row.maybe_bytes(1)?.ok_or_else(misread)
}
