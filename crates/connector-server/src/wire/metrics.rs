//! Counters in the text format of Prometheus. No label holds an owner, or a value that a caller chooses.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connector_connections::RefreshCount;

use crate::wire::calls::CallMetrics;
use crate::wire::exposition::{Histogram, write_help, write_sample};

/// The counters of this process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<&'static str, Histogram>>,
    pub(crate) calls: CallMetrics,
}

impl Metrics {
    /// Records a request and its response.
    pub(crate) fn record_request(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        *lock(&self.requests).entry((method, route, status)).or_default() += 1;
        lock(&self.durations).entry(route).or_default().record(took);
    }

    /// Writes all counters in the text format of Prometheus.
    pub(crate) fn to_text(&self, in_flight: usize, refreshes: &[RefreshCount]) -> String {
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
            histogram.write(&mut out, "connector_http_request_seconds", &format!("route=\"{route}\""));
        }
        write_help(&mut out, "connector_http_requests_in_flight", "gauge", "Requests in flight.");
        write_sample(&mut out, "connector_http_requests_in_flight", "", in_flight);
        self.calls.write(&mut out);
        write_help(&mut out, "connector_refreshes_total", "counter", "Refreshes of tokens, by result.");
        for refresh in refreshes {
            let labels = format!("connector=\"{}\",result=\"{}\"", refresh.connector, refresh.result);
            write_sample(&mut out, "connector_refreshes_total", &labels, refresh.count);
        }
        out
    }
}

fn lock<T>(map: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_counters_in_the_text_format_of_prometheus() {
        let metrics = Metrics::default();
        metrics.record_request("GET", "/v1/actions", 200, Duration::from_millis(30));
        metrics.record_request("GET", "/v1/actions", 200, Duration::from_mins(1));
        let text = metrics.to_text(1, &[]);
        for line in [
            "connector_http_requests_total{method=\"GET\",route=\"/v1/actions\",status=\"200\"} 2",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.025\"} 0",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"0.1\"} 1",
            "connector_http_request_seconds_bucket{route=\"/v1/actions\",le=\"+Inf\"} 2",
            "connector_http_request_seconds_sum{route=\"/v1/actions\"} 60.03",
            "connector_http_requests_in_flight 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
        }
    }
}
