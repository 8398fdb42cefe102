//! The time that requests take, estimated before any is sent.

/// The seconds that a vendor takes to answer a request.
const LATENCY: f64 = 0.2;

/// The requests that a vendor allows in a window, and the seconds of that window, where nobody told other ones.
///
/// They are those of a small account, so that the time is rather too long than too short.
const BURST: (u64, f64) = (20, 2.0);

/// Estimates the seconds that requests of one connection take, of which some are under way at once.
pub(crate) fn estimate_seconds(requests: u64, jobs: u64) -> f64 {
    if requests == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody sends so many requests that a tenth of a second is lost")]
    let [rounds, windows] = [requests.div_ceil(jobs.max(1)), (requests - 1) / BURST.0].map(|count| count as f64);
    // The requests of a window may all go out at its start.
    (rounds * LATENCY).max(windows * BURST.1 + LATENCY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_that_of_the_answers_or_of_the_windows_whichever_is_longer() {
        for (requests, jobs, seconds) in
            [(0, 1, 0.0), (1, 1, 0.2), (20, 1, 4.0), (20, 20, 0.2), (21, 64, 2.2), (10_000, 64, 998.2), (10_000, 1, 2_000.0), (3, 0, 0.6)]
        {
            let estimated = estimate_seconds(requests, jobs);
            assert!((estimated - seconds).abs() < 1e-6, "{requests} requests, {jobs} at once: {estimated}");
        }
    }
}
