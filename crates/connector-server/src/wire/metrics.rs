//! Counters in the text format of Prometheus. No label holds an owner, or a value that a caller chooses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the histogram, in seconds.
const BOUNDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The counters of this process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<&'static str, Histogram>>,
    outcomes: Mutex<BTreeMap<(&'static str, &'static str, &'static str), u64>>,
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
    /// Records a request and its response.
    pub(crate) fn record_request(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        *lock(&self.requests).entry((method, route, status)).or_default() += 1;
        let seconds = took.as_secs_f64();
        let mut durations = lock(&self.durations);
        let histogram = durations.entry(route).or_default();
        for (within, bound) in histogram.within.iter_mut().zip(BOUNDS) {
            *within += u64::from(seconds <= bound);
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    /// Records the outcome of an invocation, by keys of the catalogue: that of the connector and that of the action.
    pub(crate) fn record_outcome(
        &self,
        (connector, action): (&'static str, &'static str),
        result: &'static str,
        requests: u32,
        tokens: u32,
    ) {
        *lock(&self.outcomes).entry((connector, action, result)).or_default() += 1;
        self.upstream_requests.fetch_add(requests.into(), Ordering::Relaxed);
        self.tokens.fetch_add(tokens.into(), Ordering::Relaxed);
    }

    /// Writes all counters in the text format of Prometheus.
    pub(crate) fn to_text(&self, in_flight: usize) -> String {
        let mut out = String::new();
        write_help(&mut out, "connector_http_requests_total", "counter", "Requests with a response.");
        for ((method, route, status), count) in &*lock(&self.requests) {
            write_sample(
                &mut out,
                "connector_http_requests_total",
                &format!("method=\"{method}\",route=\"{route}\",status=\"{status}\""),
                count,
            );
        }
        write_help(&mut out, "connector_http_request_seconds", "histogram", "Seconds until the head of the response.");
        for (route, histogram) in &*lock(&self.durations) {
            for (within, bound) in histogram.within.iter().zip(BOUNDS) {
                write_sample(&mut out, "connector_http_request_seconds_bucket", &format!("route=\"{route}\",le=\"{bound}\""), within);
            }
            write_sample(&mut out, "connector_http_request_seconds_bucket", &format!("route=\"{route}\",le=\"+Inf\""), histogram.count);
            write_sample(&mut out, "connector_http_request_seconds_sum", &format!("route=\"{route}\""), histogram.sum);
            write_sample(&mut out, "connector_http_request_seconds_count", &format!("route=\"{route}\""), histogram.count);
        }
        write_help(&mut out, "connector_invocations_total", "counter", "Invocations by result: ok, or the kind of error.");
        for ((connector, action, result), count) in &*lock(&self.outcomes) {
            let labels = format!("connector=\"{connector}\",action=\"{action}\",result=\"{result}\"");
            write_sample(&mut out, "connector_invocations_total", &labels, count);
        }
        let single: [(&str, &str, &str, u64); 3] = [
            (
                "connector_upstream_requests_total",
                "counter",
                "Requests sent for invocations.",
                self.upstream_requests.load(Ordering::Relaxed),
            ),
            (
                "connector_upstream_tokens_total",
                "counter",
                "Cost of those requests in tokens of the daily budgets.",
                self.tokens.load(Ordering::Relaxed),
            ),
            ("connector_http_requests_in_flight", "gauge", "Requests in flight.", in_flight as u64),
        ];
        for (name, kind, help, value) in single {
            write_help(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {value}");
        }
        out
    }
}

fn lock<T>(map: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_help(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn write_sample(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_counters_in_the_text_format_of_prometheus() {
        let metrics = Metrics::default();
        metrics.record_request("GET", "/v1/actions", 200, Duration::from_millis(30));
        metrics.record_request("GET", "/v1/actions", 200, Duration::from_mins(1));
        metrics.record_outcome(("vendor", "getDeal"), "ok", 2, 3);
        let text = metrics.to_text(1);
        for line in [
            "connector_http_requests_total{method=\"GET\",route=\"/v1/actions\",status=\"200\"} 2",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.025\"} 0",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.1\"} 1",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"+Inf\"} 2",
            "connector_http_request_seconds_sum{route=\"/v1/actions\"} 60.03",
            "connector_invocations_total{connector=\"vendor\",action=\"getDeal\",result=\"ok\"} 1",
            "connector_upstream_tokens_total 3",
            "connector_http_requests_in_flight 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
        }
    }
}
