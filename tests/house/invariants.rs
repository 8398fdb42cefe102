//! Things that are absent on purpose, and the tests that ARCHITECTURE.md names.

use super::source::{Facts, Source, read_sources};
use super::{all_sources, root};

/// Reads the product code of a crate, or of a folder of it.
fn product_code(folder: &str) -> Vec<Source> {
    let mut sources = read_sources(&root(), folder, "rs");
    sources.retain(|source| !source.is_test());
    for source in &mut sources {
        source.text.truncate(unit_tests_start(&source.text));
    }
    sources
}

/// Finds where the unit tests of a file begin.
fn unit_tests_start(text: &str) -> usize {
    text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len())
}

/// Lists the lines that hold one of some words, comments aside.
fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
    let has_word = |line: &str| !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word));
    let lines = sources.iter().flat_map(|source| source.text.lines().enumerate().map(move |(at, line)| (source, at + 1, line)));
    lines.filter(|(_, _, line)| has_word(line)).map(|(source, number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
}

#[track_caller]
fn assert_none(found: &[String], instead: &str) {
    assert!(found.is_empty(), "{}\n{instead}", found.join("\n"));
}

#[test]
fn generic_crates_name_no_vendor() {
    // Comments, messages, schemas and tests too: an example of one vendor becomes a habit of one vendor.
    let mut sources: Vec<Source> = ["connector-macros", "connector-core", "connector-connections", "connector-server", "connector-testkit"]
        .iter()
        .flat_map(|krate| {
            ["rs", "toml", "md", "json", "sql", "stderr"].map(|extension| read_sources(&root(), &format!("crates/{krate}"), extension))
        })
        .flatten()
        .collect();
    sources.extend(read_sources(&root(), "crates/connector-host", "rs").into_iter().filter(|source| !source.is_test()));
    assert!(sources.len() > 100, "only {} files of the generic crates were found", sources.len());
    sources.retain(|source| !VENDOR_FILES.contains(&source.path.as_str()));
    assert_none(&vendor_faults(&sources), "let the connector say it: in its CONNECTOR or in its error.rs");
}

/// The files of the host that name a vendor: its list of connectors, and the command of the sandbox.
const VENDOR_FILES: [&str; 2] = ["crates/connector-host/src/connectors.rs", "crates/connector-host/src/command/sandbox.rs"];

/// Lists the lines that name a vendor whose connector is in this workspace, in any notation.
fn vendor_faults(sources: &[Source]) -> Vec<String> {
    let vendors = list_vendors();
    let lines = sources.iter().flat_map(|source| source.text.lines().enumerate().map(move |(at, line)| (source, at + 1, line)));
    let named = lines.filter(|(_, _, line)| vendors.iter().any(|vendor| line.to_lowercase().contains(vendor)));
    named.map(|(source, number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
}

/// Lists the keys of the connectors of this workspace.
fn list_vendors() -> Vec<&'static str> {
    let example = &example_connector::CONNECTOR;
    crate::support::repository::CONNECTORS.iter().copied().chain([example]).map(|connector| connector.key).collect()
}

#[test]
fn finds_a_vendor_that_a_generic_crate_names() {
    for (line, is_fault) in [
        ("/// Asks Pipedrive for the account.", true),
        ("const DOMAIN: &str = \"acme.PIPEDRIVE.com\";", true),
        ("use pipedrive_sandbox::App;", true),
        ("/// Asks the vendor for the account.", false),
    ] {
        let faults = vendor_faults(&[Source::new("crates/connector-core/src/value/app.rs", format!("//! One.\n{line}\n"))]);
        assert_eq!(faults.len(), usize::from(is_fault), "{line}");
        assert!(faults.iter().all(|fault| fault.starts_with("crates/connector-core/src/value/app.rs:2: ")), "{faults:?}");
    }
}

/// Lists the lines of the host that link a connector's crate.
#[test]
fn one_file_links_the_connectors() {
    let mut found = lines_with(&product_code("crates/connector-host/src"), &["_connector::CONNECTOR"]);
    found.retain(|line| !line.starts_with("crates/connector-host/src/connectors.rs:"));
    assert_none(&found, "add the connector to CONNECTORS in connectors.rs");
}

/// The server that plays the vendor of the example, beside its connector.
const EXAMPLE_SERVER: &str = "crates/example-connector/src/server/";

/// Reads the code of the connectors, the server of the example aside.
fn read_connectors() -> Vec<Source> {
    let crates = ["pipedrive-connector", "example-connector"];
    let mut sources: Vec<Source> = crates.iter().flat_map(|krate| product_code(&format!("crates/{krate}/src"))).collect();
    sources.retain(|source| !source.path.starts_with(EXAMPLE_SERVER));
    sources
}

#[test]
fn server_of_the_example_knows_no_connector() {
    // So that two descriptions meet: what is declared, and what the server takes.
    let sources = product_code(EXAMPLE_SERVER.trim_end_matches('/'));
    assert!(sources.len() > 5, "only {} files of the server were found", sources.len());
    let mut found = lines_with(&sources, &["connector_core", "crate::"]);
    found.retain(|line| line.contains("connector_core") || !line.contains("crate::server::"));
    assert_none(&found, "write down what the vendor does, not what the connector says");
}

#[test]
fn a_connector_does_no_io() {
    let words = ["std::fs", "std::net", "std::env", "std::process", "tokio::", "reqwest", "Instant::now", "SystemTime"];
    let mut sources = read_connectors();
    sources.retain(|source| !source.path.ends_with("/lib.rs"));
    assert_none(&lines_with(&sources, &words), "a connector declares; the runtime acts");
}

#[test]
fn a_room_has_no_control_flow() {
    let mut sources = read_connectors();
    sources.retain(|source| source.path.contains("/rooms/") || source.path.ends_with("/data_sources.rs"));
    let found = sources.iter().flat_map(|source| {
        let lines = Facts::keyword_lines(source, &["if", "match", "for", "while", "loop", "fn", "async", "let"]);
        lines.into_iter().map(move |line| format!("{}:{line}", source.path))
    });
    assert_none(&found.collect::<Vec<_>>(), "write an action that needs code in by_hand/");
}

#[test]
fn one_file_owns_the_http_client() {
    let words = ["reqwest::Client", "Client::builder", "use reqwest::{Client"];
    let mut found = lines_with(&product_code("crates"), &words);
    found.retain(|line| !line.starts_with("crates/connector-core/src/wire/transport.rs") && !line.starts_with("crates/connector-bench/"));
    assert_none(&found, "send through Call::send");
}

#[test]
fn no_type_of_the_http_client_the_validator_or_the_registry_is_public() {
    let words = ["reqwest::", "jsonschema::", "inventory::", "HeaderMap"];
    let mut found = lines_with(&product_code("crates/connector-core/src"), &words);
    let hidden = ["pub(crate)", "pub(super)", "pub(in ", "pub use inventory"];
    found.retain(|line| line.contains("pub ") && !hidden.iter().any(|word| line.contains(word)));
    assert_none(&found, "give out a plain value or a type of our own");
}

#[test]
fn one_match_alone_names_the_kinds_of_error() {
    let mut found = lines_with(&product_code("crates/connector-core/src"), &["\"invalid_input\"", "\"rate_limited\""]);
    found.retain(|line| !line.starts_with("crates/connector-core/src/value/error.rs"));
    assert_none(&found, "use ErrorKind::as_str");
}

#[test]
fn published_schema_lists_the_kinds_of_error() {
    let schema = crate::support::repository::read_json("spec/protocol/outcome.schema.json");
    let kinds: Vec<&str> = connector_core::ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(schema["$defs"]["error"]["properties"]["kind"]["enum"], serde_json::json!(kinds));
}

#[test]
fn tests_never_sleep_and_none_is_ignored() {
    let words = [concat!("slee", "p("), concat!("#[igno", "re"), concat!("#[should", "_panic")];
    let mut sources = all_sources();
    for source in &mut sources {
        if !source.is_test() {
            // The lines before are kept empty, so that the numbers stay true.
            let start = unit_tests_start(&source.text);
            let before = source.text[..start].lines().count();
            source.text.replace_range(..start, &"\n".repeat(before));
        }
    }
    assert_none(&lines_with(&sources, &words), "let the test own its clock, and assert what it expects");
}

#[test]
fn each_variable_of_the_environment_is_one_documented_constant() {
    let env = "crates/connector-host/src/terminal/env.rs";
    let mut found = lines_with(&product_code("crates/connector-host/src"), &["env::var(", "\"CONNECTOR_"]);
    found.retain(|line| !line.starts_with(env));
    assert_none(&found, "name the variable in terminal/env.rs");
    let text = std::fs::read_to_string(root().join(env)).expect("env.rs can be read");
    let names = text.lines().filter(|line| line.starts_with("pub(crate) const ") && line.contains("\"CONNECTOR_"));
    let missing = names.filter_map(|line| line.split('"').nth(1)).filter(|name| text.matches(name).count() < 2);
    assert_none(&missing.map(str::to_owned).collect::<Vec<_>>(), "describe the variable in HELP");
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let sources = all_sources();
    let is_there = |name: &str| {
        let (modules, test) = name.rsplit_once("::").unwrap_or(("", name));
        let function = format!("fn {test}(");
        sources.iter().filter(|source| source.text.contains(&function)).any(|source| {
            let path = format!("/{}", source.path.trim_end_matches(".rs"));
            modules.split("::").all(|module| path.split('/').any(|part| module.is_empty() || part == module))
        })
    };
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read");
    let (mut named, mut missing) = (0, Vec::new());
    for (at, line) in text.lines().enumerate() {
        let Some(tests) = line.find("test `").or_else(|| line.find("tests `")) else { continue };
        // Beside tests a cell names files and types, and modules whose tests all belong to it.
        let is_test = |name: &&str| name.contains('_') && name.chars().all(|c| c.is_lowercase() || c.is_numeric() || "_:".contains(c));
        for name in line[tests..].split('`').skip(1).step_by(2).filter(is_test) {
            named += 1;
            if !is_there(name) {
                missing.push(format!("ARCHITECTURE.md:{}: {name}", at + 1));
            }
        }
    }
    assert!(named > 50, "only {named} tests were found in ARCHITECTURE.md: its table has another form now");
    assert_none(&missing, "name a test that exists, by its whole name and its modules");
}
