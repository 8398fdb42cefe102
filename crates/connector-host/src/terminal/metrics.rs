//! The metrics of a running host, read from the text format of Prometheus.

use std::collections::BTreeMap;

use serde::Serialize;

/// The metrics of a host at one time.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HostMetrics {
    /// The requests of programs in flight.
    pub(crate) in_flight: u64,
    /// The calls by connector and action; `gateway` stands for requests that are forwarded.
    pub(crate) actions: Vec<ActionMetrics>,
    /// The refreshes of tokens.
    pub(crate) refreshes: Vec<RefreshMetrics>,
    /// The daily budgets, as the vendor told them last.
    pub(crate) budgets: Vec<BudgetMetrics>,
}

/// The calls of one action.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionMetrics {
    pub(crate) connector: String,
    pub(crate) action: String,
    pub(crate) calls: u64,
    /// The calls by result: `ok`, or the kind of the error.
    pub(crate) results: BTreeMap<String, u64>,
    /// The mean time of a call.
    pub(crate) mean_ms: f64,
    /// The time within which half of the calls ended, as the buckets of the histogram tell it.
    pub(crate) p50_ms: f64,
    /// The time within which 95 % of the calls ended.
    pub(crate) p95_ms: f64,
    pub(crate) requests: u64,
    pub(crate) tokens: u64,
    pub(crate) retries: u64,
    pub(crate) queued_ms: f64,
    #[serde(skip)]
    seconds: f64,
    #[serde(skip)]
    buckets: Vec<(f64, f64)>,
}

/// The refreshes of tokens of one connector.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct RefreshMetrics {
    pub(crate) connector: String,
    pub(crate) results: BTreeMap<String, u64>,
}

/// The daily budget of the account of a connection.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct BudgetMetrics {
    pub(crate) connector: String,
    /// The id of the connection.
    pub(crate) connection: String,
    pub(crate) left: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
}

impl ActionMetrics {
    /// Counts the calls that did not succeed.
    pub(crate) fn count_failed(&self) -> u64 {
        self.calls - self.results.get("ok").copied().unwrap_or(0)
    }

    /// Names the result that came most often, beside success.
    pub(crate) fn find_most_frequent_failure(&self) -> Option<&str> {
        let failures = self.results.iter().filter(|(result, _)| *result != "ok");
        failures.max_by_key(|(_, count)| **count).map(|(result, _)| result.as_str())
    }

    fn summarize(&mut self) {
        self.calls = self.results.values().sum();
        if self.calls > 0 {
            self.mean_ms = round(self.seconds * 1000.0 / to_number(self.calls));
        }
        self.p50_ms = round(find_quantile(&self.buckets, 0.5) * 1000.0);
        self.p95_ms = round(find_quantile(&self.buckets, 0.95) * 1000.0);
    }
}

impl HostMetrics {
    /// Reads the text of `/metrics`. Samples that are not known are left out.
    pub(crate) fn from_text(text: &str) -> Self {
        let mut read = Self::default();
        for (name, labels, value) in text.lines().filter_map(read_sample) {
            let label = |name: &str| labels.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| *value);
            let key = (label("connector"), label("action"));
            match name {
                "connector_http_requests_in_flight" => read.in_flight = to_count(value),
                "connector_invocations_total" => {
                    read.find_action(key).results.insert(label("result").to_owned(), to_count(value));
                }
                "connector_invocation_seconds_sum" => read.find_action(key).seconds = value,
                "connector_invocation_seconds_bucket" => {
                    let bound = label("le").replace("+Inf", "inf").parse().unwrap_or(f64::INFINITY);
                    read.find_action(key).buckets.push((bound, value));
                }
                "connector_upstream_requests_total" => read.find_action(key).requests = to_count(value),
                "connector_upstream_tokens_total" => read.find_action(key).tokens = to_count(value),
                "connector_retries_total" => read.find_action(key).retries = to_count(value),
                "connector_queued_seconds_total" => read.find_action(key).queued_ms = round(value * 1000.0),
                "connector_refreshes_total" => {
                    let known = find_or_add(&mut read.refreshes, |known| known.connector == key.0);
                    key.0.clone_into(&mut known.connector);
                    known.results.insert(label("result").to_owned(), to_count(value));
                }
                "connector_budget_left_tokens" => read.find_budget((key.0, label("connection"))).left = to_count(value),
                "connector_budget_limit_tokens" => read.find_budget((key.0, label("connection"))).limit = Some(to_count(value)),
                _ => {}
            }
        }
        read.actions.iter_mut().for_each(ActionMetrics::summarize);
        read
    }

    fn find_action(&mut self, (connector, action): (&str, &str)) -> &mut ActionMetrics {
        let found = find_or_add(&mut self.actions, |known| known.connector == connector && known.action == action);
        if found.connector.is_empty() {
            (found.connector, found.action) = (connector.to_owned(), action.to_owned());
        }
        found
    }

    fn find_budget(&mut self, (connector, connection): (&str, &str)) -> &mut BudgetMetrics {
        let found = find_or_add(&mut self.budgets, |known| known.connector == connector && known.connection == connection);
        (found.connector, found.connection) = (connector.to_owned(), connection.to_owned());
        found
    }
}

/// Finds the item that fits, or adds an empty one. Samples of one thing mostly come together.
fn find_or_add<T: Default>(all: &mut Vec<T>, fits: impl Fn(&T) -> bool) -> &mut T {
    let at = all.iter().rposition(fits).unwrap_or_else(|| {
        all.push(T::default());
        all.len() - 1
    });
    &mut all[at]
}

/// The name of a sample, its labels and its value.
type Sample<'a> = (&'a str, Vec<(&'a str, &'a str)>, f64);

/// Reads a line. No label of a host holds a quotation mark or a comma.
fn read_sample(line: &str) -> Option<Sample<'_>> {
    let (sample, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
    let labels = labels.strip_suffix('}')?.split(',').filter_map(|label| label.split_once('='));
    Some((name, labels.map(|(name, value)| (name, value.trim_matches('"'))).collect(), value.parse().ok()?))
}

/// Finds a quantile between the bounds of its bucket, as Prometheus does.
fn find_quantile(buckets: &[(f64, f64)], quantile: f64) -> f64 {
    let wanted = buckets.last().map_or(0.0, |(_, count)| count * quantile);
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= wanted && *count > below {
            return if bound.is_finite() { low + (bound - low) * (wanted - below) / (count - below) } else { low };
        }
        (low, below) = (*bound, *count);
    }
    0.0
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Reads a count, which is written as a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_count(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[expect(clippy::cast_precision_loss)]
fn to_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_text_of_a_host() {
        let text = r#"# HELP connector_invocations_total Invocations.
connector_http_requests_in_flight 2
connector_invocations_total{connector="vendor",action="getDeal",result="not_found"} 1
connector_invocations_total{connector="vendor",action="getDeal",result="ok"} 3
connector_invocation_seconds_bucket{connector="vendor",action="getDeal",le="0.1"} 2
connector_invocation_seconds_bucket{connector="vendor",action="getDeal",le="0.25"} 4
connector_invocation_seconds_bucket{connector="vendor",action="getDeal",le="+Inf"} 4
connector_invocation_seconds_sum{connector="vendor",action="getDeal"} 0.5
connector_upstream_tokens_total{connector="vendor",action="getDeal"} 9
connector_queued_seconds_total{connector="vendor",action="getDeal"} 1.25
connector_refreshes_total{connector="vendor",result="ok"} 7
connector_budget_left_tokens{connector="vendor",connection="c1"} 40
connector_budget_limit_tokens{connector="vendor",connection="c1"} 100
another_metric{a="b"} nonsense
"#;
        let read = HostMetrics::from_text(text);
        let action = &read.actions[0];
        assert_eq!((read.in_flight, read.actions.len(), action.calls, action.count_failed()), (2, 1, 4, 1));
        assert_eq!(action.find_most_frequent_failure(), Some("not_found"));
        assert_eq!((action.mean_ms, action.p50_ms, action.p95_ms), (125.0, 100.0, 235.0));
        assert_eq!((action.tokens, action.queued_ms), (9, 1250.0));
        assert_eq!(read.refreshes[0].results["ok"], 7);
        assert_eq!((read.budgets[0].left, read.budgets[0].limit), (40, Some(100)));
    }

    #[test]
    fn quantile_of_what_never_ran_is_zero() {
        let find = |buckets: &[(f64, f64)]| find_quantile(buckets, 0.5).to_string();
        assert_eq!((find(&[]), find(&[(0.1, 0.0), (f64::INFINITY, 0.0)])), ("0".to_owned(), "0".to_owned()));
        // Beyond the last bound nothing more is known.
        assert_eq!(find(&[(0.1, 0.0), (f64::INFINITY, 3.0)]), "0.1");
    }
}
