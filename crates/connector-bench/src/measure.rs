//! Measures CPU and wall time over several rounds: the median, and the range of the middle four fifths.

use std::error::Error;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A reason why something cannot be measured.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The numbers of rounds to run.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) calls: usize,
    pub(crate) starts: usize,
}

/// A list of numbers, one for each round, sorted.
pub(crate) struct Series(Vec<f64>);

/// The time that one call of a batch took on average.
#[derive(Clone, Copy)]
pub(crate) struct CallTime {
    /// CPU of this process in µs, user and system.
    pub(crate) cpu: f64,
    /// Wall time in µs.
    pub(crate) wall: f64,
}

/// A stopwatch for CPU and wall time.
pub(crate) struct Watch {
    cpu: Duration,
    wall: Instant,
}

impl Series {
    pub(crate) fn new(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    pub(crate) fn median(&self) -> f64 {
        self.at(50)
    }

    pub(crate) fn largest(&self) -> f64 {
        self.at(100)
    }

    /// Formats the range without the lowest and the highest tenth, such as `1.20–1.31`.
    pub(crate) fn spread(&self, digits: usize) -> String {
        format!("{:.digits$}–{:.digits$}", self.at(10), self.at(90))
    }

    fn at(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last * percent + 50) / 100).copied().unwrap_or(f64::NAN)
    }
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { cpu: read_cpu_time(), wall: Instant::now() }
    }

    /// Divides the time since the start by a number of calls.
    pub(crate) fn time_per_call(&self, calls: usize) -> CallTime {
        #[expect(clippy::cast_precision_loss, reason = "a batch has fewer than 2^52 calls")]
        let each = |all: Duration| all.as_secs_f64() * 1e6 / calls as f64;
        CallTime { cpu: each(read_cpu_time().saturating_sub(self.cpu)), wall: each(self.wall.elapsed()) }
    }
}

/// Reads the CPU time of this process, user and system.
fn read_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// Formats whether a goal was met.
pub(crate) fn describe_goal(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}
