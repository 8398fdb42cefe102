//! Words and sizes: first lines of docs, names of functions and types, lengths of files and folders.

use std::collections::BTreeMap;

use connector_testkit::OPENERS;

use super::floors::by_crate;
use super::source::{Facts, Modules, Source};

const MOST_CHARACTERS: usize = 110;
const MOST_LINES: usize = 500;
const MOST_LINES_OF_A_ROOM: usize = 700;
const MOST_FILES: usize = 20;

/// Folders that hold one file for each object, however many there are.
const OPEN_FOLDERS: &[&str] = &["rooms", "objects"];

/// Lists the doc comments and the names that break the rules of words.
pub(super) fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let facts = Facts::read(source);
        for doc in &facts.docs {
            let opener = doc.text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let length = doc.text.chars().count();
            if length > MOST_CHARACTERS {
                faults.push(format!("{}:{}: the first line has {length} characters of at most {MOST_CHARACTERS}", source.path, doc.line));
            }
            if OPENERS.contains(&opener) {
                faults.push(format!("{}:{}: opens with {opener}: begin with a verb or a noun: {}", source.path, doc.line, doc.text));
            }
        }
        for line in &facts.fn_of {
            faults.push(format!("{}:{line}: a function is called `of`: call it new, from_… or by a verb", source.path));
        }
    }
    for files in by_crate(sources).values() {
        faults.extend(doubled_types(files));
    }
    faults
}

fn doubled_types(files: &[&Source]) -> Vec<String> {
    let modules = Modules::read(files);
    let mut known: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let mut faults = Vec::new();
    for (path, facts) in modules.facts() {
        for found in &facts.types {
            match known.get(found.name.as_str()) {
                Some((other, line)) => faults.push(format!("{path}:{}: {} is also at {other}:{line}", found.line, found.name)),
                None => drop(known.insert(&found.name, (path, found.line))),
            }
        }
    }
    faults
}

/// Lists files and folders that are too large, and code in a `lib.rs`.
pub(super) fn size_faults(sources: &[Source]) -> Vec<String> {
    let (mut faults, mut folders) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
    for source in sources {
        let (folder, _) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        folders.entry(folder).or_default().push(&source.path);
        let most = if folder.contains("/rooms") { MOST_LINES_OF_A_ROOM } else { MOST_LINES };
        let lines = source.text.lines().count();
        if lines > most {
            faults.push(format!("{}:{}: has {lines} lines of at most {most}", source.path, most + 1));
        }
        // A crate of macros must hold them in its root.
        if source.path.ends_with("/src/lib.rs")
            && !source.path.contains("-macros/")
            && let Some(line) = Facts::read(source).own_item
        {
            faults.push(format!("{}:{line}: lib.rs holds `mod` and `pub use` alone", source.path));
        }
    }
    for (folder, files) in folders {
        let is_open = folder.rsplit('/').next().is_some_and(|name| OPEN_FOLDERS.contains(&name));
        if !is_open && files.len() > MOST_FILES {
            faults.push(format!("{}:1: is file {} of {folder}, which may hold {MOST_FILES}", files[MOST_FILES], MOST_FILES + 1));
        }
    }
    faults
}
