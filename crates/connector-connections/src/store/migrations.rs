//! Migrations: each brings the tables from one version to the next.

use connector_core::{Error, ErrorKind};

use crate::store::database::{Database, mark_failure};
use crate::store::statement::{Ran, Row, misread, sql};

const MIGRATIONS: [&str; 10] = [
    include_str!("schema.sql"),
    include_str!("visits.sql"),
    include_str!("ended.sql"),
    include_str!("key_view.sql"),
    include_str!("connection_view.sql"),
    include_str!("any_grant.sql"),
    include_str!("ledger.sql"),
    include_str!("definitions.sql"),
    include_str!("meter.sql"),
    include_str!("register.sql"),
];

/// Brings the tables up to date. A store of a newer version is left alone.
pub(super) async fn migrate(database: &dyn Database) -> Result<(), Error> {
    loop {
        let version = read_version(database).await?;
        let Some(next) = MIGRATIONS.get(version) else {
            if version == MIGRATIONS.len() {
                return Ok(());
            }
            let message = format!(
                "{} was written by a newer version: its tables are of version {version}, and this program knows {}.",
                database.name(),
                MIGRATIONS.len()
            );
            return Err(Error::new(ErrorKind::Bug, message).with_hint("Use the newer program; nothing was changed."));
        };
        let step = sql!(
            "UPDATE connector_setting SET value = $1 WHERE name = 'version' AND value = $2 RETURNING 1",
            (version + 1).to_string(),
            version.to_string()
        );
        let parts = next.split(";\n").filter(|part| !part.trim().is_empty()).map(|part| sql!(part));
        // If another process was first, the next turn reads the version that it wrote.
        database.run(std::iter::once(step.expect_row()).chain(parts).collect()).await.map_err(mark_failure)?;
    }
}

async fn read_version(database: &dyn Database) -> Result<usize, Error> {
    const VERSION: &str = "SELECT value FROM connector_setting WHERE name = 'version'";
    // An existing store is only read: this user may lack the right to create tables, and another process may be writing.
    // A new store has no such table yet, so that this failure is not logged.
    let existing = match database.run(vec![sql!(VERSION)]).await {
        Ok(Ran::All(mut rows)) => rows.pop().and_then(|mut rows| rows.pop()),
        _ => None,
    };
    let row = match existing {
        Some(row) => row,
        None => create_version(database, VERSION).await?,
    };
    row.text(0)?.parse().map_err(|_| misread())
}

async fn create_version(database: &dyn Database, version: &'static str) -> Result<Row, Error> {
    let batch = || {
        vec![
            sql!("CREATE TABLE IF NOT EXISTS connector_setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"),
            sql!("INSERT INTO connector_setting (name, value) VALUES ('version', '0') ON CONFLICT DO NOTHING"),
            sql!(version),
        ]
    };
    // If two processes create the table at once, one of them fails because it exists.
    let ran = match database.run(batch()).await {
        Err(error) if error.kind() == ErrorKind::Conflict => database.run(batch()).await,
        ran => ran,
    };
    ran.map_err(mark_failure)?.into_last()?.pop().ok_or_else(misread)
}
