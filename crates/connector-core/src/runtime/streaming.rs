//! Lists that stream: records are given as pages arrive, while one page more is read ahead.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use tokio::task::{JoinError, JoinHandle};

use crate::exchange::plan::Plan;
use crate::runtime::call::Call;
use crate::runtime::catalogue::Entry;
use crate::runtime::deadline::Deadline;
use crate::runtime::pages::PageWalk;
use crate::value::error::{Error, ErrorKind};
use crate::value::outcome::{Answer, Outcome, Page};
use crate::value::raw_json::RawJson;
use crate::value::summary::Summary;

/// The work of a stream, which ends in an outcome without data.
pub(super) type StreamWork = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A list that is read while its records are given: first the records, then the summary.
///
/// While the records of a page are given, a task reads the page after it, and no more than that: who reads slowly holds the
/// vendor back. Nothing is sent before the stream is polled, and dropping it ends the task.
///
/// Memory stays flat, whatever the length of the list, but for the IDs, by which records that come again are left out: whole
/// numbers are kept as ranges, of 30 bytes at the most, and of a text its hash of 128 bits, of 20 to 40.
pub struct RecordStream {
    work: Work,
    outlet: Arc<Outlet>,
    /// The records of the page that is given.
    ready: VecDeque<RawJson>,
    /// The outcome of the work, until the summary is given.
    outcome: Option<Outcome>,
}

/// The work of a stream: it waits for the first poll, runs, or has ended.
enum Work {
    Waiting(StreamWork),
    Running(JoinHandle<Outcome>),
    Ended,
}

/// A part of a stream of records.
#[derive(Debug)]
#[non_exhaustive]
pub enum Streamed {
    /// A record, as it stands in the data of an outcome.
    ///
    /// It shares the memory of its page: copy its text to keep it for long.
    Record(RawJson),
    /// The summary, which comes last.
    Summary(Box<Summary>),
}

/// The place between the work of a stream and who takes its records. It holds one page.
#[derive(Default)]
pub(super) struct Outlet(Mutex<OutletState>);

#[derive(Default)]
struct OutletState {
    /// The page that was read and is not taken yet, and how far the list comes with it.
    page: Option<(Vec<RawJson>, Page)>,
    /// The point up to which the list was taken.
    taken: Page,
    /// The error with which the work is to end.
    stop: Option<Error>,
    /// `true` if a page was read that is not given any more.
    has_discarded: bool,
    /// Wakes who waits for a page.
    taker: Option<Waker>,
    /// Wakes the work.
    worker: Option<Waker>,
}

impl Streamed {
    /// Writes the record or the summary as a line of JSON.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        match self {
            Self::Record(record) => out.extend_from_slice(record.as_bytes()),
            Self::Summary(summary) => out.extend_from_slice(&summary.to_json()),
        }
        out.push(b'\n');
    }
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

impl RecordStream {
    pub(super) fn new(outlet: Arc<Outlet>, work: StreamWork) -> Self {
        Self { work: Work::Waiting(work), outlet, ready: VecDeque::new(), outcome: None }
    }

    /// Returns the next record, at last the summary, and nothing after that.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Streamed> {
        poll_fn(|context| self.poll_one(context)).await
    }

    /// Counts the records of the page at hand, which `next` returns without waiting.
    pub fn count_ready(&self) -> usize {
        self.ready.len()
    }

    /// Ends the stream with an error. The records of the page at hand are still given, and then the summary.
    pub fn stop(&mut self, error: Error) {
        let mut state = self.outlet.lock();
        state.has_discarded |= state.page.take().is_some();
        state.stop = Some(error);
        state.worker.iter().for_each(Waker::wake_by_ref);
    }

    fn poll_one(&mut self, context: &mut Context<'_>) -> Poll<Option<Streamed>> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Poll::Ready(Some(Streamed::Record(record)));
            }
            if let Some(records) = self.outlet.take(context) {
                self.ready = records.into();
                if matches!(self.work, Work::Running(_)) {
                    // The request for the page after this one goes out before the first record is given.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                continue;
            }
            ready!(self.poll_work(context));
            if self.outlet.lock().page.is_none() {
                return Poll::Ready(self.take_summary());
            }
        }
    }

    /// Waits for the end of the work. The first poll begins it.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.work = match std::mem::replace(&mut self.work, Work::Ended) {
            Work::Waiting(work) => Work::Running(tokio::spawn(work)),
            other => other,
        };
        if let Work::Running(task) = &mut self.work {
            let ended = ready!(Pin::new(task).poll(context));
            self.outcome = Some(ended.unwrap_or_else(explain_lost_task));
            self.work = Work::Ended;
        }
        Poll::Ready(())
    }

    fn take_summary(&mut self) -> Option<Streamed> {
        let mut outcome = self.outcome.take()?;
        let mut state = self.outlet.lock();
        if let (true, Some(error)) = (state.has_discarded, state.stop.take()) {
            // All pages were read when the stream was stopped.
            outcome.result = Err(error);
        }
        Some(Streamed::Summary(Box::new(Summary::new(outcome, state.taken.clone()))))
    }
}

/// The stream of a call that was refused before it began. It has a summary alone.
impl From<Outcome> for RecordStream {
    fn from(refused: Outcome) -> Self {
        Self { work: Work::Ended, outlet: Arc::default(), ready: VecDeque::new(), outcome: Some(refused) }
    }
}

impl Drop for RecordStream {
    fn drop(&mut self) {
        if let Work::Running(task) = &self.work {
            task.abort();
        }
    }
}

/// Explains the end of a task that has no outcome. A panic goes on where the stream is polled.
fn explain_lost_task(error: JoinError) -> Outcome {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Outcome::from_error(Error::new(ErrorKind::Cancelled, "The program stopped while the list was read.")),
    }
}

impl Stream for RecordStream {
    type Item = Streamed;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Streamed>> {
        self.get_mut().poll_one(context)
    }
}

impl Outlet {
    /// Carries out work until it ends, or the stream is stopped.
    pub(super) async fn run<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut work = pin!(work);
        poll_fn(|context| {
            let stop = {
                let mut state = self.lock();
                state.worker = Some(context.waker().clone());
                state.stop.take()
            };
            stop.map_or_else(|| work.as_mut().poll(context), |error| Poll::Ready(Err(error)))
        })
        .await
    }

    /// Puts a page in place. `reached` is the point up to which the list comes with it.
    fn put(&self, records: Vec<RawJson>, reached: Page) {
        let taker = {
            let mut state = self.lock();
            state.page = Some((records, reached));
            state.taker.take()
        };
        taker.into_iter().for_each(Waker::wake);
    }

    /// Takes the page that is in place, or has the taker woken once there is one.
    fn take(&self, context: &Context<'_>) -> Option<Vec<RawJson>> {
        let mut state = self.lock();
        let Some((records, reached)) = state.page.take() else {
            state.taker = Some(context.waker().clone());
            return None;
        };
        state.taken = reached;
        state.worker.iter().for_each(Waker::wake_by_ref);
        Some(records)
    }

    /// Waits until the page is taken. Who takes it wakes the work.
    async fn wait_until_taken(&self) {
        poll_fn(|_| if self.lock().page.is_none() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn lock(&self) -> MutexGuard<'_, OutletState> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a list page after page, and puts each into the outlet. The answer has no data.
pub(super) async fn stream_all_pages(
    entry: &Entry,
    call: &Call<'_>,
    max_items: Option<u64>,
    deadline: &Deadline<'_>,
    flat: Option<&Plan>,
    outlet: &Outlet,
) -> Result<Answer, Error> {
    let mut walk = PageWalk::new(entry, call, max_items);
    // If the first page fails, the list begins again where it began.
    outlet.lock().taken.next = walk.cursor().map(str::to_owned);
    let mut given = GivenPages { flat, outlet, count: 0, left_out: Vec::new() };
    let result = deadline.enforce(given.give(&mut walk)).await;
    given.warn_of_what_is_left_out(call);
    walk.warn_of_gaps_and_doubles();
    result.map_err(|error| walk.explain_where(error, "were given"))
}

/// The pages that a stream gave so far.
struct GivenPages<'a> {
    flat: Option<&'a Plan>,
    outlet: &'a Outlet,
    /// The number of records.
    count: u64,
    /// The names of members beside the records, which a stream leaves out.
    left_out: Vec<String>,
}

impl GivenPages<'_> {
    async fn give(&mut self, walk: &mut PageWalk<'_>) -> Result<Answer, Error> {
        loop {
            let left = walk.count_left();
            let (answer, page) = walk.read_page(left).await?;
            self.note_left_out(&answer);
            let records = walk.seen.add(&answer.data, left);
            let Some(page) = page else {
                // A dry run gives the request of the first page.
                self.outlet.put(records.share(&answer.data), Page::default());
                return Ok(answer_without_data(Page::default()));
            };
            let given = match self.flat {
                Some(plan) => records.flatten(&answer.data, plan),
                None => records.share(&answer.data),
            };
            let end = walk.step(&records, page);
            drop(answer);
            self.count += given.len() as u64;
            let reached = match &end {
                Some(end) => Page { count: self.count, ..end.clone() },
                None => Page { count: self.count, next: walk.cursor().map(str::to_owned), ..Page::default() },
            };
            self.outlet.put(given, reached.clone());
            if end.is_some() {
                return Ok(answer_without_data(reached));
            }
            self.outlet.wait_until_taken().await;
        }
    }

    /// Notes what a page has beside its records.
    fn note_left_out(&mut self, answer: &Answer) {
        for (name, _) in &answer.extra {
            if !self.left_out.contains(name) {
                self.left_out.push(name.clone());
            }
        }
    }

    fn warn_of_what_is_left_out(&self, call: &Call<'_>) {
        if !self.left_out.is_empty() {
            let names = self.left_out.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            call.warn(format!("A stream gives records alone. The answers have {names} beside them: single pages show it."));
        }
    }
}

fn answer_without_data(page: Page) -> Answer {
    Answer { page: Some(page), ..Answer::new(RawJson::null()) }
}
