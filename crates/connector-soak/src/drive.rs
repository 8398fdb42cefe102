//! The jobs that send invocations: many at once, some as streams of lines, and again where it has to be.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use crate::book::{Book, Next};
use crate::client::Wire;
use crate::plan::Plan;
use crate::samples::{Job, Samples};

/// The number of lines that are posted as one stream.
const LINES: usize = 16;

/// The time after which an account that was refused is asked again.
const PAUSE: Duration = Duration::from_millis(1200);

/// The time after which a call without an answer is a broken promise: its own time is far shorter.
const LONGEST: Duration = Duration::from_mins(5);

/// The address of the host, or nothing while it is down.
pub(crate) type Address = watch::Receiver<Option<String>>;

/// The state that all workers share.
pub(crate) struct Drive {
    pub(crate) plan: Plan,
    pub(crate) samples: Samples,
    pub(crate) book: Book,
    pub(crate) key: String,
    next: AtomicU64,
    /// The number of invocations that need no further answer.
    pub(crate) done: AtomicU64,
    /// The number of further copies that are sent beside an invocation.
    twins: AtomicU64,
    /// The number of clients that did not wait for an answer.
    pub(crate) hang_ups: AtomicU64,
    again: Mutex<Again>,
}

#[derive(Default)]
struct Again {
    at_once: VecDeque<Job>,
    later: VecDeque<(Instant, Job)>,
}

impl Drive {
    pub(crate) fn new(plan: Plan, samples: Samples, key: String) -> Self {
        let [next, done, twins, hang_ups] = [const { AtomicU64::new(0) }; 4];
        Self { plan, samples, book: Book::default(), key, next, done, twins, hang_ups, again: Mutex::default() }
    }

    /// Sends invocations until none is left. Every fourth worker posts streams of lines.
    pub(crate) async fn work(self: Arc<Self>, worker: usize, mut address: Address) {
        let most = if worker.is_multiple_of(4) { LINES } else { 1 };
        let mut wire = None;
        loop {
            let jobs = self.take(most);
            if jobs.is_empty() {
                if self.is_finished() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            let mut open = match wire.take() {
                Some(open) => open,
                None => self.open(&mut address).await,
            };
            if self.send(&mut open, jobs).await {
                wire = Some(open);
            }
        }
    }

    /// Takes the next invocations, those that are sent again first.
    fn take(&self, most: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        while jobs.len() < most {
            let is_due = again.later.front().is_some_and(|(at, _)| *at <= Instant::now());
            let job = again.at_once.pop_front().or_else(|| if is_due { again.later.pop_front().map(|(_, job)| job) } else { None });
            let Some(job) = job.or_else(|| self.build_next(&mut again)) else { break };
            jobs.push(job);
        }
        jobs
    }

    fn build_next(&self, again: &mut Again) -> Option<Job> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let job = (number < self.plan.invocations).then(|| self.samples.build_job(&self.plan, number))?;
        if job.has_twin {
            self.twins.fetch_add(1, Ordering::Relaxed);
            again.at_once.push_back(job.clone());
        }
        Some(job)
    }

    fn is_finished(&self) -> bool {
        let all = self.plan.invocations + self.twins.load(Ordering::Relaxed);
        self.next.load(Ordering::Relaxed) >= self.plan.invocations && self.done.load(Ordering::Relaxed) >= all
    }

    /// Opens a connection to the host, as soon as it is up.
    async fn open(&self, address: &mut Address) -> Wire {
        loop {
            let host = address.wait_for(Option::is_some).await.ok().and_then(|host| host.clone()).unwrap_or_default();
            match Wire::open(&host, &self.key).await {
                Ok(wire) => return wire,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Sends invocations, and records their answers. Tells whether the connection can be used again.
    async fn send(&self, wire: &mut Wire, jobs: Vec<Job>) -> bool {
        let mut open = VecDeque::from(jobs);
        open.iter_mut().for_each(|job| job.sends += 1);
        let patience = if let [only] = open.make_contiguous() { only.patience.take() } else { None };
        let sent = tokio::time::timeout(patience.unwrap_or(LONGEST), self.exchange(wire, &mut open)).await;
        let failed = match sent {
            // Dropping the connection is what a client does that hangs up.
            Err(_) if patience.is_some() => {
                self.hang_ups.fetch_add(1, Ordering::Relaxed);
                Some(None)
            }
            Ok(Ok(())) => None,
            // The host was killed, or closed a connection that was idle.
            Ok(Err(error)) if error.kind() != io::ErrorKind::InvalidData => Some(None),
            Ok(Err(error)) => Some(Some(error.to_string())),
            Err(_) => Some(Some(format!("no answer within {} s", LONGEST.as_secs()))),
        };
        let told = failed.clone().flatten();
        if let (Some(told), Some(first)) = (told, open.front()) {
            self.book.entries().report(format!("{}: {told}", first.text));
        }
        for mut job in open {
            let next = self.book.record_loss(&job);
            job.is_lost = true;
            self.follow(job, next);
        }
        failed.is_none()
    }

    /// Posts invocations. Those that were answered are taken from the front.
    async fn exchange(&self, wire: &mut Wire, open: &mut VecDeque<Job>) -> io::Result<()> {
        if open.len() == 1 {
            let text = open[0].text.clone();
            if open[0].streams {
                return self.exchange_records(wire, open, &text).await;
            }
            let reply = wire.post("/v1/invoke", text.as_bytes()).await?;
            if reply.status != 200 {
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("status {}: {body}", reply.status)));
            }
            self.record(open, &reply.body);
            return Ok(());
        }
        let lines: String = open.iter().map(|job| job.text.clone() + "\n").collect();
        wire.post_lines("/v1/invoke", lines.as_bytes(), |line| self.record(open, line)).await
    }

    /// Posts an invocation that is answered by its records, one a line, and a summary that counts them.
    async fn exchange_records(&self, wire: &mut Wire, open: &mut VecDeque<Job>, text: &str) -> io::Result<()> {
        let (mut count, mut last) = (0_u64, Vec::new());
        let take = |line: &[u8]| {
            count += 1;
            last = line.to_vec();
        };
        wire.post_for_lines("/v1/invoke", text.as_bytes(), take).await?;
        let summary = serde_json::from_slice::<Value>(&last).map(|mut last| last["summary"].take()).unwrap_or_default();
        let told = summary["page"]["count"].as_u64();
        if !summary.is_object() || told != count.checked_sub(1) && !(count == 1 && told.is_none()) {
            self.book.entries().report(format!("{text} was answered by {count} lines, and last by {summary:.300}"));
        }
        self.record(open, summary.to_string().as_bytes());
        Ok(())
    }

    fn record(&self, open: &mut VecDeque<Job>, outcome: &[u8]) {
        let Some(mut job) = open.pop_front() else {
            return self.book.entries().report(format!("an outcome that nobody asked for: {}", String::from_utf8_lossy(outcome)));
        };
        match serde_json::from_slice::<Value>(outcome) {
            Ok(outcome) => {
                let next = self.book.record(&job, &outcome);
                job.is_lost = false;
                self.follow(job, next);
            }
            Err(error) => {
                self.book.entries().report(format!("the outcome of {} is not JSON: {error}", job.text));
                self.follow(job, Next::Done);
            }
        }
    }

    fn follow(&self, job: Job, next: Next) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        match next {
            Next::Done => drop(self.done.fetch_add(1, Ordering::Relaxed)),
            Next::AtOnce => again.at_once.push_back(job),
            Next::Later => again.later.push_back((Instant::now() + PAUSE, job)),
        }
    }
}
