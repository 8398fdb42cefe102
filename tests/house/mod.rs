//! The structure of the sources: floors, walls, sizes and words, with planted faults that each check must find.

mod floors;
mod guide;
mod invariants;
mod source;
mod words;

use std::path::{Path, PathBuf};

use source::{Source, read_sources};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is above its crate")
}

/// Reads the Rust sources of crates and tests; declarations that are wrong on purpose aside.
fn all_sources() -> Vec<Source> {
    let root = root();
    let mut sources = read_sources(&root, "crates", "rs");
    sources.extend(read_sources(&root, "tests", "rs"));
    sources.retain(|source| !source.path.contains("/tests/fail/"));
    sources
}

fn manifests() -> Vec<Source> {
    read_sources(&root(), "crates", "toml")
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_file_uses_a_higher_floor_and_no_files_form_a_circle() {
    assert_none(&floors::faults(&all_sources()));
}

#[test]
fn crates_depend_on_the_crates_below_them_alone() {
    assert_none(&floors::wall_faults(&manifests()));
}

#[test]
fn files_and_folders_fit_their_size() {
    assert_none(&words::size_faults(&all_sources()));
}

#[test]
fn docs_and_names_follow_the_rules_of_words() {
    assert_none(&words::faults(&all_sources()));
}

mod planted {
    //! Each check finds a fault that is planted, with its file and line, and finds none beside it.

    use super::{Source, floors, words};

    const ENGINE: &str = "crates/pipedrive-sandbox/src/engine/state.rs";
    const OBJECT: &str = "crates/pipedrive-sandbox/src/objects/deals.rs";

    #[track_caller]
    fn assert_found(faults: &[String], expected: &[&str]) {
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault} does not begin with {expected}");
        }
    }

    #[test]
    fn finds_an_upward_use() {
        let object = Source::new(OBJECT, "pub(crate) fn rule() {}\n");
        for text in [
            "use crate::objects::deals;\n\nfn apply() { deals::rule() }\n",
            "use std::fmt;\n\nfn apply() { crate::objects::deals::rule() }\n",
            "use std::{\n    fmt}; use super::super::objects::{deals::rule};\n",
        ] {
            let faults = floors::faults(&[Source::new(ENGINE, text), object.clone()]);
            let line = if text.starts_with("use std::{") { 2 } else { 3 };
            assert_found(&faults, &[&format!("{ENGINE}:{line}: engine uses the higher floor objects")]);
        }
    }

    #[test]
    fn finds_an_upward_use_behind_a_re_export() {
        let sources = [
            Source::new(ENGINE, "use crate::value::Deal;\n"),
            Source::new("crates/pipedrive-sandbox/src/value/mod.rs", "pub(crate) use crate::objects::deals::Deal;\n"),
            Source::new(OBJECT, "pub(crate) struct Deal;\n"),
        ];
        let faults = floors::faults(&sources);
        assert_found(&faults, &[&format!("{ENGINE}:1: engine uses"), "crates/pipedrive-sandbox/src/value/mod.rs:1: value uses"]);
    }

    #[test]
    fn finds_a_use_of_the_root() {
        let sources = [
            Source::new(ENGINE, "fn apply(_: crate::State) {}\n"),
            Source::new("crates/pipedrive-sandbox/src/lib.rs", "mod engine;\npub use engine::other::State;\n"),
            Source::new("crates/pipedrive-sandbox/src/engine/other.rs", "fn apply() { crate::start() }\n"),
        ];
        let faults = floors::faults(&sources);
        assert_found(&faults, &["crates/pipedrive-sandbox/src/engine/other.rs:1: uses the crate's root (crate::start)"]);
    }

    #[test]
    fn finds_a_circle() {
        let other = "crates/pipedrive-sandbox/src/engine/rows.rs";
        let sources = [
            Source::new(ENGINE, "\nuse super::rows::Rows;\npub(crate) struct State;\n"),
            Source::new(other, "use super::state::State;\npub(crate) struct Rows;\n"),
        ];
        let faults = floors::faults(&sources);
        assert_found(&faults, &[&format!("{other}:1: is in a circle of 2 files"), &format!("{ENGINE}:2: is in a circle of 2 files")]);
    }

    #[test]
    fn finds_a_file_on_no_floor() {
        let faults = floors::faults(&[Source::new("crates/pipedrive-sandbox/src/util.rs", "")]);
        assert_found(&faults, &["crates/pipedrive-sandbox/src/util.rs:1: stands on no floor"]);
    }

    #[test]
    fn finds_a_forbidden_dependency() {
        let manifest = "[package]\nname = \"connector-server\"\n\n[dependencies]\nconnector-core.workspace = true\nclap = \"4\"\n\
                        pipedrive-connector.workspace = true\n\n[dev-dependencies]\npipedrive-sandbox.workspace = true\n";
        let faults = floors::wall_faults(&[Source::new("crates/connector-server/Cargo.toml", manifest)]);
        let file = "crates/connector-server/Cargo.toml";
        assert_found(&faults, &[&format!("{file}:6: "), &format!("{file}:7: connector-server may not depend on pipedrive-connector")]);
    }

    #[test]
    fn finds_a_file_of_501_lines_and_not_one_of_500() {
        let lines = |count: usize| "// A line.\n".repeat(count);
        assert_found(&words::size_faults(&[Source::new(ENGINE, lines(500))]), &[]);
        assert_found(&words::size_faults(&[Source::new(ENGINE, lines(501))]), &[&format!("{ENGINE}:501: has 501 lines")]);
        let room = "crates/pipedrive-connector/src/rooms/deals.rs";
        assert_found(&words::size_faults(&[Source::new(room, lines(700))]), &[]);
        assert_found(&words::size_faults(&[Source::new(room, lines(701))]), &[&format!("{room}:701: has 701 lines")]);
    }

    #[test]
    fn finds_the_21st_file_of_a_folder() {
        let files = |folder: &str, count: usize| -> Vec<Source> {
            (1..=count).map(|number| Source::new(format!("crates/connector-core/src/{folder}/f{number:02}.rs"), "")).collect()
        };
        assert_found(&words::size_faults(&files("value", 20)), &[]);
        assert_found(&words::size_faults(&files("value", 21)), &["crates/connector-core/src/value/f21.rs:1: is file 21"]);
        assert_found(&words::size_faults(&files("rooms", 30)), &[]);
    }

    #[test]
    fn finds_code_in_a_lib() {
        let lib = "crates/connector-core/src/lib.rs";
        assert_found(&words::size_faults(&[Source::new(lib, "mod value;\npub use value::Id;\n")]), &[]);
        let text = "mod value;\n\n#[cfg(test)]\nmod tests { fn check() {} }\n\nimpl Id {}\n";
        assert_found(&words::size_faults(&[Source::new(lib, text)]), &[&format!("{lib}:6: lib.rs holds")]);
    }

    #[test]
    fn finds_a_long_first_line_and_an_opener_without_its_noun() {
        let text = format!(
            "/// Whose tokens these are.\nstruct One;\n\n/// {}\nstruct Two;\n\n/// Fits.\n/// What follows may open so.\nstruct Three;\n",
            "Long ".repeat(23)
        );
        let faults = words::faults(&[Source::new(ENGINE, text)]);
        assert_found(&faults, &[&format!("{ENGINE}:1: opens with Whose"), &format!("{ENGINE}:4: the first line has 114 characters")]);
    }

    #[test]
    fn finds_a_function_that_is_called_of() {
        let faults = words::faults(&[Source::new(ENGINE, "impl State {\n    pub(crate) fn of(id: u64) -> Self {}\n}\n")]);
        assert_found(&faults, &[&format!("{ENGINE}:2: a function is called `of`")]);
    }

    #[test]
    fn finds_two_types_of_one_name_in_a_crate() {
        let text = "pub(crate) struct State;\n\n#[cfg(test)]\nmod tests {\n    struct State;\n}\n";
        let other = "crates/pipedrive-sandbox/src/world/company.rs";
        let faults = words::faults(&[Source::new(ENGINE, text), Source::new(other, "\nenum State {}\n")]);
        assert_found(&faults, &[&format!("{other}:2: State is also at {ENGINE}:1")]);
        let elsewhere = Source::new("crates/connector-core/src/value/state.rs", "enum State {}\n");
        assert_found(&words::faults(&[Source::new(ENGINE, text), elsewhere]), &[]);
    }
}
