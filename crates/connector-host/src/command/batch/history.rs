//! The history of a batch: what its journal has of the runs before.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::command::batch::chain::Chain;

/// The first line of a journal of this version.
pub(super) const HEADER: &str = r#"{"journal":"connector batch","version":1}"#;

/// The number of lines of which one at least is checked.
const BLOCK: u64 = 1024;

/// The history of a batch, as its journal has it.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The lines that have an outcome.
    pub(super) done: LineRanges,
    /// The outcomes that may not be on stdout, by line.
    pub(super) pending: BTreeMap<u64, Vec<u8>>,
    /// The lines that were begun and have no outcome.
    pub(super) begun: BTreeMap<u64, Chain>,
    /// The number of outcomes that are not ok.
    pub(super) failed: u64,
    /// The last line with an outcome in each block, and its hash.
    blocks: BTreeMap<u64, (u64, Chain)>,
}

/// A set of line numbers, kept as ranges: the lines of a batch are done nearly in order.
#[derive(Debug, Default)]
pub(super) struct LineRanges {
    /// The last number of each range, by its first.
    ranges: BTreeMap<u64, u64>,
    count: u64,
}

impl LineRanges {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, last)| number <= *last)
    }

    fn insert(&mut self, number: u64) {
        if self.contains(number) {
            return;
        }
        self.count += 1;
        let last = self.ranges.remove(&(number + 1)).unwrap_or(number);
        match self.ranges.range_mut(..number).next_back() {
            Some((_, before)) if *before + 1 == number => *before = last,
            _ => drop(self.ranges.insert(number, last)),
        }
    }
}

/// A line of a journal after its first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    begun: Option<u64>,
    unsent: Option<u64>,
    done: Option<u64>,
    written: Option<u64>,
    chain: Option<&'a str>,
    ok: Option<bool>,
    #[serde(borrow)]
    outcome: Option<&'a RawValue>,
}

impl History {
    /// Adds a line of the journal. It returns nothing for a line that no journal has.
    pub(super) fn add(&mut self, line: &[u8]) -> Option<()> {
        let record: Record = serde_json::from_slice(line).ok()?;
        let chain = record.chain.and_then(Chain::read);
        match record {
            Record { begun: Some(number), .. } => drop(self.begun.insert(number, chain?)),
            Record { unsent: Some(number), .. } => drop(self.begun.remove(&number)),
            Record { written: Some(number), .. } => drop(self.pending.remove(&number)),
            Record { done: Some(number), ok: Some(is_ok), outcome: Some(outcome), .. } => {
                let (chain, text) = (chain?, outcome.get().as_bytes().to_vec());
                self.begun.remove(&number);
                self.done.insert(number);
                self.failed += u64::from(!is_ok);
                self.pending.insert(number, text);
                let last = self.blocks.entry(number / BLOCK).or_insert((number, chain));
                if number >= last.0 {
                    *last = (number, chain);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Takes the hashes by which the lines of the input are known again.
    pub(super) fn take_marks(&mut self) -> BTreeMap<u64, Chain> {
        let of_blocks = std::mem::take(&mut self.blocks).into_values();
        of_blocks.chain(self.begun.iter().map(|(number, chain)| (*number, *chain))).collect()
    }
}

/// Writes that an unkeyed write of a line is about to be sent.
pub(super) fn write_begun(number: u64, chain: Chain) -> Vec<u8> {
    format!("{{\"begun\":{number},\"chain\":\"{chain}\"}}\n").into_bytes()
}

/// Writes that a line which was begun was not sent.
pub(super) fn write_unsent(number: u64) -> Vec<u8> {
    format!("{{\"unsent\":{number}}}\n").into_bytes()
}

/// Writes the outcome of a line.
pub(super) fn write_done(number: u64, chain: Chain, is_ok: bool, outcome: &[u8]) -> Vec<u8> {
    let mut record = format!("{{\"done\":{number},\"chain\":\"{chain}\",\"ok\":{is_ok},\"outcome\":").into_bytes();
    record.extend_from_slice(outcome);
    record.extend_from_slice(b"}\n");
    record
}

/// Writes that the outcome of a line is on stdout.
pub(super) fn write_written(number: u64) -> Vec<u8> {
    format!("{{\"written\":{number}}}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use connector_core::run::Line;

    use super::*;

    fn chain(number: u64) -> Chain {
        Chain::default().add(&Line::Text(number.to_string().into_bytes()))
    }

    #[test]
    fn ranges_join_as_lines_are_done_in_any_order() {
        let mut ranges = LineRanges::default();
        for number in [1, 2, 5, 4, 9, 3, 9, 7] {
            ranges.insert(number);
        }
        assert_eq!(ranges.ranges, BTreeMap::from([(1, 5), (7, 7), (9, 9)]));
        assert_eq!(ranges.count(), 7);
        let known: Vec<u64> = (0..11).filter(|number| ranges.contains(*number)).collect();
        assert_eq!(known, [1, 2, 3, 4, 5, 7, 9]);
    }

    #[test]
    fn history_is_what_was_begun_done_and_not_yet_written() {
        let mut history = History::default();
        for record in [
            write_begun(1, chain(1)),
            write_done(1, chain(1), true, b"{\"a\": 1e2}"),
            write_written(1),
            write_begun(2, chain(2)),
            write_unsent(2),
            write_begun(3, chain(3)),
            write_done(4, chain(4), false, b"{}"),
        ] {
            history.add(record.trim_ascii()).expect("it is a record");
        }
        assert_eq!((history.done.count(), history.failed), (2, 1));
        assert_eq!(history.begun, BTreeMap::from([(3, chain(3))]));
        assert_eq!(history.pending, BTreeMap::from([(4, b"{}".to_vec())]));
        assert_eq!(history.take_marks(), BTreeMap::from([(3, chain(3)), (4, chain(4))]));
        for wrong in ["", "{}", "{\"begun\":1}", "{\"done\":1,\"ok\":true}", "{\"gone\":1}", "{\"written\":1"] {
            assert!(history.add(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn long_history_keeps_one_mark_of_many_lines() {
        let mut history = History::default();
        for number in 1..=5000 {
            history.add(write_done(number, chain(number), true, b"{}").trim_ascii()).expect("it is a record");
            history.add(write_written(number).trim_ascii()).expect("it is a record");
        }
        let marks: Vec<u64> = history.take_marks().into_keys().collect();
        assert_eq!(marks, [1023, 2047, 3071, 4095, 5000]);
    }
}
