//! Pages of a list, joined as text. No record is parsed.

use std::collections::HashSet;

use crate::exchange::merging::MergedObject;
use crate::value::outcome::Answer;
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

/// A list under way: the records of the pages so far.
pub(crate) struct JoinedList {
    place: ListPlace,
    /// The text of the first list before its first record and after its last.
    frame: Option<(Vec<u8>, Vec<u8>)>,
    /// The data of the first page, which is the answer where no page has a list.
    first: Option<RawJson>,
    /// The text of the records, with commas between them.
    records: Vec<u8>,
    /// The place in `records` where those of the last page begin.
    last: usize,
    /// The number of records.
    pub(crate) count: u64,
    /// The IDs of the records, until a page has one twice: then it is no ID of records.
    ids: Option<HashSet<Box<[u8]>>>,
    /// The number of records that were left out, since they came before.
    pub(crate) dropped: u64,
    /// `true` if pages differ in what stands beside their records.
    pub(crate) frames_differ: bool,
    /// The members beside the data.
    extra: MergedObject,
}

/// The part of a page that was added to the list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AddedPage {
    /// The number of records that no page before had.
    pub(crate) new: u64,
    /// The number of records up to the last that was looked at.
    pub(crate) taken: u64,
    /// The number of records beyond the most that were wanted.
    pub(crate) cut: u64,
}

/// A record of a page: its text, and the text of its ID.
type Item<'a> = (&'a [u8], Option<&'a [u8]>);

impl JoinedList {
    pub(crate) fn new(place: ListPlace) -> Self {
        Self {
            place,
            frame: None,
            first: None,
            records: Vec::new(),
            last: 0,
            count: 0,
            ids: Some(HashSet::new()),
            dropped: 0,
            frames_differ: false,
            extra: MergedObject::default(),
        }
    }

    /// Returns the bytes of the list and of what stands beside it.
    pub(crate) fn size(&self) -> usize {
        self.records.len() + self.extra.size()
    }

    /// Adds the records of a page that no page before had, `most` of them at the most.
    pub(crate) fn add(&mut self, answer: &Answer, most: Option<u64>) -> AddedPage {
        let text = answer.data.as_str();
        let list = self.place.find_list(text);
        let items = list.map_or_else(Vec::new, |list| self.place.read_items(list));
        if let Some(list) = list {
            self.keep_frame(text, list, &items);
        }
        if self.first.is_none() {
            self.first = Some(answer.data.clone());
        }
        answer.extra.iter().for_each(|(name, value)| self.extra.merge(name, value.as_str()));
        if self.is_page_before(text, &items) {
            return AddedPage { new: 0, taken: items.len() as u64, cut: 0 };
        }
        self.note_doubles(&items);
        self.add_items(text, &items, most.unwrap_or(u64::MAX))
    }

    /// Returns the answer of all pages, without its page.
    pub(crate) fn into_answer(self) -> Answer {
        let data = match (self.frame, self.first) {
            (Some((before, after)), _) => RawJson::from_text([before, self.records, after].concat()),
            (None, first) => first.unwrap_or_else(RawJson::null),
        };
        Answer { data, page: None, extra: self.extra.into_members() }
    }

    fn add_items(&mut self, text: &str, items: &[Item<'_>], most: u64) -> AddedPage {
        let (mut added, mut kept) = (AddedPage { new: 0, taken: 0, cut: 0 }, Vec::with_capacity(items.len()));
        for (at, (item, id)) in items.iter().enumerate() {
            if added.new == most {
                added.cut = (items.len() - at) as u64;
                break;
            }
            added.taken += 1;
            let is_new = match (&mut self.ids, id) {
                (Some(ids), Some(id)) => ids.insert((*id).into()),
                _ => true,
            };
            if is_new {
                added.new += 1;
                kept.push(*item);
            } else {
                self.dropped += 1;
            }
        }
        if let (Some(first), Some(last)) = (kept.first(), kept.last()) {
            self.separate();
            self.last = self.records.len();
            if kept.len() == items.len() {
                // The page is copied as it is, with the spaces between its records.
                let (start, end) = (offset_in(text, first), offset_in(text, last) + last.len());
                self.records.extend_from_slice(&text.as_bytes()[start..end]);
            } else {
                self.records.extend_from_slice(&kept.join(&b','));
            }
        }
        self.count += added.new;
        added
    }

    fn separate(&mut self) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
    }

    /// Keeps what stands around the records of the first list.
    fn keep_frame(&mut self, text: &str, list: &str, items: &[Item<'_>]) {
        let bytes = text.as_bytes();
        let (start, end) = match (items.first(), items.last()) {
            (Some((first, _)), Some((last, _))) => (offset_in(text, first), offset_in(text, last) + last.len()),
            _ => {
                let open = offset_in(text, list.as_bytes()) + 1;
                (open, open)
            }
        };
        let (before, after) = (&bytes[..start], &bytes[end..]);
        match &self.frame {
            None => self.frame = Some((before.to_vec(), after.to_vec())),
            Some((first_before, first_after)) => {
                self.frames_differ |= before.trim_ascii() != first_before.trim_ascii() || after.trim_ascii() != first_after.trim_ascii();
            }
        }
    }

    /// Checks that a page without IDs is the page before it once more.
    fn is_page_before(&self, text: &str, items: &[Item<'_>]) -> bool {
        let (Some((first, _)), Some((last, _))) = (items.first(), items.last()) else { return false };
        let has_ids = self.ids.is_some() && items.iter().any(|(_, id)| id.is_some());
        let (start, end) = (offset_in(text, first), offset_in(text, last) + last.len());
        !has_ids && self.records.get(self.last..) == text.as_bytes().get(start..end)
    }

    /// Stops looking at IDs if a page has one twice.
    fn note_doubles(&mut self, items: &[Item<'_>]) {
        let mut ids = HashSet::with_capacity(items.len());
        if items.iter().filter_map(|(_, id)| *id).any(|id| !ids.insert(id)) {
            self.ids = None;
        }
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

/// Returns the place of a part in its text.
fn offset_in(text: &str, part: &[u8]) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ListPlace = ListPlace { search: Some(("items", "item")), id: "id" };

    /// Joins pages, and returns the new records of each beside the answer.
    fn join(pages: &[&str]) -> (Vec<u64>, String, u64) {
        let mut list = JoinedList::new(PLAIN);
        let new = pages.iter().map(|page| list.add(&Answer::new(RawJson::on_one_line((*page).to_owned())), None).new).collect();
        let dropped = list.dropped;
        (new, list.into_answer().data.as_str().to_owned(), dropped)
    }

    #[test]
    fn joins_records_byte_for_byte_and_leaves_out_those_that_came_before() {
        for (pages, new, text, dropped) in [
            (&[r#"[ {"id":1} ]"#][..], &[1][..], r#"[ {"id":1} ]"#, 0),
            (&["[]"], &[0], "[]", 0),
            (&["null"], &[0], "null", 0),
            (&["null", "[1]"], &[0, 1], "[1]", 0),
            (&["[]", "[1.50]", "[]"], &[0, 1, 0], "[1.50]", 0),
            (&[r#"[{"id":1}, {"id":2}]"#, r#"[{"id":2,"a":1},{"id":3}]"#], &[2, 1], r#"[{"id":1}, {"id":2},{"id":3}]"#, 1),
            (&[r#"[{"id":"a"},{"id":"b"}]"#, r#"[{"id":"a"},{"id":"b"}]"#], &[2, 0], r#"[{"id":"a"},{"id":"b"}]"#, 2),
            // A text is another ID than a number, and null is none.
            (&[r#"[{"id":1}]"#, r#"[{"id":"1"},{"id":null}]"#], &[1, 2], r#"[{"id":1},{"id":"1"},{"id":null}]"#, 0),
            // A page that has an ID twice shows that it names no record.
            (&[r#"[{"id":1},{"id":1}]"#, r#"[{"id":1}]"#], &[2, 1], r#"[{"id":1},{"id":1},{"id":1}]"#, 0),
            // Records without IDs: the same page again brings nothing.
            (&[r#"[{"a":1}]"#, r#"[{"a":1}]"#, r#"[{"a":2}]"#], &[1, 0, 1], r#"[{"a":1},{"a":2}]"#, 0),
            (
                &[r#"{"items":[{"item":{"id":1}}],"n":0}"#, r#"{"items":[{"item":{"id":1}},{"item":{"id":2}}],"n":0}"#],
                &[1, 1],
                r#"{"items":[{"item":{"id":1}},{"item":{"id":2}}],"n":0}"#,
                1,
            ),
        ] {
            let joined = join(pages);
            assert_eq!((joined.0.as_slice(), joined.1.as_str(), joined.2), (new, text, dropped), "{pages:?}");
        }
    }

    #[test]
    fn takes_no_more_than_is_wanted() {
        let mut list = JoinedList::new(PLAIN);
        let page = |text: &str| Answer::new(RawJson::on_one_line(text.to_owned()));
        assert_eq!(list.add(&page("[{\"id\":1},{\"id\":2}]"), Some(3)), AddedPage { new: 2, taken: 2, cut: 0 });
        let last = page("[{\"id\":2},{\"id\":3},{\"id\":4},{\"id\":5}]");
        assert_eq!(list.add(&last, Some(1)), AddedPage { new: 1, taken: 2, cut: 2 });
        assert_eq!(list.into_answer().data.as_str(), r#"[{"id":1},{"id":2},{"id":3}]"#);
    }

    #[test]
    fn notes_that_pages_differ_beside_their_records() {
        for (second, differs) in [(r#"{"items":[2],"n":0}"#, false), (r#"{"items":[2],"n":1}"#, true)] {
            let mut list = JoinedList::new(PLAIN);
            for text in [r#"{"items":[1],"n":0}"#, second] {
                list.add(&Answer::new(RawJson::on_one_line(text.to_owned())), None);
            }
            assert_eq!(list.frames_differ, differs, "{second}");
        }
    }
}
