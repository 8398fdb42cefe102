//! Joins the fixtures of the test suite into one file: the examples of the manifest are those that ran.

#![allow(clippy::print_stdout, reason = "a build script writes its instructions for cargo to stdout")]

use std::path::Path;
use std::{env, fs};

fn main() {
    let fixtures = Path::new("../../tests/fixtures");
    println!("cargo:rerun-if-changed={}", fixtures.display());
    let mut joined = Vec::new();
    let files = fs::read_dir(fixtures).expect("the fixtures lie beside the suite");
    for file in files.map(|file| file.expect("the folder can be read").path()) {
        if file.extension().is_some_and(|extension| extension == "json") {
            println!("cargo:rerun-if-changed={}", file.display());
            let key = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).expect("a fixture can be read");
            joined.push(format!("{key:?}: {text}"));
        }
    }
    joined.sort();
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("examples.json");
    fs::write(out, format!("{{{}}}", joined.join(","))).expect("the build folder can be written");
}
