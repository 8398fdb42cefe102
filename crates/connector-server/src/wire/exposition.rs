//! The text format of Prometheus, and the histogram that is written in it.

use std::fmt::{Display, Write as _};
use std::time::Duration;

/// The upper bounds of a histogram, in seconds.
const BOUNDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// A histogram of durations.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    within: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    pub(crate) fn record(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (within, bound) in self.within.iter_mut().zip(BOUNDS) {
            *within += u64::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// Writes the samples of the histogram, which all have these labels.
    pub(crate) fn write(&self, out: &mut String, name: &str, labels: &str) {
        for (within, bound) in self.within.iter().zip(BOUNDS) {
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {within}");
        }
        let Self { count, sum, .. } = self;
        let _ =
            writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}\n{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
    }
}

/// Writes the help and the type of a metric, which come before its samples.
pub(crate) fn write_help(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Writes a sample. Without labels it is the only one of its metric.
pub(crate) fn write_sample(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = if labels.is_empty() { writeln!(out, "{name} {value}") } else { writeln!(out, "{name}{{{labels}}} {value}") };
}
