//! Measures the runtime and raw reqwest in one run, side by side: the CPU of this process, without the upstream.
//!
//! `cargo run --release -p connector-bench [-- --quick]`. It prints which goals are met and never fails: the machine
//! is shared, so only ratios within one run can be quoted.
#![allow(clippy::print_stdout, reason = "a bench prints its results")]

mod bodies;
mod calls;
mod cold;
mod footprint;
mod input;
mod measure;
mod one_core;
mod server_process;
mod streams;
mod upstream;
mod views;

use measure::{Failure, Rounds};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match words.first().map(String::as_str) {
        None => Rounds { calls: 60, starts: 40 },
        Some("--quick") => Rounds { calls: 10, starts: 10 },
        Some("only") => return report("calls", calls::run_only(&words[1..])),
        // The processes that this program starts of itself.
        Some("upstream") => return report("the upstream", upstream::serve()),
        Some("footprint") => return report("the footprint", footprint::print_own()),
        Some("stream") => return report("the stream", streams::print_own(&words[1..])),
        Some(other) => {
            return println!(
                "There is no command {other:?}: give --quick for fewer rounds, `only get ours 20000` for a profiler, `footprint` or `stream` for memory alone, or nothing."
            );
        }
    };
    println!(
        "CPU µs a call of this process, user and system: median over {} rounds; in each round every way has its turn.\n",
        rounds.calls
    );
    report("calls", calls::compare(rounds));
    report("views", views::compare(rounds));
    report("input", input::compare(rounds));
    report("footprint", footprint::compare());
    report("streams", streams::compare());
    report("cold start", cold::compare(rounds));
}

/// Prints a failure; the other measurements go on.
fn report(what: &str, result: Result<(), Failure>) {
    if let Err(error) = result {
        println!("{what}: not measured: {error}");
    }
}
