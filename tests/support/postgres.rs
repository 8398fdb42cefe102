//! A database of PostgreSQL, and schemas in it that no other test has.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable that gives a throw-away database, whose user may do anything.
const DATABASE: &str = "CONNECTOR_TEST_POSTGRES";

pub(crate) fn database() -> Option<String> {
    let given = std::env::var(DATABASE).ok();
    assert!(
        given.is_some() || std::env::var_os("CI").is_none(),
        "nothing is skipped in CI: `tests/postgres.sh cargo test …` brings a database"
    );
    given
}

/// The URL of a schema that no other test has, where there is a database.
pub(crate) fn schema() -> Option<String> {
    let url = database()?;
    let name = fresh_name();
    carried_out(&url, &format!("CREATE SCHEMA {name}"));
    Some(within(&url, &name))
}

pub(crate) fn within(url: &str, schema: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-csearch_path%3D{schema}")
}

pub(crate) fn fresh_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("suite_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn carried_out(url: &str, statements: &str) -> Vec<u8> {
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--command", statements, url]);
    let output = psql.stdin(Stdio::null()).output().expect("`tests/postgres.sh` has psql on its path");
    assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// All that stands in the schema of a URL.
pub(crate) fn rows(url: &str) -> Vec<u8> {
    let rows = carried_out(url, "SELECT schema_to_xml(current_schema()::name, true, false, '')");
    assert!(String::from_utf8_lossy(&rows).contains("connector_setting"), "the store was read");
    rows
}
