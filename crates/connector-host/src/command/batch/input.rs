//! The lines of stdin, held against what the journal has of them before any is sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;

use connector_core::run::{Line, LinePlace, Lines};
use serde::de::IgnoredAny;
use tokio::io::AsyncBufRead;

use crate::command::batch::chain::Chain;
use crate::command::batch::history::{History, LineRanges};
use crate::terminal::failure::Failure;

/// A line of the input that may have to be carried out.
#[derive(Debug)]
pub(super) struct InputLine {
    /// The number of the line, from 1. Blank lines do not count, so that lines in order have numbers in order.
    pub(super) number: u64,
    pub(super) line: Line,
    pub(super) place: LinePlace,
    pub(super) chain: Chain,
}

/// The next thing that the input gives.
#[derive(Debug)]
pub(super) enum NextInput {
    Line(InputLine),
    /// The input ends in the midst of a line, the number of which is this, blank lines counted.
    CutOff(u64),
    End,
}

/// The lines of the input.
pub(super) struct Input<R> {
    lines: Lines<R>,
    check: Option<Check>,
    number: u64,
    chain: Chain,
    /// Lines that wait until all that the journal knows were checked. They are few: those that were under way.
    held: VecDeque<InputLine>,
    end: Option<NextInput>,
}

/// The facts of the journal about the lines.
#[derive(Default)]
struct Check {
    done: LineRanges,
    pending: BTreeSet<u64>,
    marks: BTreeMap<u64, Chain>,
    last: u64,
}

impl<R: AsyncBufRead + Unpin> Input<R> {
    pub(super) fn new(lines: Lines<R>) -> Self {
        Self { lines, check: None, number: 0, chain: Chain::default(), held: VecDeque::new(), end: None }
    }

    /// Checks the lines against a journal, and leaves out those whose outcome is on stdout.
    pub(super) fn check_against(mut self, history: &mut History) -> Self {
        let marks = history.take_marks();
        let last = marks.keys().next_back().copied().unwrap_or_default();
        let pending = history.pending.keys().copied().collect();
        self.check = Some(Check { done: std::mem::take(&mut history.done), pending, marks, last });
        self
    }

    /// Returns the next line. Dropping the future loses half a line.
    pub(super) async fn next(&mut self) -> Result<NextInput, Failure> {
        loop {
            if self.is_checked() {
                if let Some(held) = self.held.pop_front() {
                    return Ok(NextInput::Line(held));
                }
                if let Some(end) = self.end.take() {
                    return Ok(end);
                }
            }
            match self.read().await? {
                NextInput::Line(line) if self.is_done(&line) => {}
                NextInput::Line(line) => self.held.push_back(line),
                end => self.end = Some(end),
            }
        }
    }

    /// Checks that no line that the journal knows is still to come.
    fn is_checked(&self) -> bool {
        self.end.is_some() || self.check.as_ref().is_none_or(|check| self.number >= check.last)
    }

    fn is_done(&self, line: &InputLine) -> bool {
        self.check.as_ref().is_some_and(|check| check.done.contains(line.number) && !check.pending.contains(&line.number))
    }

    async fn read(&mut self) -> Result<NextInput, Failure> {
        let line = self.lines.next().await.map_err(|error: io::Error| Failure::host(format!("stdin: {error}")))?;
        let (Some(line), place) = (line, self.lines.place()) else { return Ok(NextInput::End) };
        self.number += 1;
        let Some(check) = &self.check else {
            return Ok(NextInput::Line(InputLine { number: self.number, line, place, chain: self.chain }));
        };
        if !place.is_ended && is_cut_off(&line) {
            return Ok(NextInput::CutOff(place.number));
        }
        self.chain = self.chain.add(&line);
        if check.marks.get(&self.number).is_some_and(|known| *known != self.chain) {
            return Err(Failure::usage(format!(
                "stdin is not what it was when the journal was begun: line {}, or one before it, is another. \
                 Nothing was sent now. Give the same input again, or begin another journal for this one.",
                place.number
            )));
        }
        Ok(NextInput::Line(InputLine { number: self.number, line, place, chain: self.chain }))
    }
}

/// Checks for a line that ends before its JSON does: all of it may come the next time.
fn is_cut_off(line: &Line) -> bool {
    matches!(line, Line::Text(text) if serde_json::from_slice::<IgnoredAny>(text).is_err_and(|error| error.is_eof()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::batch::history::{write_begun, write_done, write_written};

    fn chains(text: &str) -> Vec<Chain> {
        let lines = text.lines().filter(|line| !line.is_empty());
        let next = |chain: &mut Chain, line: &str| {
            *chain = chain.add(&Line::Text(line.into()));
            Some(*chain)
        };
        lines.scan(Chain::default(), next).collect()
    }

    /// Reads an input beside a history. Lines are written as their numbers, a line that was cut as `-3`.
    async fn read_all(text: &str, mut history: History) -> Result<Vec<i64>, String> {
        let mut input = Input::new(Lines::new(text.as_bytes(), 100)).check_against(&mut history);
        let mut numbers = Vec::new();
        loop {
            match input.next().await.map_err(|failure| failure.message().to_owned())? {
                NextInput::Line(line) => numbers.push(i64::try_from(line.number).expect("it is small")),
                NextInput::CutOff(number) => numbers.push(-i64::try_from(number).expect("it is small")),
                NextInput::End => return Ok(numbers),
            }
        }
    }

    /// Has line 1 done, 2 begun, 3 done and not written, 4 nothing and 5 done, as a kill of five jobs leaves them.
    fn build_history(text: &str) -> History {
        let (mut history, chains) = (History::default(), chains(text));
        let done = |number: usize| write_done(number as u64, chains[number - 1], true, b"{}");
        for record in [done(1), write_written(1), write_begun(2, chains[1]), done(3), done(5), write_written(5)] {
            history.add(record.trim_ascii()).expect("it is a record");
        }
        history
    }

    #[tokio::test]
    async fn input_gives_what_is_not_done_once_all_that_is_known_was_checked() {
        let text = "{\"a\":1}\n\n{\"b\":1}\n{\"c\":1}\n{\"d\":1}\n{\"e\":1}\n{\"f\":1}\n";
        assert_eq!(read_all(text, build_history(text)).await, Ok(vec![2, 3, 4, 6]));
        for changed in ["a", "b", "c", "d", "e"] {
            let other = text.replace(changed, "x");
            let failure = read_all(&other, build_history(text)).await.expect_err("it is another input");
            assert!(failure.contains("Nothing was sent now"), "{changed}: {failure}");
        }
        assert_eq!(read_all(&text.replace('f', "x"), build_history(text)).await, Ok(vec![2, 3, 4, 6]), "nothing is known of it");
    }

    #[tokio::test]
    async fn input_that_was_cut_goes_on_and_half_a_line_is_none() {
        let text = "{\"a\":1}\n\n{\"b\":1}\n{\"c\":1}\n{\"d\":1}\n{\"e\":1}\n";
        let cut = |end: usize| read_all(&text[..end], build_history(text));
        assert_eq!(cut(text.len() - 3).await, Ok(vec![2, 3, 4, -6]));
        assert_eq!(cut(text.len() - 8).await, Ok(vec![2, 3, 4]));
        assert_eq!(cut(19).await, Ok(vec![2, -4]));
        assert_eq!(cut(3).await, Ok(vec![-1]));
        assert_eq!(read_all("nonsense", History::default()).await, Ok(vec![1]), "it is a line, and no half of one");
    }
}
