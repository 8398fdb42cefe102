//! Floors: a file uses its own floor or a lower one, no circle of files, and crates depend as the walls allow.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Arrow, Modules, Source};

/// The floors of each crate, lowest first.
///
/// A name is a folder or a file below `src`; names that share a rank stand together. `lib.rs` and `main.rs` are above all of them.
pub(super) const HOUSES: &[(&str, &[&[&str]])] = &[
    ("connector-macros", &[&["parse"], &["emit"]]),
    ("connector-core", &[&["value"], &["declare"], &["embed"], &["exchange"], &["policy"], &["wire"], &["runtime"]]),
    (
        "connector-connections",
        &[
            &["value"],
            &["seal"],
            &["store"],
            &["state"],
            &["grants"],
            &["vault"],
            &["owner_vault", "ledger", "definitions", "meter", "register", "api_keys", "visits"],
        ],
    ),
    ("connector-testkit", &[&["report", "fixture", "loopback"], &["kit"], &["trial"], &["checks"]]),
    ("connector-server", &[&["wire"], &["host"], &["conduct"], &["api"], &["pages"], &["routes"]]),
    ("connector-host", &[&["terminal"], &["setup"], &["command"], &["connectors"]]),
    ("pipedrive-connector", &[&["account_fields"], &["types"], &["error"], &["data_sources", "rooms", "by_hand"], &["connector"]]),
    ("example-connector", &[&["error"], &["data_sources", "rooms", "by_hand"], &["connector"], &["server"]]),
    ("pipedrive-sandbox", &[&["value"], &["facts"], &["engine"], &["objects"], &["demo"], &["world"], &["oauth"], &["edge"]]),
];

/// Folders and files whose files may form a circle, with the reason.
const CIRCLES: &[(&str, &[&str], &str)] = &[
    ("pipedrive-connector", &["data_sources", "rooms", "by_hand"], CHOICES),
    ("example-connector", &["data_sources", "rooms", "by_hand"], CHOICES),
];

const CHOICES: &str = "an action names the data source that fills its input, a data source names the actions that it calls";

/// The crates of this workspace that each crate may depend on.
const WALLS: &[(&str, &[&str])] = &[
    ("connector-macros", &[]),
    ("connector-core", &["connector-macros"]),
    ("connector-connections", &["connector-core"]),
    ("connector-server", &["connector-core", "connector-connections"]),
    ("connector-testkit", &["connector-core"]),
    ("pipedrive-connector", &["connector-core"]),
    ("example-connector", &["connector-core"]),
    ("pipedrive-sandbox", &[]),
    ("connector-host", &["connector-core", "connector-connections", "connector-server", "pipedrive-connector", "pipedrive-sandbox"]),
    ("connector-soak", &["pipedrive-sandbox"]),
    ("connector-bench", &["connector-core", "connector-connections", "connector-server", "pipedrive-connector", "pipedrive-sandbox"]),
];

/// Packages that few crates alone may depend on.
const OWNERS: &[(&str, &[&str])] = &[
    ("reqwest", &["connector-core"]),
    ("jsonschema", &["connector-core", "connector-testkit"]),
    ("inventory", &["connector-core"]),
    ("insta", &["connector-testkit"]),
    ("clap", &["connector-host"]),
    ("rusqlite", &["connector-connections"]),
    ("tokio-postgres", &["connector-connections"]),
    ("axum", &["connector-server"]),
];

/// Lists the uses of a higher floor, the files on no floor, and the circles of files.
pub(super) fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for (krate, files) in by_crate(sources) {
        let arrows = Modules::read(&files).arrows();
        let house = HOUSES.iter().find(|(name, _)| *name == krate);
        faults.extend(house.into_iter().flat_map(|(_, floors)| floor_faults(floors, &files, &arrows)));
        // Where there are floors, a use of the root is a fault already.
        let below: Vec<Arrow> = arrows.into_iter().filter(|arrow| house.is_none() || !is_root(&arrow.to)).collect();
        faults.extend(circle_faults(krate, &below));
    }
    faults
}

/// Groups the product files by crate; tests may use what they like.
pub(super) fn by_crate(sources: &[Source]) -> BTreeMap<&str, Vec<&Source>> {
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        if let Some((krate, _)) = source.place() {
            crates.entry(krate).or_default().push(source);
        }
    }
    crates
}

fn floor_faults(floors: &[&[&str]], files: &[&Source], arrows: &[Arrow]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        if !is_root(&file.path) && rank(floors, &file.path).is_none() {
            faults.push(format!("{}:1: stands on no floor: put it into one of the folders of HOUSES", file.path));
        }
    }
    for Arrow { from, line, to, text } in arrows {
        if is_root(from) {
            continue;
        }
        if is_root(to) {
            faults.push(format!("{from}:{line}: uses the crate's root ({text}): name the module that defines it"));
        } else if let (Some(own), Some(other)) = (rank(floors, from), rank(floors, to))
            && other > own
        {
            faults.push(format!("{from}:{line}: {} uses the higher floor {} ({text})", floor(from), floor(to)));
        }
    }
    faults
}

fn floor(path: &str) -> &str {
    let below = path.split_once("/src/").map_or(path, |(_, below)| below);
    below.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn rank(floors: &[&[&str]], path: &str) -> Option<usize> {
    floors.iter().position(|names| names.contains(&floor(path)))
}

fn is_root(path: &str) -> bool {
    path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs")
}

/// Lists the groups of files that use each other in a circle, each with the uses that close it.
fn circle_faults(krate: &str, arrows: &[Arrow]) -> Vec<String> {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        graph.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph.keys().map(|file| (*file, reachable(&graph, file))).collect();
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for (file, reached) in &reach {
        if seen.contains(file) || !reached.contains(file) {
            continue;
        }
        let circle: BTreeSet<&str> =
            reached.iter().copied().filter(|other| reach.get(other).is_some_and(|back| back.contains(file))).collect();
        seen.extend(circle.iter().copied());
        let is_allowed = CIRCLES.iter().any(|(name, floors, _)| *name == krate && circle.iter().all(|file| floors.contains(&floor(file))));
        if is_allowed {
            continue;
        }
        for arrow in arrows.iter().filter(|arrow| circle.contains(arrow.from.as_str()) && circle.contains(arrow.to.as_str())) {
            faults.push(format!(
                "{}:{}: is in a circle of {} files: uses {} ({})",
                arrow.from,
                arrow.line,
                circle.len(),
                arrow.to,
                arrow.text
            ));
        }
    }
    faults
}

/// Finds every file that a file uses, directly or through others.
fn reachable<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = graph.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(graph.get(file).into_iter().flatten());
        }
    }
    found
}

/// Lists the dependencies that a crate's `Cargo.toml` may not have.
pub(super) fn wall_faults(manifests: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for manifest in manifests {
        let Some(krate) = manifest.path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml")) else { continue };
        let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == krate) else {
            faults.push(format!("{}:1: {krate} is not in WALLS: say there which crates it may depend on", manifest.path));
            continue;
        };
        for (line, name) in dependencies(&manifest.text) {
            let is_ours = WALLS.iter().any(|(known, _)| *known == name);
            if is_ours && !allowed.contains(&name) {
                faults.push(format!("{}:{line}: {krate} may not depend on {name}", manifest.path));
            }
            // A bench measures the limit beside us, so it may hold whatever a peer does.
            if let Some((_, owners)) = OWNERS.iter().find(|(package, _)| *package == name)
                && !owners.contains(&krate)
                && krate != "connector-bench"
            {
                let owners = owners.join(" and ");
                faults.push(format!("{}:{line}: {krate} may not depend on {name}, which {owners} alone may", manifest.path));
            }
        }
    }
    faults
}

/// Lists the dependencies of a manifest with their lines; those of tests aside.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let (mut found, mut is_inside) = (Vec::new(), false);
    for (at, line) in manifest.lines().enumerate() {
        if let Some(section) = line.trim().strip_prefix('[') {
            is_inside = section.trim_end_matches(']').ends_with("dependencies") && !section.contains("dev-dependencies");
            // A dependency may have a section of its own.
            if let Some(name) = section.trim_end_matches(']').strip_prefix("dependencies.") {
                found.push((at + 1, name));
            }
        } else if is_inside && let Some((name, _)) = line.split_once('=') {
            found.push((at + 1, name.trim().split('.').next().unwrap_or_default()));
        }
    }
    found
}
