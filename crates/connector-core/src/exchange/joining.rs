//! Pages of a list, joined as text. No record is parsed.

use crate::exchange::merging::MergedObject;
use crate::exchange::seen::PageRecords;
use crate::value::outcome::Answer;
use crate::value::raw_json::RawJson;

/// A list under way: the text of the pages so far.
#[derive(Default)]
pub(crate) struct JoinedList {
    /// The text up to the last record: what stands before the records of the first list, and the records.
    text: Vec<u8>,
    /// The text around the records of the first list.
    frame: Option<Frame>,
    /// The data of the first page, which is the answer where no page has a list.
    first: Option<RawJson>,
    /// `true` if pages differ in what stands beside their records.
    pub(crate) frames_differ: bool,
    /// The members beside the data.
    extra: MergedObject,
}

/// The text around the records of a list.
struct Frame {
    /// The number of bytes before the first record.
    before: usize,
    after: Vec<u8>,
}

impl JoinedList {
    /// Returns the bytes of the list and of what stands beside it.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.extra.size()
    }

    /// Adds a page, with those of its records that no page before had.
    pub(crate) fn add(&mut self, answer: &Answer, records: &PageRecords<'_>) {
        self.keep_frame(records);
        if self.first.is_none() {
            self.first = Some(answer.data.clone());
        }
        answer.extra.iter().for_each(|(name, value)| self.extra.merge(name, value.as_str()));
        if !records.kept.is_empty() {
            if self.frame.as_ref().is_some_and(|frame| self.text.len() > frame.before) {
                self.text.push(b',');
            }
            records.write(&mut self.text);
        }
    }

    /// Returns the answer of all pages, without its page.
    pub(crate) fn into_answer(mut self) -> Answer {
        let data = match (self.frame, self.first) {
            (Some(frame), _) => {
                self.text.extend_from_slice(&frame.after);
                RawJson::from_text(self.text)
            }
            (None, first) => first.unwrap_or_else(RawJson::null),
        };
        Answer { data, page: None, extra: self.extra.into_members() }
    }

    /// Keeps what stands around the records of the first list.
    fn keep_frame(&mut self, records: &PageRecords<'_>) {
        let Some((before, after)) = records.frame() else { return };
        match &self.frame {
            None => {
                self.text.extend_from_slice(before);
                self.frame = Some(Frame { before: before.len(), after: after.to_vec() });
            }
            Some(first) => {
                let first_before = &self.text[..first.before];
                self.frames_differ |= before.trim_ascii() != first_before.trim_ascii() || after.trim_ascii() != first.after.trim_ascii();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::seen::{ListPlace, SeenRecords};

    const PLAIN: ListPlace = ListPlace { search: Some(("items", "item")), id: "id" };

    /// Joins pages, and returns the new records of each beside the answer.
    fn join(pages: &[&str]) -> (Vec<u64>, String, u64) {
        let (mut seen, mut list) = (SeenRecords::new(PLAIN), JoinedList::default());
        let new = pages.iter().map(|page| add(&mut seen, &mut list, page, None).0).collect();
        (new, list.into_answer().data.as_str().to_owned(), seen.dropped)
    }

    /// Adds a page, and returns how many of its records are new, were looked at and were cut off.
    fn add(seen: &mut SeenRecords, list: &mut JoinedList, page: &str, most: Option<u64>) -> (u64, u64, u64) {
        let answer = Answer::new(RawJson::on_one_line(page.to_owned()));
        let records = seen.add(&answer.data, most);
        list.add(&answer, &records);
        (records.count(), records.taken, records.cut)
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
        let (mut seen, mut list) = (SeenRecords::new(PLAIN), JoinedList::default());
        assert_eq!(add(&mut seen, &mut list, "[{\"id\":1},{\"id\":2}]", Some(3)), (2, 2, 0));
        assert_eq!(add(&mut seen, &mut list, "[{\"id\":2},{\"id\":3},{\"id\":4},{\"id\":5}]", Some(1)), (1, 2, 2));
        assert_eq!(list.into_answer().data.as_str(), r#"[{"id":1},{"id":2},{"id":3}]"#);
    }

    #[test]
    fn notes_that_pages_differ_beside_their_records() {
        for (second, differs) in [(r#"{"items":[2],"n":0}"#, false), (r#"{"items":[2],"n":1}"#, true)] {
            let (mut seen, mut list) = (SeenRecords::new(PLAIN), JoinedList::default());
            for text in [r#"{"items":[1],"n":0}"#, second] {
                add(&mut seen, &mut list, text, None);
            }
            assert_eq!(list.frames_differ, differs, "{second}");
        }
    }
}
