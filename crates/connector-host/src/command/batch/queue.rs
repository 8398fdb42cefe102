//! The lines that were taken, in the order in which their outcomes are written.

use std::collections::{BTreeMap, VecDeque};

/// The most outcomes that wait behind a slow one.
const MOST_WAITING: usize = 1024;

/// The most bytes of outcomes that wait behind a slow one, beside those of the lines that run.
const MOST_WAITING_BYTES: usize = 16 << 20;

/// The lines that were taken and are not written yet.
#[derive(Debug)]
pub(super) struct Queue<L> {
    is_ordered: bool,
    /// The lines in order.
    taken: VecDeque<(u64, L)>,
    /// The lines that have ended, with their outcome. A line that was not sent has none.
    ended: BTreeMap<u64, Option<Vec<u8>>>,
    bytes: usize,
}

impl<L> Queue<L> {
    pub(super) fn new(is_ordered: bool) -> Self {
        Self { is_ordered, taken: VecDeque::new(), ended: BTreeMap::new(), bytes: 0 }
    }

    /// Checks that another line may be taken: not too much waits to be written.
    pub(super) fn has_room(&self) -> bool {
        self.ended.len() < MOST_WAITING && self.bytes < MOST_WAITING_BYTES
    }

    /// Adds a line, with what is to be known of it at its end.
    pub(super) fn take(&mut self, number: u64, line: L) {
        self.taken.push_back((number, line));
    }

    /// Ends a line, with an outcome if it was sent.
    pub(super) fn end(&mut self, number: u64, outcome: Option<Vec<u8>>) {
        self.bytes += count_bytes(outcome.as_ref());
        self.ended.insert(number, outcome);
    }

    /// Lists the lines that have no end.
    pub(super) fn open(&self) -> impl Iterator<Item = &L> {
        self.taken.iter().filter(|(number, _)| !self.ended.contains_key(number)).map(|(_, line)| line)
    }

    /// Lists the lines behind the last one that has an end or is under way.
    pub(super) fn rest<'a>(&'a self, is_waiting: impl Fn(&L) -> bool + 'a) -> impl Iterator<Item = &'a L> {
        self.taken.iter().rev().take_while(move |(number, line)| !self.ended.contains_key(number) && is_waiting(line)).map(|(_, line)| line)
    }

    /// Finds a line.
    pub(super) fn find(&self, number: u64) -> Option<&L> {
        self.taken.binary_search_by_key(&number, |(number, _)| *number).ok().map(|at| &self.taken[at].1)
    }

    /// Takes the next line that is to be written.
    pub(super) fn next(&mut self) -> Option<(u64, L, Option<Vec<u8>>)> {
        let number = if self.is_ordered { self.taken.front()?.0 } else { *self.ended.keys().next()? };
        let outcome = self.ended.remove(&number)?;
        self.bytes -= count_bytes(outcome.as_ref());
        let at = self.taken.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let (_, line) = self.taken.remove(at)?;
        Some((number, line, outcome))
    }
}

fn count_bytes(outcome: Option<&Vec<u8>>) -> usize {
    outcome.map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue<()>) -> Vec<u64> {
        std::iter::from_fn(|| queue.next()).map(|(number, ..)| number).collect()
    }

    #[test]
    fn outcomes_wait_behind_a_slow_one_up_to_a_bound() {
        let mut queue = Queue::new(true);
        queue.take(1, ());
        for number in 2..2 + MOST_WAITING as u64 {
            assert!(queue.has_room());
            queue.take(number, ());
            queue.end(number, Some(vec![0; 1]));
        }
        assert!(!queue.has_room(), "{} outcomes wait", queue.ended.len());
        assert_eq!(drain(&mut queue), [0; 0]);
        queue.end(1, None);
        assert_eq!(drain(&mut queue).len(), 1 + MOST_WAITING);
        assert!(queue.has_room());

        queue.take(3000, ());
        queue.take(3001, ());
        queue.end(3001, Some(vec![0; MOST_WAITING_BYTES]));
        assert!(!queue.has_room(), "{} bytes wait", queue.bytes);
    }

    #[test]
    fn unordered_outcomes_wait_for_nothing() {
        let mut queue = Queue::new(false);
        for number in [1, 2, 5] {
            queue.take(number, ());
        }
        queue.end(5, Some(vec![0; 1]));
        assert_eq!(drain(&mut queue), [5]);
        assert_eq!(queue.open().count(), 2);
        assert_eq!(queue.rest(|()| true).count(), 2);
        queue.end(2, Some(vec![0; 1]));
        assert_eq!((queue.open().count(), queue.rest(|()| true).count()), (1, 0));
        queue.end(1, Some(vec![0; 1]));
        assert_eq!(drain(&mut queue), [1, 2]);
    }
}
