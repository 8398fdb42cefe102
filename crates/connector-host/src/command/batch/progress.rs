//! The progress of a batch, as a line on a terminal.

use std::fs::File;
use std::io::{IsTerminal, Seek};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use connector_core::run::Meta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The time for which a batch shows nothing.
const QUIET: Duration = Duration::from_secs(1);

/// The time between two pictures.
const FRAME: Duration = Duration::from_millis(200);

/// The progress of a batch.
pub(super) struct Progress {
    /// The line on the terminal, if stderr is one.
    bar: Option<Bar>,
    counts: Counts,
}

struct Bar {
    bar: ProgressBar,
    frames: tokio::time::Interval,
    began: Instant,
    is_shown: bool,
    /// `true` if outcomes are written to a terminal too.
    shares_terminal: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// The outcomes of all runs, and those that are not ok.
    done: u64,
    failed: u64,
    /// The outcomes of this run.
    done_now: u64,
    tokens: u64,
    tokens_left: Option<u64>,
    /// The bytes of the input, if it is a file.
    size: Option<u64>,
    /// Those up to the last line that was taken, and up to the first.
    read: u64,
    first: Option<u64>,
}

impl Progress {
    /// Begins with the outcomes of earlier runs.
    pub(super) fn begin(done: u64, failed: u64) -> Self {
        let counts = Counts { done, failed, size: measure_stdin(), ..Counts::default() };
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(counts.size, ProgressDrawTarget::hidden());
            let template = if counts.size.is_some() { "[{bar:20}] {percent:>3} %  {msg}" } else { "{msg}" };
            let style = ProgressStyle::with_template(template).expect("the template is a constant");
            // Other letters would be counted by their bytes, and the line above be wiped.
            bar.set_style(style.progress_chars("#>-"));
            let mut frames = tokio::time::interval(FRAME);
            frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            Bar { bar, frames, began: Instant::now(), is_shown: false, shares_terminal: std::io::stdout().is_terminal() }
        });
        Self { bar, counts }
    }

    /// Records the byte of the input up to which lines were taken.
    pub(super) fn record_read(&mut self, end: u64) {
        self.counts.first.get_or_insert(end);
        self.counts.read = end;
    }

    /// Records an outcome of this run.
    pub(super) fn record_outcome(&mut self, is_ok: bool, meta: &Meta) {
        let counts = &mut self.counts;
        counts.done += 1;
        counts.done_now += 1;
        counts.failed += u64::from(!is_ok);
        counts.tokens += u64::from(meta.tokens);
        counts.tokens_left = meta.budget.map(|budget| budget.left).or(counts.tokens_left);
    }

    /// Waits until the next picture is due. Without a terminal, none ever is.
    pub(super) async fn wait_for_frame(&mut self) {
        match &mut self.bar {
            Some(bar) => drop(bar.frames.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Shows the progress, once the batch has taken a while.
    pub(super) fn draw(&mut self) {
        let Some(bar) = &mut self.bar else { return };
        let elapsed = bar.began.elapsed();
        if elapsed < QUIET {
            return;
        }
        if !bar.is_shown {
            bar.is_shown = true;
            bar.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.bar.set_position(self.counts.read);
        bar.bar.set_message(self.counts.describe(elapsed));
    }

    /// Runs work that writes an outcome. The line makes way where it is on the same terminal.
    pub(super) fn beside_outcome<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) if bar.is_shown && bar.shares_terminal => bar.bar.suspend(work),
            _ => work(),
        }
    }

    /// Runs work that writes a message to stderr. The line makes way for it.
    pub(super) fn beside_message<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) if bar.is_shown => bar.bar.suspend(work),
            _ => work(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.bar.finish_and_clear();
        }
    }
}

impl Counts {
    fn describe(&self, elapsed: Duration) -> String {
        let Self { done, failed, done_now, tokens, .. } = self;
        let seconds = elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown in few digits")]
        let rate = *done_now as f64 / seconds;
        let rate = if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") };
        let mut text = format!("{done} done, {failed} failed, {rate}, {tokens} tokens spent");
        if let Some(left) = self.tokens_left {
            text += &format!(", {left} left");
        }
        if let Some(left) = self.estimate_left(seconds) {
            text += &format!(", {}:{:02} to go", left / 60, left % 60);
        }
        text
    }

    /// Estimates the seconds that are left, by the part of the input that was read in this run.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is an estimate")]
    fn estimate_left(&self, seconds: f64) -> Option<u64> {
        let (size, first) = (self.size?, self.first?);
        let read = self.read.saturating_sub(first);
        (read > 0 && self.done_now > 0).then(|| (size.saturating_sub(self.read) as f64 * seconds / read as f64).round() as u64)
    }
}

/// Measures what is to come on stdin, if it is a file.
fn measure_stdin() -> Option<u64> {
    let mut file = File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?);
    let facts = file.metadata().ok()?;
    let from = facts.is_file().then(|| file.stream_position())?.ok()?;
    Some(facts.len().saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_what_is_done_and_what_is_left() {
        let mut counts = Counts { done: 130, failed: 2, done_now: 30, tokens: 300, ..Counts::default() };
        assert_eq!(counts.describe(Duration::from_secs(20)), "130 done, 2 failed, 1.5/s, 300 tokens spent");
        counts.tokens_left = Some(700);
        (counts.size, counts.first, counts.read) = (Some(10_000), Some(1000), 2000);
        assert_eq!(counts.describe(Duration::from_secs(10)), "130 done, 2 failed, 3.0/s, 300 tokens spent, 700 left, 1:20 to go");
        counts.done_now = 900;
        assert!(counts.describe(Duration::from_secs(10)).contains(" 90/s,"));
    }
}
