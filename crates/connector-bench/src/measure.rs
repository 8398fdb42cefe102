//! Numbers of several rounds: their median, and where four fifths of them lie.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// One number for each round.
pub(crate) struct Series(Vec<f64>);

/// What a batch of calls took, of one call.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// CPU of this process in µs, user and system.
    pub(crate) cpu: f64,
    /// Time on the wall in µs.
    pub(crate) wall: f64,
}

/// A clock that was started.
pub(crate) struct Watch {
    cpu: Duration,
    wall: Instant,
}

impl Series {
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
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

    /// `1.20–1.31`: a tenth of the rounds is below, a tenth above.
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
        Self { cpu: cpu(), wall: Instant::now() }
    }

    /// What one of `calls` took since the start.
    pub(crate) fn taken(&self, calls: usize) -> Taken {
        #[expect(clippy::cast_precision_loss, reason = "a batch has fewer than 2^52 calls")]
        let each = |all: Duration| all.as_secs_f64() * 1e6 / calls as f64;
        Taken { cpu: each(cpu().saturating_sub(self.cpu)), wall: each(self.wall.elapsed()) }
    }
}

/// The CPU time of this process, user and system.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// `met` or `missed`.
pub(crate) fn met(is: bool) -> &'static str {
    if is { "met" } else { "missed" }
}
