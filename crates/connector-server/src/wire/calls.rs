//! Metrics of calls: invocations, and requests that the gateway forwards.
//!
//! Labels are keys of the catalogue, kinds of errors and ids of connections. So the series are bounded: three of results and
//! twelve of durations for each action that was called, and those of the connections of which budgets were told last.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connector_core::embed::EndedCall;
use connector_core::run::Budget;

use crate::wire::exposition::{Histogram, write_help, write_sample};

/// The connections of which budgets are shown. Of more, those whose budget was told longest ago are left out.
const MOST_BUDGETS: usize = 256;

/// The `action` of requests that the gateway forwards.
const GATEWAY: &str = "gateway";

/// The metrics of all calls of this process.
#[derive(Debug, Default)]
pub(crate) struct CallMetrics(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    actions: BTreeMap<(&'static str, &'static str), ActionCounts>,
    queues: BTreeMap<&'static str, Histogram>,
    budgets: BTreeMap<(&'static str, String), ToldBudget>,
    /// The number of budgets that were told so far.
    told: u64,
}

/// The counts of one action, or of the gateway.
#[derive(Debug, Default)]
struct ActionCounts {
    results: BTreeMap<&'static str, u64>,
    seconds: Histogram,
    requests: u64,
    tokens: u64,
    retries: u64,
    queued: Duration,
}

/// A counter of each action: its name, its help, and how it is read.
type Counter = (&'static str, &'static str, fn(&ActionCounts) -> f64);

/// A budget, as it was told last.
#[derive(Debug)]
struct ToldBudget {
    budget: Budget,
    /// The number of budgets that were told before.
    at: u64,
}

impl CallMetrics {
    /// Counts a call that ended.
    pub(crate) fn record(&self, call: &EndedCall<'_>) {
        let connector = call.connector.unwrap_or("unknown");
        let action = call.action.unwrap_or(if call.request.is_some() { GATEWAY } else { "unknown" });
        let queued = Duration::from_millis(call.meta.queued_ms);
        let mut state = self.lock();
        let counts = state.actions.entry((connector, action)).or_default();
        *counts.results.entry(name_result(call)).or_default() += 1;
        counts.seconds.record(call.took);
        counts.requests += u64::from(call.meta.requests);
        counts.tokens += u64::from(call.meta.tokens);
        counts.retries += u64::from(call.retries);
        counts.queued += queued;
        if call.meta.requests > 0 || !queued.is_zero() {
            state.queues.entry(connector).or_default().record(queued);
        }
        if let (Some(budget), Some(connection)) = (call.meta.budget, call.connection.filter(|connection| !connection.id.is_empty())) {
            state.keep_budget(connector, &connection.id, budget);
        }
    }

    /// Writes all metrics in the text format of Prometheus.
    pub(crate) fn write(&self, out: &mut String) {
        let state = self.lock();
        write_help(out, "connector_invocations_total", "counter", "Invocations, and requests of the gateway, by result.");
        for ((connector, action), counts) in &state.actions {
            for (result, count) in &counts.results {
                let labels = format!("connector=\"{connector}\",action=\"{action}\",result=\"{result}\"");
                write_sample(out, "connector_invocations_total", &labels, count);
            }
        }
        write_help(out, "connector_invocation_seconds", "histogram", "Seconds that a call took, with its waits.");
        for ((connector, action), counts) in &state.actions {
            let labels = format!("connector=\"{connector}\",action=\"{action}\"");
            counts.seconds.write(out, "connector_invocation_seconds", &labels);
        }
        let counters: [Counter; 4] = [
            ("connector_upstream_requests_total", "Requests sent to the vendor.", |counts| to_number(counts.requests)),
            ("connector_upstream_tokens_total", "Cost of those requests in tokens of the daily budgets.", |counts| {
                to_number(counts.tokens)
            }),
            ("connector_retries_total", "Requests sent again after a failure.", |counts| to_number(counts.retries)),
            ("connector_queued_seconds_total", "Seconds that requests waited for a limit.", |counts| counts.queued.as_secs_f64()),
        ];
        for (name, help, read) in counters {
            write_help(out, name, "counter", help);
            for ((connector, action), counts) in &state.actions {
                write_sample(out, name, &format!("connector=\"{connector}\",action=\"{action}\""), read(counts));
            }
        }
        write_help(out, "connector_queue_seconds", "histogram", "Seconds that the requests of a call waited for a limit.");
        for (connector, queue) in &state.queues {
            queue.write(out, "connector_queue_seconds", &format!("connector=\"{connector}\""));
        }
        state.write_budgets(out);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a budget in the place of the one that was told before, or of the one that was told longest ago.
    fn keep_budget(&mut self, connector: &'static str, connection: &str, budget: Budget) {
        self.told += 1;
        let at = self.told;
        let key = (connector, connection.to_owned());
        if !self.budgets.contains_key(&key) && self.budgets.len() >= MOST_BUDGETS {
            let oldest = self.budgets.iter().min_by_key(|(_, told)| told.at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.budgets.remove(&oldest));
        }
        self.budgets.insert(key, ToldBudget { budget, at });
    }

    fn write_budgets(&self, out: &mut String) {
        let label = |(connector, connection): &(&str, String)| format!("connector=\"{connector}\",connection=\"{connection}\"");
        write_help(out, "connector_budget_left_tokens", "gauge", "Tokens left of the daily budget, as the vendor told it last.");
        for (key, ToldBudget { budget, .. }) in &self.budgets {
            write_sample(out, "connector_budget_left_tokens", &label(key), budget.left);
        }
        write_help(out, "connector_budget_limit_tokens", "gauge", "Tokens of the daily budget.");
        for (key, ToldBudget { budget, .. }) in &self.budgets {
            if let Some(limit) = budget.limit {
                write_sample(out, "connector_budget_limit_tokens", &label(key), limit);
            }
        }
    }
}

/// Names the result of a call. The gateway passes refusals on as they are, so they are counted by their status.
fn name_result(call: &EndedCall<'_>) -> &'static str {
    match (call.kind, call.meta.status) {
        (None, Some(429)) => "http_429",
        (None, Some(400..=499)) => "http_4xx",
        (None, Some(500..)) => "http_5xx",
        _ => call.result(),
    }
}

/// Turns a count into the number that is written. Beyond 2^53 it loses its last digits.
#[expect(clippy::cast_precision_loss)]
fn to_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use connector_core::ErrorKind;
    use connector_core::embed::Connection;
    use connector_core::run::Meta;

    use super::*;

    fn write(metrics: &CallMetrics) -> String {
        let mut out = String::new();
        metrics.write(&mut out);
        out
    }

    #[test]
    fn calls_are_counted_by_connector_action_and_result() {
        let metrics = CallMetrics::default();
        let mut meta = Meta::default();
        (meta.requests, meta.tokens, meta.queued_ms) = (2, 3, 1500);
        for kind in [None, None, Some(ErrorKind::RateLimited)] {
            let mut call = EndedCall::new(kind, &meta);
            (call.connector, call.action, call.retries, call.took) = (Some("vendor"), Some("getDeal"), 1, Duration::from_millis(30));
            metrics.record(&call);
        }
        metrics.record(&EndedCall::new(Some(ErrorKind::InvalidInvocation), &Meta::default()));
        let text = write(&metrics);
        for line in [
            "connector_invocations_total{connector=\"vendor\",action=\"getDeal\",result=\"ok\"} 2",
            "connector_invocations_total{connector=\"vendor\",action=\"getDeal\",result=\"rate_limited\"} 1",
            "connector_invocations_total{connector=\"unknown\",action=\"unknown\",result=\"invalid_invocation\"} 1",
            "connector_invocation_seconds_bucket{connector=\"vendor\",action=\"getDeal\",le=\"0.025\"} 0",
            "connector_invocation_seconds_bucket{connector=\"vendor\",action=\"getDeal\",le=\"0.1\"} 3",
            "connector_upstream_requests_total{connector=\"vendor\",action=\"getDeal\"} 6",
            "connector_upstream_tokens_total{connector=\"vendor\",action=\"getDeal\"} 9",
            "connector_retries_total{connector=\"vendor\",action=\"getDeal\"} 3",
            "connector_queued_seconds_total{connector=\"vendor\",action=\"getDeal\"} 4.5",
            "connector_queue_seconds_bucket{connector=\"vendor\",le=\"1\"} 0",
            "connector_queue_seconds_bucket{connector=\"vendor\",le=\"2.5\"} 3",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
        }
    }

    #[test]
    fn budgets_are_shown_of_a_bounded_number_of_connections() {
        let metrics = CallMetrics::default();
        for number in 0..MOST_BUDGETS as u64 + 2 {
            let mut meta = Meta::default();
            meta.budget = Some(Budget::new(number, Some(1000)));
            let mut connection = Connection::new("a name", "https://acme.example");
            connection.id = format!("c{number}");
            let mut call = EndedCall::new(None, &meta);
            (call.connector, call.connection) = (Some("vendor"), Some(&connection));
            metrics.record(&call);
        }
        let text = write(&metrics);
        assert_eq!(text.matches("connector_budget_left_tokens{").count(), MOST_BUDGETS, "{text}");
        assert!(text.contains("connector_budget_left_tokens{connector=\"vendor\",connection=\"c257\"} 257"), "{text}");
        assert!(text.contains("connector_budget_limit_tokens{connector=\"vendor\",connection=\"c257\"} 1000"), "{text}");
        assert!(!text.contains("\"c0\"") && !text.contains("\"c1\"") && !text.contains("a name"), "{text}");
    }
}
