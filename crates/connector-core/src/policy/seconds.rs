//! The time that requests take, estimated before any is sent.

use std::time::Duration;

/// The time that a vendor takes to answer, where none has yet.
const LATENCY: Duration = Duration::from_millis(200);

/// The pace of the requests of a connection that a vendor counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LanePace {
    /// The most requests within a window, if there is a limit.
    pub(crate) limit: Option<u32>,
    pub(crate) window: Duration,
    /// The usual time to an answer. It is zero where none came yet.
    pub(crate) latency: Duration,
}

/// Estimates the seconds that the requests of one connection take, if so many are under way at once.
pub(crate) fn estimate_seconds(lanes: &[u64], paces: &[LanePace], jobs: u64) -> f64 {
    let in_lane = |(lane, count): (usize, &u64)| match paces.get(lane.min(paces.len().saturating_sub(1))) {
        // The requests of a window may all go out at its start.
        Some(LanePace { limit: Some(limit), window, .. }) if *count > 0 => {
            to_number((count - 1) / u64::from(*limit).max(1)) * window.as_secs_f64() + find_latency(paces)
        }
        _ => 0.0,
    };
    lanes.iter().enumerate().map(in_lane).fold(estimate_waits(lanes, paces, jobs), f64::max)
}

/// Estimates the seconds for which answers are waited for, of which so many come at once.
pub(crate) fn estimate_waits(lanes: &[u64], paces: &[LanePace], jobs: u64) -> f64 {
    to_number(lanes.iter().sum::<u64>().div_ceil(jobs.max(1))) * find_latency(paces)
}

fn find_latency(paces: &[LanePace]) -> f64 {
    let known = paces.iter().map(|pace| pace.latency).max().filter(|latency| !latency.is_zero());
    known.unwrap_or(LATENCY).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "nobody sends so many requests that a tenth of a second is lost")]
fn to_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_that_of_the_answers_or_of_the_windows_whichever_is_longer() {
        let pace = |limit: u32| LanePace { limit: Some(limit), window: Duration::from_secs(2), latency: Duration::ZERO };
        let paces = [pace(10), pace(20)];
        for (lanes, jobs, seconds) in [
            ([0, 0], 1, 0.0),
            ([0, 1], 1, 0.2),
            ([0, 20], 1, 4.0),
            ([0, 20], 20, 0.2),
            ([0, 21], 64, 2.2),
            ([0, 10_000], 64, 998.2),
            ([10_000, 10_000], 64, 1_998.2),
            ([0, 10_000], 1, 2_000.0),
            ([1, 2], 0, 0.6),
        ] {
            let estimated = estimate_seconds(&lanes, &paces, jobs);
            assert!((estimated - seconds).abs() < 1e-6, "{lanes:?} requests, {jobs} at once: {estimated}");
        }
    }

    #[test]
    fn time_follows_what_is_known_of_the_vendor() {
        let quick = LanePace { limit: None, window: Duration::from_secs(2), latency: Duration::from_millis(5) };
        assert!((estimate_seconds(&[100], &[quick], 1) - 0.5).abs() < 1e-6, "no limit, and answers within 5 ms");
        assert!((estimate_seconds(&[1_000], &[], 10) - 20.0).abs() < 1e-6, "nothing is known");
    }
}
