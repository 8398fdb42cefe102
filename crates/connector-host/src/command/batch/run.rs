//! The run of a batch: lines in, calls at once, outcomes out, and an orderly end at a signal.

use std::sync::Arc;

use connector_core::declare::Effect;
use connector_core::run::{Invocation, Outcome, Priority, Runtime};
use connector_core::{Error, ErrorKind};
use tokio::io::AsyncBufRead;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::command::batch::chain::Chain;
use crate::command::batch::ending::{BatchEnding, StopReason};
use crate::command::batch::guard::{LineGuard, explain_stop};
use crate::command::batch::history::{History, write_done, write_written};
use crate::command::batch::input::{Input, InputLine, NextInput};
use crate::command::batch::journal::Journal;
use crate::command::batch::progress::Progress;
use crate::command::batch::queue::Queue;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::{Failure, exit_for};
use crate::terminal::stop::StopSignals;
use crate::terminal::{render, stdout};

/// The terms on which a batch is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) jobs: usize,
    pub(super) is_ordered: bool,
    pub(super) is_pretty: bool,
}

/// A batch under way.
pub(super) struct Batch<'a> {
    runtime: &'a Runtime,
    terms: Terms,
    journal: Option<Arc<Journal>>,
    history: History,
    running: JoinSet<CallEnd>,
    queue: Queue<TakenLine>,
    progress: Progress,
    ending: BatchEnding,
    /// `true` until the input has ended.
    is_open: bool,
}

/// A line that was taken.
struct TakenLine {
    /// The number of the line, blank lines counted.
    place: u64,
    chain: Chain,
    /// The guard of its call, if there is one.
    guard: Option<Arc<LineGuard>>,
}

/// The end of a call: its outcome, or the frame of one if it was not sent.
struct CallEnd {
    number: u64,
    end: Result<Outcome, Invocation>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(runtime: &'a Runtime, terms: Terms, journal: Option<Journal>, history: History) -> Self {
        let (done, failed) = (history.done.count(), history.failed);
        let ending = BatchEnding { has_journal: journal.is_some(), done, failed, ..BatchEnding::default() };
        Self {
            runtime,
            terms,
            journal: journal.map(Arc::new),
            history,
            running: JoinSet::new(),
            queue: Queue::new(terms.is_ordered),
            progress: Progress::begin(done, failed),
            ending,
            is_open: true,
        }
    }

    /// Runs to the end of the input, or until it is stopped. Each outcome is written at once.
    pub(super) async fn run<R: AsyncBufRead + Unpin + Send + 'static>(mut self, input: Input<R>) -> Result<BatchEnding, Failure> {
        let mut signals = StopSignals::listen();
        if self.history.done.count() > 0 || !self.history.begun.is_empty() {
            // An output that cannot be written to says so at the first outcome.
            let _ = stdout::end_torn_line();
        }
        let mut received = read_on_a_task(if self.journal.is_some() { input.check_against(&mut self.history) } else { input });
        loop {
            self.write_ready();
            self.heed_journal();
            let takes = self.is_open && !self.is_stopping();
            if self.running.is_empty() && !takes {
                break;
            }
            let has_place = self.running.len() < self.terms.jobs && self.queue.has_room();
            tokio::select! {
                biased;
                () = signals.wait() => {
                    if matches!(self.ending.stop, Some(StopReason::Signal)) {
                        return Ok(self.end_at_once());
                    }
                    self.stop(StopReason::Signal);
                }
                () = self.progress.wait_for_frame() => self.progress.draw(),
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                    let ended = ended.map_err(|error| Failure::host(format!("an invocation ended without an outcome: {error}")))?;
                    self.end(ended);
                }
                next = received.recv(), if takes && has_place => self.take_next(next),
            }
        }
        // A key whose call was not sent is free again.
        tokio::select! {
            () = self.runtime.wait_until_idle() => {}
            () = signals.wait() => {}
        }
        if !self.is_open && self.ending.unsent.is_empty() && matches!(self.ending.stop, Some(StopReason::Signal)) {
            self.ending.stop = None;
        }
        Ok(self.ending)
    }

    fn is_stopping(&self) -> bool {
        self.ending.stop.is_some() || self.ending.failure.is_some()
    }

    fn take_next(&mut self, next: Option<Result<NextInput, Failure>>) {
        match next {
            Some(Ok(NextInput::Line(line))) => return self.take(line),
            Some(Ok(NextInput::CutOff(place))) => self.ending.cut_off = Some(place),
            Some(Ok(NextInput::End)) | None => {}
            Some(Err(failure)) => {
                self.ending.failure = Some(failure);
                return self.cut_waiting();
            }
        }
        self.is_open = false;
        // Outcomes of lines beyond the end of an input that is shorter than it was.
        for (number, pending) in std::mem::take(&mut self.history.pending) {
            self.queue.take(number, TakenLine { place: number, chain: Chain::default(), guard: None });
            self.queue.end(number, Some(pending));
        }
    }

    /// Takes a line, and begins to carry it out.
    fn take(&mut self, line: InputLine) {
        let InputLine { number, line, place, chain } = line;
        self.ending.last_taken = place.number;
        self.progress.record_read(place.end);
        let mut taken = TakenLine { place: place.number, chain, guard: None };
        if let Some(pending) = self.history.pending.remove(&number) {
            self.queue.take(number, taken);
            return self.queue.end(number, Some(pending));
        }
        let was_begun = self.history.begun.remove(&number).is_some();
        let refused = match line.read(Priority::Batch) {
            Ok(invocation) if was_begun => invocation.refuse(explain_lost()),
            Ok(invocation) => {
                let guard = Arc::new(self.build_guard(&invocation, number, chain));
                taken.guard = Some(Arc::clone(&guard));
                self.queue.take(number, taken);
                return self.spawn(number, invocation, guard);
            }
            Err(refused) => *refused,
        };
        self.runtime.record_refused(&refused);
        self.queue.take(number, taken);
        self.end(CallEnd { number, end: Ok(refused) });
    }

    /// Builds the guard of a line. A write without a key is journaled before it is sent; the ledger has the others.
    fn build_guard(&self, invocation: &Invocation, number: u64, chain: Chain) -> LineGuard {
        let entry = self.runtime.catalogue().find(invocation.connector.as_deref(), &invocation.action);
        let guard = LineGuard::new(entry.is_ok_and(|entry| entry.effect() != Effect::Read));
        match &self.journal {
            Some(journal) if invocation.options.idempotency_key.is_none() => guard.with_entry(Arc::clone(journal), number, chain),
            _ => guard,
        }
    }

    fn spawn(&mut self, number: u64, invocation: Invocation, guard: Arc<LineGuard>) {
        let frame = Invocation::new(invocation.action.clone()).id(invocation.id.clone());
        let call = self.runtime.invoke(invocation.guarded_by(Arc::<LineGuard>::clone(&guard)));
        self.running.spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = call => Some(outcome),
                () = guard.wait_for_cut() => None,
            };
            let is_refused = |outcome: &Outcome| outcome.error().is_some_and(|error| error.kind() == ErrorKind::Cancelled);
            let end = outcome.filter(|outcome| !(guard.is_cut() && is_refused(outcome))).ok_or(frame);
            CallEnd { number, end }
        });
    }

    /// Ends a line. Its outcome is in the journal before it is on stdout.
    fn end(&mut self, ended: CallEnd) {
        let CallEnd { number, end } = ended;
        let Some(line) = self.queue.find(number) else { return };
        let outcome = match end {
            Ok(outcome) => outcome,
            Err(frame) => {
                self.ending.unsent.push(line.place);
                if let Some(guard) = &line.guard {
                    guard.take_back();
                }
                if self.journal.is_some() || matches!(self.ending.stop, Some(StopReason::Output(_))) {
                    return self.queue.end(number, None);
                }
                frame.refuse(explain_stop())
            }
        };
        let (is_ok, text) = (outcome.is_ok(), outcome.to_json());
        if let Some(journal) = &self.journal {
            // A journal that failed ends the batch in order: this outcome still goes to stdout.
            let _ = journal.append(&write_done(number, line.chain, is_ok, &text));
        }
        self.ending.done += 1;
        self.ending.failed += u64::from(!is_ok);
        self.ending.has_host_failed |= exit_for(outcome.error()) == Exit::Host;
        self.progress.record_outcome(is_ok, outcome.meta());
        self.queue.end(number, Some(text));
    }

    /// Writes the outcomes whose turn it is.
    fn write_ready(&mut self) {
        while let Some((number, line, outcome)) = self.queue.next() {
            let Some(outcome) = outcome else { continue };
            if matches!(self.ending.stop, Some(StopReason::Output(_))) {
                self.ending.lost.push(line.place);
                continue;
            }
            let mut text = if self.terms.is_pretty { render::indent(&outcome) } else { outcome };
            text.push(b'\n');
            match self.progress.beside_outcome(|| stdout::try_write(&text)) {
                Ok(()) => {
                    self.ending.written += 1;
                    if let Some(journal) = &self.journal {
                        let _ = journal.append(&write_written(number));
                    }
                }
                Err(error) => {
                    self.ending.lost.push(line.place);
                    self.stop(StopReason::Output(error));
                }
            }
        }
    }

    /// Stops to take lines. Those that were sent have an outcome yet, the others are ended.
    ///
    /// At a signal, a line that waits is sent after all if one behind it was: the outputs of all runs stay in order.
    fn stop(&mut self, reason: StopReason) {
        if matches!(reason, StopReason::Signal) && self.terms.is_ordered {
            let is_waiting = |line: &TakenLine| line.guard.as_ref().is_some_and(|guard| guard.is_waiting());
            self.queue.rest(is_waiting).filter_map(|line| line.guard.as_ref()).for_each(|guard| guard.cut());
        } else {
            self.cut_waiting();
        }
        if matches!(reason, StopReason::Signal) {
            let count = self.queue.open().filter(|line| line.guard.as_ref().is_some_and(|guard| !guard.is_cut())).count();
            if count > 0 {
                let lines = if count == 1 {
                    "1 line that was sent has its outcome".to_owned()
                } else {
                    format!("{count} lines that were sent have their outcome")
                };
                self.progress.beside_message(|| render::say(&format!("Stopping, once {lines}. Ctrl-C again ends at once.")));
            }
        }
        self.ending.stop = Some(reason);
    }

    fn cut_waiting(&self) {
        self.queue.open().filter_map(|line| line.guard.as_ref()).for_each(|guard| guard.cut());
    }

    /// Stops if the journal has failed.
    fn heed_journal(&mut self) {
        let failure = self.journal.as_ref().and_then(|journal| journal.find_failure());
        if let Some(failure) = failure.filter(|_| self.ending.failure.is_none()) {
            self.ending.failure = Some(failure);
            self.cut_waiting();
        }
    }

    /// Ends with what is there: a person does not want to wait.
    fn end_at_once(mut self) -> BatchEnding {
        self.ending.open = self.queue.open().map(|line| line.place).collect();
        self.ending
    }
}

/// Reads the input on a task of its own: a read that is dropped loses half a line.
fn read_on_a_task<R: AsyncBufRead + Unpin + Send + 'static>(mut input: Input<R>) -> mpsc::Receiver<Result<NextInput, Failure>> {
    let (sender, received) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let next = input.next().await;
            let is_last = !matches!(next, Ok(NextInput::Line(_)));
            if sender.send(next).await.is_err() || is_last {
                return;
            }
        }
    });
    received
}

/// Explains why a line that was begun is not sent again.
fn explain_lost() -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "An earlier run of this batch began to send this line, and its outcome is lost.").with_hint(
        "It may have been carried out, and nothing was sent now. Look before you repeat it. A line with an idempotency key can be sent again.",
    )
}
