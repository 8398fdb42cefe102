//! Our runtime and raw reqwest in one run, side by side: CPU of this process alone, the upstream being another one.
//!
//! `cargo run --release -p connector-bench [-- --quick]`. It prints which goals are met and fails for none of them: a
//! machine is shared, and only ratios within one run can be quoted.
#![allow(clippy::print_stdout, reason = "a bench is there to be read")]

mod bodies;
mod calls;
mod cold;
mod footprint;
mod helper;
mod input;
mod measure;
mod one_core;
mod upstream;

use std::error::Error;

/// What is done when something cannot be measured: it is said, and the rest goes on.
type Failure = Box<dyn Error + Send + Sync>;

/// How many rounds are run.
#[derive(Clone, Copy)]
struct Rounds {
    calls: usize,
    starts: usize,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match words.first().map(String::as_str) {
        None => Rounds { calls: 60, starts: 40 },
        Some("--quick") => Rounds { calls: 10, starts: 10 },
        Some("only") => return said("calls", calls::only(&words[1..])),
        // What this program starts of itself.
        Some("upstream") => return said("the upstream", upstream::serve()),
        Some("footprint") => return said("the footprint", footprint::tell()),
        Some(other) => {
            return println!("There is no {other:?}: give --quick for fewer rounds, `only get ours 20000` for a profiler, or nothing.");
        }
    };
    println!("CPU µs a call of this process, user and system: median over {} rounds, each a batch of every way in turn.\n", rounds.calls);
    said("calls", calls::compare(rounds));
    said("input", input::compare(rounds));
    said("footprint", footprint::compare());
    said("cold start", cold::compare(rounds));
}

fn said(what: &str, result: Result<(), Failure>) {
    if let Err(error) = result {
        println!("{what}: not measured: {error}");
    }
}
