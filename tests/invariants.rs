//! What ARCHITECTURE.md says is absent, held by a walk over the sources.

use std::path::{Path, PathBuf};

use crate::support::world::{none, path, read};

/// The Rust sources of a folder, by path from the root.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = path("");
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    found.sort();
    let read = |file: &PathBuf| {
        (file.strip_prefix(&root).expect("it is below").to_string_lossy().into_owned(), std::fs::read_to_string(file).expect("it is text"))
    };
    found.iter().map(read).collect()
}

/// The lines of what is no test that hold one of these words, comments aside.
fn lines_with(files: &[(String, String)], words: &[&str]) -> Vec<String> {
    files.iter().flat_map(|(file, text)| found(file, words, 0, &text[..tests_of(file, text)])).collect()
}

/// The same of tests.
fn lines_of_tests_with(files: &[(String, String)], words: &[&str]) -> Vec<String> {
    let of_file = |(file, text): &(String, String)| {
        let at = tests_of(file, text);
        found(file, words, text[..at].lines().count(), &text[at..])
    };
    files.iter().flat_map(of_file).collect()
}

/// Where the tests of a file begin.
fn tests_of(file: &str, text: &str) -> usize {
    let is_test = file.split('/').any(|folder| folder == "tests" || folder == "tests.rs");
    if is_test { 0 } else { text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()) }
}

fn found(file: &str, words: &[&str], before: usize, code: &str) -> Vec<String> {
    let holds = |line: &str| !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word));
    let lines = code.lines().enumerate().filter(|(_, line)| holds(line));
    lines.map(|(at, line)| format!("{file}:{}: {}", before + at + 1, line.trim())).collect()
}

#[test]
fn core_names_no_vendor() {
    // Comments and unit tests too: an example of one vendor's is a habit of one vendor's.
    let named = sources("crates/connector-core/src").into_iter().filter(|(_, text)| text.to_lowercase().contains("pipedrive"));
    let named: Vec<String> = named.map(|(file, _)| file).collect();
    none(&named, "say it in the connector's CONNECTOR or in its error.rs");
}

#[test]
fn a_connector_does_no_io() {
    let words = ["std::fs", "std::net", "std::env", "std::process", "tokio::", "reqwest", "Instant::now", "SystemTime"];
    let mut files = sources("crates/pipedrive-connector/src");
    files.retain(|(file, _)| !file.ends_with("lib.rs"));
    none(&lines_with(&files, &words), "a connector declares; the runtime does");
}

#[test]
fn a_room_has_no_control_flow() {
    let mut files = sources("crates/pipedrive-connector/src/rooms");
    files.extend(sources("crates/pipedrive-connector/src").into_iter().filter(|(file, _)| file.ends_with("data_sources.rs")));
    none(&lines_with(&files, &["if ", "match ", "for ", "while ", "loop ", " fn "]), "an action that needs code goes to by_hand/");
}

#[test]
fn one_file_owns_the_http_client() {
    let files: Vec<_> = [
        "crates/connector-core/src",
        "crates/pipedrive-connector/src",
        "crates/connector-server/src",
        "crates/connector-host/src",
        "crates/pipedrive-sandbox/src",
    ]
    .iter()
    .flat_map(|folder| sources(folder))
    .collect();
    let mut found = lines_with(&files, &["reqwest::Client", "Client::builder", "use reqwest::{Client"]);
    found.retain(|line| !line.starts_with("crates/connector-core/src/wire/transport.rs"));
    none(&found, "send through Call::send");
}

#[test]
fn no_type_of_the_http_client_the_validator_or_the_registry_is_public() {
    let words = ["reqwest::", "jsonschema::", "inventory::", "HeaderMap"];
    let mut found = lines_with(&sources("crates/connector-core/src"), &words);
    found.retain(|line| {
        line.contains("pub ") && !line.contains("pub(crate)") && !line.contains("pub(super)") && !line.contains("pub use inventory")
    });
    none(&found, "give a plain value of ours instead");
}

#[test]
fn the_sandbox_does_not_know_the_connector() {
    let manifest = read("crates/pipedrive-sandbox/Cargo.toml");
    assert!(!manifest.contains("connector"), "two independent descriptions must meet: the sandbox is built from spec/ alone");
}

#[test]
fn only_one_match_names_the_kinds_of_error() {
    let mut found = lines_with(&sources("crates/connector-core/src"), &["\"invalid_input\"", "\"rate_limited\""]);
    found.retain(|line| !line.starts_with("crates/connector-core/src/value/error.rs"));
    none(&found, "use ErrorKind::as_str");
}

#[test]
fn a_test_never_sleeps_and_none_is_ignored() {
    let words = [concat!("slee", "p("), concat!("#[igno", "re"), concat!("#[should", "_panic")];
    let files: Vec<_> = ["tests", "crates"].iter().flat_map(|folder| sources(folder)).collect();
    none(&lines_of_tests_with(&files, &words), "a test owns its clock, and says what it expects");
}

#[test]
fn every_variable_of_the_environment_is_one_documented_constant() {
    let files = sources("crates/connector-host/src");
    let help = read("crates/connector-host/src/terminal/env.rs");
    let mut found = lines_with(&files, &["env::var(", "\"CONNECTOR_"]);
    found.retain(|line| !line.starts_with("crates/connector-host/src/terminal/env.rs"));
    none(&found, "name the variable in terminal/env.rs");
    for line in help.lines().filter(|line| line.starts_with("pub(crate) const ") && line.contains("\"CONNECTOR_")) {
        let name = line.split('"').nth(1).expect("a constant has a value");
        assert!(help.matches(name).count() >= 2, "{name} is not in HELP");
    }
}
