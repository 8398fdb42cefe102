//! Measures the cost of the catalogue: time at start and at the first use of an action, and resident memory.

use std::process::Command;
use std::time::Instant;

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Catalogue, Invocation, Runtime};
use pipedrive_connector::CONNECTOR;
use serde_json::json;

use crate::measure::{Failure, Series, describe_goal};

/// Measures in a fresh process, since this one has done other things.
pub(crate) fn compare() -> Result<(), Failure> {
    let output = Command::new(std::env::current_exe()?).arg("footprint").output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Prints the cost in this process, which has done nothing yet.
pub(crate) fn print_own() -> Result<(), Failure> {
    let before = Instant::now();
    let entries = Catalogue::build(&[&CONNECTOR])?.entries().len();
    let catalogue = before.elapsed().as_secs_f64() * 1e3;
    let connection = OneConnection::new("bench", "http://127.0.0.1:1", Credential::bearer("a-token-of-the-bench"))?;
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).build()?;
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let keys: Vec<&str> = runtime.catalogue().entries().iter().map(connector_core::run::Entry::key).collect();
    let use_one = |key: &str| {
        let before = Instant::now();
        // The input is checked with the action's validator, whether it is accepted or not.
        drop(one_thread.block_on(runtime.invoke(Invocation::new(key).input(json!({})).dry_run())));
        before.elapsed().as_secs_f64() * 1e3
    };
    let start = read_resident_memory();
    let first_uses = Series::new(keys.iter().map(|key| use_one(key) - use_one(key)));
    let used = read_resident_memory();

    println!("{:<52} {:>7}   goal", format!("the catalogue, {entries} entries"), "");
    println!("{:<52} {catalogue:>7.2}   ≤ 1 ms: {}", "sorted and checked at the start, ms", describe_goal(catalogue <= 1.0));
    println!(
        "{:<52} {:>7.2}   ≤ 0.3 ms: {}",
        format!("first use of an action over the second, ms (most {:.2})", first_uses.largest()),
        first_uses.median(),
        describe_goal(first_uses.median() <= 0.3)
    );
    match (start, used) {
        (Some(start), Some(used)) => {
            println!("{:<52} {start:>7.1}   ≤ 16 MiB: {}", "resident at the start, MiB", describe_goal(start <= 16.0));
            println!("{:<52} {used:>7.1}   ≤ 24 MiB: {}", "resident with every validator used, MiB", describe_goal(used <= 24.0));
        }
        _ => println!("resident memory: not measured: this system has no /proc/self/status"),
    }
    println!();
    Ok(())
}

/// Reads the resident memory of this process in MiB.
pub(crate) fn read_resident_memory() -> Option<f64> {
    read_memory("VmRSS:")
}

/// Reads the most memory that was ever resident in this process, in MiB.
pub(crate) fn read_peak_memory() -> Option<f64> {
    read_memory("VmHWM:")
}

fn read_memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}
