//! Change of keys: seals all secrets with the wanted key, in one transaction.

use connector_core::{Error, ErrorKind, Retry};

use crate::state::context::Context;
use crate::state::rows::sealed::SEALED_COLUMNS;
use crate::state::rows::{definitions, settings};
use crate::store::statement::Ran;

const MAX_ATTEMPTS: usize = 20;

/// Seals all secrets with the wanted key, and returns how many there were.
pub(crate) async fn rekey(context: &Context) -> Result<usize, Error> {
    let wanted = context.keys().wanted();
    for _ in 0..MAX_ATTEMPTS {
        context.update_key().await?;
        let current = context.keys().sealing();
        if current.id() == wanted.id() {
            return Ok(0);
        }
        // From here on a process that seals with the old key misses, and learns of the new one.
        let mut batch = vec![settings::change_key(wanted.id(), current.id()), definitions::delete_all()];
        let mut count = 0;
        for column in &SEALED_COLUMNS {
            let rows = context.store().rows(column.select()).await?;
            for row in &rows {
                let (record, old) = (row.text(0)?, row.bytes(1)?);
                let new = wanted.seal(record, column.name, &context.keys().open(record, column.name, old)?)?;
                batch.push(column.replace(record, old.to_vec(), new));
            }
            count += rows.len();
            batch.push(column.require_count(i64::try_from(rows.len()).unwrap_or(i64::MAX)));
        }
        if let Ran::All(_) = context.store().run(batch).await? {
            context.update_key().await?;
            return Ok(count);
        }
    }
    Err(Error::new(ErrorKind::TimedOut, "The store changes faster than its secrets can be sealed with the new key.")
        .with_retry(Retry::Later)
        .with_hint("Try again when fewer calls are made."))
}
