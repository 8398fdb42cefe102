//! A database of PostgreSQL, and schemas in it that no other test uses.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable that names a throw-away database, whose user may do anything.
const DATABASE: &str = "CONNECTOR_TEST_POSTGRES";

/// Returns the URL of the database, if there is one.
pub(crate) fn find_database() -> Option<String> {
    let url = std::env::var(DATABASE).ok();
    assert!(
        url.is_some() || std::env::var_os("CI").is_none(),
        "run `tests/postgres.sh cargo test …`, which brings a database: CI skips no test"
    );
    url
}

/// Creates a schema and returns its URL, if there is a database.
pub(crate) fn create_schema() -> Option<String> {
    let url = find_database()?;
    let name = build_fresh_name();
    execute(&url, &format!("CREATE SCHEMA {name}"));
    Some(build_schema_url(&url, &name))
}

pub(crate) fn build_schema_url(url: &str, schema: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-csearch_path%3D{schema}")
}

pub(crate) fn build_fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("suite_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Executes SQL and returns the output of psql.
pub(crate) fn execute(url: &str, statements: &str) -> Vec<u8> {
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--command", statements, url]);
    let output = psql.stdin(Stdio::null()).output().expect("`tests/postgres.sh` puts psql on the path");
    assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Dumps all rows in the schema of a URL.
pub(crate) fn dump_rows(url: &str) -> Vec<u8> {
    let rows = execute(url, "SELECT schema_to_xml(current_schema()::name, true, false, '')");
    assert!(String::from_utf8_lossy(&rows).contains("connector_setting"), "the dump must hold the tables of the store");
    rows
}
