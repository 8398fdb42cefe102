//! The border between the engine and the objects that it serves.

use std::fs;
use std::path::Path;

use crate::demo::{Identity, build_company};
use crate::engine::changes::CHANGES;
use crate::objects::TABLES;

/// Lists the words by which requests, answers, filters and the state file name objects.
fn list_names() -> Vec<String> {
    let named = TABLES.collections().flat_map(|row| {
        let filter = row.filter.map_or([None; 2], |(kind, object)| [Some(kind), Some(object)]);
        let words = [Some(row.name), Some(row.label), row.related_key, row.field_type, row.search.map(|search| search.kind)];
        words.into_iter().chain(filter).flatten()
    });
    let named = named.chain(TABLES.unserved_filter_objects.iter().copied()).filter(|name| !name.is_empty()).map(str::to_owned);
    // The engine itself keeps the table of changes.
    let state = serde_json::to_value(build_company(&Identity::new(1))).expect("a state can be written");
    let tables = state["tables"].as_object().expect("a state has tables").keys().filter(|table| *table != CHANGES);
    named.chain(tables.cloned()).collect()
}

#[test]
fn the_engine_names_no_object() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let files: Vec<_> =
        fs::read_dir(engine).expect("the engine has a folder").map(|entry| entry.expect("it can be listed").path()).collect();
    assert!(files.len() > 10, "the engine has moved: let this test look into its folder");
    let names = list_names();
    for name in ["deals", "deal", "Deal", "people", "project", "currencies"] {
        assert!(names.iter().any(|other| other == name), "the names should have {name}: {names:?}");
    }
    for file in files {
        let code = fs::read_to_string(&file).expect("the file can be read");
        for name in &names {
            let is_named = code.contains(&format!("\"{name}\""));
            assert!(!is_named, "{} names the object {name}: let the table's row say what is special about it", file.display());
        }
    }
}
