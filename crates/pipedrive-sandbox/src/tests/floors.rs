//! The border between the engine and the objects that it serves.

use std::fs;
use std::path::Path;

use crate::objects::TABLES;

#[test]
fn the_engine_names_no_table() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let files: Vec<_> =
        fs::read_dir(engine).expect("the engine has a folder").map(|entry| entry.expect("it can be listed").path()).collect();
    assert!(files.len() > 10, "the engine has moved: let this test look into its folder");
    for file in files {
        let code = fs::read_to_string(&file).expect("the file can be read");
        for table in TABLES.collections().map(|collection| collection.name) {
            let is_named = code.contains(&format!("\"{table}\""));
            assert!(!is_named, "{} names the table {table}: let the table's row say what is special about it", file.display());
        }
    }
}
