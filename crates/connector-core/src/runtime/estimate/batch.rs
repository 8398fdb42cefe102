//! Estimates of batches: what all lines of a file cost together, before one is carried out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::policy::seconds::{estimate_seconds, estimate_waits};
use crate::runtime::estimate::planned::{BatchPlan, BatchSums};
use crate::runtime::lines::Line;
use crate::runtime::spine::Runtime;
use crate::value::error::Error;
use crate::value::estimate::{Cost, CostBound, Estimate};
use crate::value::options::Priority;
use crate::value::outcome::{Answer, Meta, Outcome};
use crate::value::wording::count_of;

/// The most lines that fail of which the estimate says why.
const MOST_FAILURES: usize = 10;

/// The seconds for which the lists that an estimate found kept stay so at least.
const KEPT_FOR: f64 = 55.0 * 60.0;

/// An estimate of what a batch of invocations costs. Its memory does not grow with the number of lines.
///
/// ```
/// use connector_core::run::{BatchEstimate, Lines, Runtime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connector_core::Error> {
/// # let runtime = Runtime::builder().build()?;
/// let text = b"{\"action\": \"getDeal\", \"input\": {\"dealId\": 1}}\n";
/// let mut lines = Lines::new(&text[..], 1 << 20);
/// let batch = BatchEstimate::new(&runtime);
/// while let Some(line) = lines.next().await.expect("memory can be read") {
///     batch.add(line).await;
/// }
/// // No connector is linked here, so that the line fails.
/// assert_eq!(batch.count_failed(), 1);
/// println!("{}", String::from_utf8_lossy(&batch.finish(1).to_json()));
/// # Ok(())
/// # }
/// ```
pub struct BatchEstimate {
    runtime: Runtime,
    plan: Arc<BatchPlan>,
    seen: Arc<SeenLines>,
    began: Instant,
}

/// The lines so far.
#[derive(Default)]
struct SeenLines {
    count: AtomicU64,
    failed: AtomicU64,
    /// The first lines that fail, by their number.
    failures: Mutex<BTreeMap<u64, FailedLine>>,
    /// The requests that were sent for the estimate.
    sent: Mutex<Meta>,
}

/// A line that fails, as the estimate shows it.
#[derive(Clone, Serialize)]
struct FailedLine {
    id: Value,
    action: Option<String>,
    error: Value,
}

/// A line that fails, and its number from 1.
#[derive(Serialize)]
struct NumberedLine<'a> {
    line: u64,
    #[serde(flatten)]
    failed: &'a FailedLine,
}

/// The estimate of a batch, as an outcome shows it.
#[derive(Serialize)]
struct EstimatedBatch<'a> {
    #[serde(flatten)]
    sum: Estimate,
    lines: u64,
    failed: u64,
    connections: Vec<EstimatedConnection<'a>>,
    failures: Vec<NumberedLine<'a>>,
}

/// The part of a batch that is of one connection. Those beyond the most that are told apart have no name.
#[derive(Serialize)]
struct EstimatedConnection<'a> {
    connection: Option<&'a str>,
    requests: u64,
    tokens: u64,
}

impl fmt::Debug for BatchEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchEstimate").field("lines", &self.seen.count).finish_non_exhaustive()
    }
}

impl BatchEstimate {
    /// Begins the estimate of a batch that a runtime would carry out.
    pub fn new(runtime: &Runtime) -> Self {
        Self { runtime: runtime.clone(), plan: Arc::default(), seen: Arc::default(), began: Instant::now() }
    }

    /// Adds a line. Lines may be added at once: their numbers are those of the calls of this function.
    pub fn add(&self, line: Line) -> impl Future<Output = ()> + Send + use<> {
        let (runtime, plan, seen) = (self.runtime.clone(), Arc::clone(&self.plan), Arc::clone(&self.seen));
        let number = seen.count.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let outcome = match line.read(Priority::Batch) {
                Ok(invocation) => runtime.0.invoke(invocation, None, None, Some(&plan)).await,
                Err(refused) => *refused,
            };
            seen.record(number, &outcome);
        }
    }

    /// Counts the lines that fail.
    pub fn count_failed(&self) -> u64 {
        self.seen.failed.load(Ordering::Relaxed)
    }

    /// Ends the estimate. The answer is what the batch costs when so many of its lines run at once.
    pub fn finish(self, jobs: u64) -> Outcome {
        let mut sums = self.plan.sums();
        let all = || sums.costs.values().chain([&sums.others]);
        let cost: Cost = all().map(|known| known.cost).sum();
        // Each connection has limits of its own, and all share what runs at once.
        let waits = all().map(|known| estimate_waits(&known.cost.lanes, &known.paces, jobs)).sum();
        let seconds = all().map(|known| estimate_seconds(&known.cost.lanes, &known.paces, jobs)).fold(waits, f64::max);
        let mut warnings: Vec<String> = sums.doubts.iter().map(|(why, count)| format!("{}: {why}", count_of(*count, "line"))).collect();
        if sums.uses_lists && seconds > KEPT_FOR {
            sums.bound = sums.bound.join(CostBound::Least);
            warnings.push("The lists that the account defines are read again once an hour while the batch runs.".to_owned());
        }
        if sums.refreshes && jobs > 1 {
            sums.bound = sums.bound.join(CostBound::Most);
            warnings.push("Lines that run at once share the lists that they read again.".to_owned());
        }
        let failures = self.seen.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = Answer::from_data(&EstimatedBatch {
            sum: Estimate::new(cost, sums.bound, seconds),
            lines: self.seen.count.load(Ordering::Relaxed),
            failed: self.count_failed(),
            connections: list_connections(&sums),
            failures: failures.iter().map(|(line, failed)| NumberedLine { line: *line, failed }).collect(),
        });
        let mut meta = self.seen.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        meta.elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        meta.warnings = warnings;
        Outcome { id: Value::Null, action: None, connector: None, result: Ok(answer), meta }
    }
}

impl SeenLines {
    fn record(&self, number: u64, outcome: &Outcome) {
        let meta = outcome.meta();
        {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.requests += meta.requests;
            sent.tokens += meta.tokens;
            sent.attempts = if sent.attempts == 0 { meta.attempts } else { sent.attempts + meta.attempts.saturating_sub(1) };
            sent.sandbox |= meta.sandbox;
        }
        if let Some(error) = outcome.error() {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.keep(number, outcome, error);
        }
    }

    /// Keeps a line that fails if it is one of the first.
    fn keep(&self, number: u64, outcome: &Outcome, error: &Error) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let error = serde_json::to_value(error.to_wire()).unwrap_or_default();
        failures.insert(number, FailedLine { id: outcome.id.clone(), action: outcome.action.clone(), error });
        if failures.len() > MOST_FAILURES {
            failures.pop_last();
        }
    }
}

fn list_connections(sums: &BatchSums) -> Vec<EstimatedConnection<'_>> {
    let show = |connection, cost: Cost| EstimatedConnection { connection, requests: cost.requests(), tokens: cost.tokens };
    let named = sums.costs.iter().filter(|(name, _)| !name.is_empty()).map(|(name, cost)| show(Some(name.as_str()), cost.cost));
    let others = (sums.others.cost != Cost::default()).then(|| show(None, sums.others.cost));
    named.chain(others).collect()
}
