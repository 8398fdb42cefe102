//! Joins the fixtures of each connector into one file: the examples of a manifest are those that ran.

#![allow(clippy::print_stdout, reason = "a build script writes its instructions for cargo to stdout")]

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    for folder in list_paths(Path::new("../../tests/fixtures")).iter().filter(|path| path.is_dir()) {
        let joined: Vec<String> = list_paths(folder)
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
            .map(|file| format!("{:?}: {}", read_stem(file), fs::read_to_string(file).expect("a fixture can be read")))
            .collect();
        fs::write(out.join(format!("{}.json", read_stem(folder))), format!("{{{}}}", joined.join(",")))
            .expect("the build folder can be written");
    }
}

/// Lists the files and folders of a folder, sorted. Cargo builds again when one of them changes.
fn list_paths(folder: &Path) -> Vec<PathBuf> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder).expect("the fixtures lie beside the suite");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    for path in &paths {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    paths
}

fn read_stem(path: &Path) -> String {
    path.file_stem().expect("a path has a name").to_string_lossy().into_owned()
}
