//! What is counted, as Prometheus reads it. No label has values that a caller chooses, and none names an owner.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram, in seconds.
const BOUNDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The counters of this process.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<&'static str, Histogram>>,
    outcomes: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    upstream_requests: AtomicU64,
    tokens: AtomicU64,
}

#[derive(Debug, Default)]
struct Histogram {
    within: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// A request that was answered.
    pub(super) fn answered(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        *locked(&self.requests).entry((method, route, status)).or_default() += 1;
        let seconds = took.as_secs_f64();
        let mut durations = locked(&self.durations);
        let histogram = durations.entry(route).or_default();
        for (within, bound) in histogram.within.iter_mut().zip(BOUNDS) {
            *within += u64::from(seconds <= bound);
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    /// An invocation that came to its outcome; `action` is a key of the catalogue.
    pub(super) fn invoked(&self, action: &'static str, result: &'static str, requests: u32, tokens: u32) {
        *locked(&self.outcomes).entry((action, result)).or_default() += 1;
        self.upstream_requests.fetch_add(requests.into(), Ordering::Relaxed);
        self.tokens.fetch_add(tokens.into(), Ordering::Relaxed);
    }

    /// All of them in Prometheus's text format.
    pub(super) fn text(&self, in_flight: usize) -> String {
        let mut out = String::new();
        head(&mut out, "connector_http_requests_total", "counter", "Requests answered.");
        for ((method, route, status), count) in &*locked(&self.requests) {
            line(&mut out, "connector_http_requests_total", &format!("method=\"{method}\",route=\"{route}\",status=\"{status}\""), count);
        }
        head(&mut out, "connector_http_request_seconds", "histogram", "How long the head of an answer took.");
        for (route, histogram) in &*locked(&self.durations) {
            for (within, bound) in histogram.within.iter().zip(BOUNDS) {
                line(&mut out, "connector_http_request_seconds_bucket", &format!("route=\"{route}\",le=\"{bound}\""), within);
            }
            line(&mut out, "connector_http_request_seconds_bucket", &format!("route=\"{route}\",le=\"+Inf\""), histogram.count);
            line(&mut out, "connector_http_request_seconds_sum", &format!("route=\"{route}\""), histogram.sum);
            line(&mut out, "connector_http_request_seconds_count", &format!("route=\"{route}\""), histogram.count);
        }
        head(&mut out, "connector_invocations_total", "counter", "Invocations by what came of them: ok, or the kind of error.");
        for ((action, result), count) in &*locked(&self.outcomes) {
            line(&mut out, "connector_invocations_total", &format!("action=\"{action}\",result=\"{result}\""), count);
        }
        let single: [(&str, &str, &str, u64); 3] = [
            (
                "connector_upstream_requests_total",
                "counter",
                "Requests sent for invocations.",
                self.upstream_requests.load(Ordering::Relaxed),
            ),
            ("connector_upstream_tokens_total", "counter", "What they cost of the daily budgets.", self.tokens.load(Ordering::Relaxed)),
            ("connector_http_requests_in_flight", "gauge", "Requests under way.", in_flight as u64),
        ];
        for (name, kind, help, value) in single {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {value}");
        }
        out
    }
}

fn locked<T>(map: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_written_as_prometheus_reads_it() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/v1/actions", 200, Duration::from_millis(30));
        metrics.answered("GET", "/v1/actions", 200, Duration::from_mins(1));
        metrics.invoked("getDeal", "ok", 2, 3);
        let text = metrics.text(1);
        for line in [
            "connector_http_requests_total{method=\"GET\",route=\"/v1/actions\",status=\"200\"} 2",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.025\"} 0",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.1\"} 1",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"+Inf\"} 2",
            "connector_http_request_seconds_sum{route=\"/v1/actions\"} 60.03",
            "connector_invocations_total{action=\"getDeal\",result=\"ok\"} 1",
            "connector_upstream_tokens_total 3",
            "connector_http_requests_in_flight 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
        }
    }
}
