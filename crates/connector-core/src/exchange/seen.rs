//! The records of a list, page after page: the place where they stand, and which of them came before.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::exchange::plan::Plan;
use crate::exchange::view::flatten;
use crate::value::outcome::Page;
use crate::value::raw_json::RawJson;
use crate::value::scan::Scanner;

/// The place of a list in the data of an answer, and what names a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListPlace {
    /// The list of search results, and the member of a result that is the record.
    pub(crate) search: Option<(&'static str, &'static str)>,
    /// The member of a record that is its ID.
    pub(crate) id: &'static str,
}

/// The records that came so far: their number and their IDs, but not the records.
pub(crate) struct SeenRecords {
    place: ListPlace,
    /// The IDs of the records, until a page has one twice: then it is no ID of records.
    ids: Option<SeenIds>,
    hashes: TextHash,
    /// The hash of the records of the last page.
    last: Option<u128>,
    /// The number of records that came first here.
    pub(crate) count: u64,
    /// The number of records that were left out, since they came before.
    pub(crate) dropped: u64,
}

/// The records of a page that no page before had, as they stand in the text of its data.
pub(crate) struct PageRecords<'a> {
    text: &'a str,
    /// The places in the text between which the records stand, if the data holds a list.
    span: Option<(usize, usize)>,
    /// The text of each.
    pub(crate) kept: Vec<&'a [u8]>,
    /// `true` if all records of the page are kept.
    is_whole: bool,
    /// The number of records up to the last that was looked at.
    pub(crate) taken: u64,
    /// The number of records beyond the most that were wanted.
    pub(crate) cut: u64,
}

/// The IDs of records. Whole numbers are kept as they are, a text as its hash.
#[derive(Default)]
struct SeenIds {
    /// Ranges of numbers: the first of each, and the last. Lists have long ones.
    numbers: BTreeMap<u64, u64>,
    hashes: HashSet<u128>,
}

/// A hash of 128 bits, so wide that no two texts of a list share one. Its keys are random.
#[derive(Default)]
pub(crate) struct TextHash(RandomState, RandomState);

/// A record of a page: its text, and the text of its ID.
type Item<'a> = (&'a [u8], Option<&'a [u8]>);

impl SeenRecords {
    pub(crate) fn new(place: ListPlace) -> Self {
        Self { place, ids: Some(SeenIds::default()), hashes: TextHash::default(), last: None, count: 0, dropped: 0 }
    }

    /// Finds the records of a page that no page before had, `most` of them at the most.
    pub(crate) fn add<'a>(&mut self, data: &'a RawJson, most: Option<u64>) -> PageRecords<'a> {
        let text = data.as_str();
        let list = self.place.find_list(text);
        let items = list.map_or_else(Vec::new, |list| self.place.read_items(list));
        let span = list.map(|list| find_span(text, list, &items));
        let mut page = PageRecords { text, span, kept: Vec::with_capacity(items.len()), is_whole: true, taken: 0, cut: 0 };
        if self.is_page_before(&page, &items) {
            page.taken = items.len() as u64;
            return page;
        }
        self.note_doubles(&items);
        self.add_items(&items, most.unwrap_or(u64::MAX), &mut page);
        page
    }

    fn add_items<'a>(&mut self, items: &[Item<'a>], most: u64, page: &mut PageRecords<'a>) {
        for (at, (item, id)) in items.iter().enumerate() {
            if page.count() == most {
                page.cut = (items.len() - at) as u64;
                break;
            }
            page.taken += 1;
            let is_new = match (&mut self.ids, id) {
                (Some(ids), Some(id)) => ids.insert(id, &self.hashes),
                _ => true,
            };
            if is_new {
                page.kept.push(item);
            } else {
                self.dropped += 1;
            }
        }
        page.is_whole = page.kept.len() == items.len();
        self.count += page.count();
    }

    /// Checks that a page without IDs is the page before it once more.
    fn is_page_before(&mut self, page: &PageRecords<'_>, items: &[Item<'_>]) -> bool {
        let has_ids = self.ids.is_some() && items.iter().any(|(_, id)| id.is_some());
        let Some((start, end)) = page.span.filter(|_| !has_ids && !items.is_empty()) else {
            self.last = None;
            return false;
        };
        let hash = Some(self.hashes.hash(&page.text.as_bytes()[start..end]));
        std::mem::replace(&mut self.last, hash) == hash
    }

    /// Stops looking at IDs if a page has one twice.
    fn note_doubles(&mut self, items: &[Item<'_>]) {
        let mut ids = HashSet::with_capacity(items.len());
        if items.iter().filter_map(|(_, id)| *id).any(|id| !ids.insert(id)) {
            self.ids = None;
        }
    }
}

impl<'a> PageRecords<'a> {
    /// Counts the records that no page before had.
    pub(crate) fn count(&self) -> u64 {
        self.kept.len() as u64
    }

    /// Returns what stands before and after the records in the data, if that holds a list.
    pub(crate) fn frame(&self) -> Option<(&'a [u8], &'a [u8])> {
        let bytes = self.text.as_bytes();
        self.span.map(|(start, end)| (&bytes[..start], &bytes[end..]))
    }

    /// Writes the records that are kept, with commas between them.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self.span.filter(|_| self.is_whole) {
            // The page is copied as it is, with the spaces between its records.
            Some((start, end)) => out.extend_from_slice(&self.text.as_bytes()[start..end]),
            None => out.extend_from_slice(&self.kept.join(&b',')),
        }
    }

    /// Returns the records that are kept, which share the memory of the page. Data that holds no list is one record.
    pub(crate) fn share(&self, data: &RawJson) -> Vec<RawJson> {
        match self.span {
            None if data.as_str() == "null" => Vec::new(),
            None => vec![data.clone()],
            Some(_) => self.kept.iter().map(|record| data.slice_part(record)).collect(),
        }
    }

    /// Returns the records that are kept in the flat view.
    ///
    /// Those of a group share memory, which is free once they are given.
    pub(crate) fn flatten(&self, data: &RawJson, plan: &Plan) -> Vec<RawJson> {
        const GROUP: usize = 32;
        let mut records = Vec::with_capacity(self.kept.len());
        let Some((before, after)) = self.frame() else {
            add_flat_records(plan, data, &mut records);
            return records;
        };
        for group in self.kept.chunks(GROUP) {
            let text = [before, &group.join(&b','), after].concat();
            add_flat_records(plan, &RawJson::from_text(text), &mut records);
        }
        records
    }
}

/// Adds the records of some data in the flat view.
fn add_flat_records(plan: &Plan, data: &RawJson, records: &mut Vec<RawJson>) {
    let flat = flatten(plan, data, Some(&Page { complete: true, ..Page::default() }));
    let mut scan = Scanner::new(flat.as_str());
    // The results are the first member.
    scan.open();
    scan.take_key();
    let mut items = scan.open();
    while scan.next_item(&mut items) {
        records.push(flat.slice_part(scan.take_value()));
    }
}

impl SeenIds {
    /// Adds an ID. Returns `false` if it is known.
    fn insert(&mut self, id: &[u8], hashes: &TextHash) -> bool {
        match read_whole_number(id) {
            Some(number) => self.insert_number(number),
            None => self.hashes.insert(hashes.hash(id)),
        }
    }

    fn insert_number(&mut self, number: u64) -> bool {
        let before = self.numbers.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return false;
        }
        let last = number.checked_add(1).and_then(|next| self.numbers.remove(&next)).unwrap_or(number);
        let first = before.filter(|(_, end)| end + 1 == number).map_or(number, |(first, _)| first);
        self.numbers.insert(first, last);
        true
    }
}

impl TextHash {
    pub(crate) fn hash(&self, text: &[u8]) -> u128 {
        u128::from(self.0.hash_one(text)) << 64 | u128::from(self.1.hash_one(text))
    }
}

impl ListPlace {
    /// Finds the text of the list in the data of an answer.
    fn find_list<'a>(&self, text: &'a str) -> Option<&'a str> {
        let scan = Scanner::new(text);
        match (scan.peek(), self.search) {
            (b'[', _) => Some(text),
            (b'{', Some((list, _))) => scan.find_at(&format!("/{list}")).filter(|list| list.starts_with('[')),
            _ => None,
        }
    }

    fn read_items<'a>(&self, list: &'a str) -> Vec<Item<'a>> {
        let (mut scan, mut items) = (Scanner::new(list), Vec::new());
        let mut progress = scan.open();
        while scan.next_item(&mut progress) {
            let before = scan.clone();
            items.push((scan.take_value(), self.find_id(before)));
        }
        items
    }

    /// Finds the text of a record's ID: a number or a text.
    fn find_id<'a>(&self, item: Scanner<'a>) -> Option<&'a [u8]> {
        let open = |scan: &Scanner<'a>| scan.peek() == b'{';
        if !open(&item) {
            return None;
        }
        let record = self.search.and_then(|(_, record)| item.clone().find_member_at(record.as_bytes())).filter(open);
        let id = record.unwrap_or(item).find_member(self.id.as_bytes())?;
        matches!(id.first(), Some(b'"' | b'-' | b'0'..=b'9')).then_some(id)
    }
}

/// Reads a number that is written in the one usual way, so that two texts are never one number.
fn read_whole_number(id: &[u8]) -> Option<u64> {
    let is_usual = id.iter().all(u8::is_ascii_digit) && (id.len() == 1 || id.first() != Some(&b'0'));
    std::str::from_utf8(id).ok().filter(|_| is_usual)?.parse().ok()
}

/// Finds the places between which the records of a list stand. An empty list has one right after its bracket.
fn find_span(text: &str, list: &str, items: &[Item<'_>]) -> (usize, usize) {
    match (items.first(), items.last()) {
        (Some((first, _)), Some((last, _))) => (offset_in(text, first), offset_in(text, last) + last.len()),
        _ => {
            let open = offset_in(text, list.as_bytes()) + 1;
            (open, open)
        }
    }
}

/// Returns the place of a part in its text.
fn offset_in(text: &str, part: &[u8]) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_written_differently_are_different() {
        let (mut ids, hashes) = (SeenIds::default(), TextHash::default());
        let all = ["0", "1", "10", "18446744073709551615", "18446744073709551616", "01", "1.0", "-1", "1e3", "\"1\"", "\"a\"", "\"b\""];
        for id in all {
            assert!(ids.insert(id.as_bytes(), &hashes), "{id} is new");
        }
        assert!(all.iter().all(|id| !ids.insert(id.as_bytes(), &hashes)));
        assert_eq!((ids.numbers.len(), ids.hashes.len()), (3, 8), "0 and 1 are one range");
    }

    #[test]
    fn whole_numbers_are_ranges_in_whatever_order_they_come() {
        // 37 and 101 have no common divisor, so that each number comes once.
        for step in [1, 37, 100] {
            let mut ids = SeenIds::default();
            let all = || (0..101).map(|at| at * step % 101);
            assert!(all().all(|number| ids.insert_number(number)) && all().all(|number| !ids.insert_number(number)));
            assert_eq!(ids.numbers.into_iter().collect::<Vec<_>>(), [(0, 100)]);
        }
        let mut ids = SeenIds::default();
        let far = [0, u64::MAX, 7, u64::MAX - 1];
        assert!(far.iter().all(|number| ids.insert_number(*number)) && far.iter().all(|number| !ids.insert_number(*number)));
        assert_eq!(ids.numbers.into_iter().collect::<Vec<_>>(), [(0, 0), (7, 7), (u64::MAX - 1, u64::MAX)]);
    }

    #[test]
    fn shares_the_records_of_a_page_and_drops_those_that_came_before() {
        let place = ListPlace { search: Some(("items", "item")), id: "id" };
        let mut seen = SeenRecords::new(place);
        for (text, records) in [
            (r#"[{"id":1}, {"id":2}]"#, &[r#"{"id":1}"#, r#"{"id":2}"#][..]),
            (r#"{"items":[{"item":{"id":2}},{"item":{"id":3}}],"n":0}"#, &[r#"{"item":{"id":3}}"#]),
            ("null", &[]),
            ("[]", &[]),
            // Data that holds no list loses nothing.
            (r#"{"id":7}"#, &[r#"{"id":7}"#]),
        ] {
            let data = RawJson::on_one_line(text.to_owned());
            let shared = seen.add(&data, None).share(&data);
            assert_eq!(shared.iter().map(RawJson::as_str).collect::<Vec<_>>(), records, "{text}");
        }
        assert_eq!((seen.count, seen.dropped), (3, 1));
    }
}
