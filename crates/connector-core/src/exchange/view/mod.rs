//! The flat view: the bytes of an answer, rewritten in one pass. Numbers and texts are copied; no tree is built.

mod names;

use crate::declare::flat::join_names;
use crate::declare::page;
use crate::exchange::plan::{ANY, MOST_FILLED, MemberPlan, Node, NodeId, Plan, PlannedChange, RAW, RecordPlan, write_key};
use crate::exchange::view::names::{Names, has_doubles, hash, is_declared, rename};
use crate::value::outcome::Page;
use crate::value::raw_json::{RawJson, write_value};
use crate::value::scan::Scanner;

/// The names of a list in the flat view.
const RESULTS: &str = "results";
const HAS_MORE: &str = "hasMore";
const NEXT_CURSOR: &str = "nextCursor";
const NEXT_START: &str = "nextStart";

/// The depth below which objects are copied as they are.
const DEEPEST: usize = 32;

/// Writes the data of an answer in the flat view. A list gets the facts of its page.
pub(crate) fn flatten(plan: &Plan, data: &RawJson, page: Option<&Page>) -> RawJson {
    let text = data.as_str();
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 128);
    if Walk::new(plan, text, &mut out, Care::Fast).write_answer(page).is_err() {
        out.clear();
        let careful = Walk::new(plan, text, &mut out, Care::Careful).write_answer(page);
        debug_assert!(careful.is_ok(), "a careful walk finds such objects before it writes them");
    }
    RawJson::from_text(out)
}

/// A walk over JSON that was checked.
struct Walk<'a> {
    plan: &'a Plan,
    scan: Scanner<'a>,
    out: &'a mut Vec<u8>,
    care: Care,
    depth: usize,
    /// The member that followed each member in the record before, for each record of the plan.
    order: Vec<Vec<u16>>,
    /// Hashes of the names that no record declares, in the objects under way.
    unknown: Vec<u64>,
}

/// A way to treat objects in which two names would become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Such an object ends the walk: there is hardly ever one.
    Fast,
    /// The names of each object are read first. Such an object keeps the vendor's names.
    Careful,
}

/// The failure of a fast walk: two names of an object would become one.
struct Collision;

type Written = Result<(), Collision>;

impl<'a> Walk<'a> {
    fn new(plan: &'a Plan, text: &'a str, out: &'a mut Vec<u8>, care: Care) -> Self {
        Self { plan, scan: Scanner::new(text), out, care, depth: 0, order: vec![Vec::new(); plan.count()], unknown: Vec::new() }
    }

    fn write_answer(&mut self, page: Option<&Page>) -> Written {
        match (self.plan.list, page) {
            (Some(envelope), Some(page)) => {
                self.write_results(envelope.search)?;
                self.write_page(page);
                Ok(())
            }
            _ => self.write(self.plan.root),
        }
    }

    /// Writes the next value.
    fn write(&mut self, node: NodeId) -> Written {
        match self.scan.peek() {
            b'{' if node != RAW && self.depth < DEEPEST => self.write_object(node),
            b'[' if node != RAW && self.depth < DEEPEST => self.write_list(self.plan.item(node)),
            _ => {
                self.out.extend_from_slice(self.scan.take_value());
                Ok(())
            }
        }
    }

    fn write_list(&mut self, item: NodeId) -> Written {
        self.depth += 1;
        self.out.push(b'[');
        let mut items = self.scan.open();
        while self.scan.next_item(&mut items) {
            self.separate(b'[');
            self.write(item)?;
        }
        self.out.push(b']');
        self.depth -= 1;
        Ok(())
    }

    fn write_object(&mut self, node: NodeId) -> Written {
        self.depth += 1;
        self.out.push(b'{');
        self.write_members(node)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    /// Writes the members of the next value, which is an object, without its braces.
    fn write_members(&mut self, node: NodeId) -> Written {
        let plan = self.plan;
        match plan.node(node) {
            Node::Map(value) => self.write_as_they_are(*value),
            _ if self.care == Care::Careful && self.collides(node) => self.write_as_they_are(ANY),
            Node::Record(record) => self.write_record(node, record),
            _ => self.write_unknown_members(None),
        }
    }

    fn write_record(&mut self, node: NodeId, record: &'a RecordPlan) -> Written {
        let first_unknown = self.unknown.len();
        let (mut renames, mut guess, mut given) = (false, 0, 0_u128);
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            match self.find(node, record, key, guess) {
                Some((at, member)) => {
                    self.order[node][guess] = u16::try_from(at).unwrap_or(u16::MAX);
                    guess = at + 1;
                    given |= u128::from(member.is_filled) << (at % MOST_FILLED);
                    renames |= matches!(member.change, PlannedChange::Parts { .. });
                    self.write_member(record, member)?;
                }
                None => renames |= self.write_unknown(key, Some(record))?,
            }
        }
        for (at, member) in record.members.iter().enumerate().filter(|(_, member)| member.is_filled) {
            if given & (1 << (at % MOST_FILLED)) == 0 {
                if let PlannedChange::Primary(beside) | PlannedChange::Id(beside) = &member.change {
                    self.write_key(beside);
                    self.out.extend_from_slice(b"null");
                }
                self.write_key(&member.key);
                self.out.extend_from_slice(b"null");
            }
        }
        self.end_unknown(first_unknown, renames)
    }

    /// Writes the members of an object that no record declares.
    fn write_unknown_members(&mut self, record: Option<&RecordPlan>) -> Written {
        let first_unknown = self.unknown.len();
        let mut renames = false;
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            renames |= self.write_unknown(key, record)?;
        }
        self.end_unknown(first_unknown, renames)
    }

    /// Writes the members of an object under the vendor's names.
    fn write_as_they_are(&mut self, value: NodeId) -> Written {
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            self.write_raw_key(key);
            self.write(value)?;
        }
        Ok(())
    }

    /// Writes a member that no record declares, and tells whether its name changed.
    fn write_unknown(&mut self, key: &'a [u8], record: Option<&RecordPlan>) -> Result<bool, Collision> {
        let name = rename(self.plan, key);
        self.note_name(&name, record)?;
        let renames = name.as_bytes() != key;
        if renames {
            self.write_key(&write_key(&name));
        } else {
            self.write_raw_key(key);
        }
        let is_custom = std::str::from_utf8(key).is_ok_and(self.plan.words.is_custom_key);
        self.write(if is_custom { RAW } else { ANY })?;
        Ok(renames)
    }

    /// Remembers a name that no record declares, to compare it with the others of its object.
    fn note_name(&mut self, name: &str, record: Option<&RecordPlan>) -> Written {
        if self.care == Care::Careful {
            return Ok(());
        }
        self.unknown.push(hash(name));
        if record.is_some_and(|record| is_declared(record, name)) { Err(Collision) } else { Ok(()) }
    }

    fn end_unknown(&mut self, first: usize, renames: bool) -> Written {
        let collides = renames && has_doubles(&mut self.unknown[first..]);
        self.unknown.truncate(first);
        if collides { Err(Collision) } else { Ok(()) }
    }

    /// Checks whether two names of the next object would become one.
    fn collides(&self, node: NodeId) -> bool {
        let mut names = Names::new(self.plan);
        names.add_object(self.scan.clone(), node);
        !names.differ()
    }

    /// Finds the member of a record by its name. The order of the record before makes the first guess.
    fn find(&mut self, node: NodeId, record: &'a RecordPlan, key: &[u8], guess: usize) -> Option<(usize, &'a MemberPlan)> {
        let order = &mut self.order[node];
        if order.is_empty() {
            order.extend(0..=u16::try_from(record.members.len()).unwrap_or(u16::MAX));
        }
        let guessed = usize::from(order[guess]);
        let is_it = |member: &&MemberPlan| member.source.as_bytes() == key;
        match record.members.get(guessed).filter(is_it) {
            Some(member) => Some((guessed, member)),
            None => record.members.iter().enumerate().find(|(_, member)| is_it(member)),
        }
    }

    fn write_member(&mut self, record: &RecordPlan, member: &'a MemberPlan) -> Written {
        match &member.change {
            PlannedChange::None => {
                self.write_key(&member.key);
                self.write(member.child)
            }
            PlannedChange::Not => self.write_boolean(member, [b"false", b"true"]),
            PlannedChange::Flag => self.write_boolean(member, [b"true", b"false"]),
            PlannedChange::Primary(beside) => {
                let is_nested = matches!(self.scan.peek(), b'[' | b'{' | b'n');
                self.write_beside(member, beside, self.find_primary(), is_nested)
            }
            PlannedChange::Id(beside) => {
                let is_nested = matches!(self.scan.peek(), b'{' | b'[' | b'n');
                self.write_beside(member, beside, self.find_id(), is_nested)
            }
            PlannedChange::Parts { parts } => self.write_parts(record, member, *parts),
        }
    }

    /// Writes what is found in a value, and then the value itself, unless it is what was found.
    fn write_beside(&mut self, member: &'a MemberPlan, beside: &[u8], found: &[u8], is_nested: bool) -> Written {
        self.write_key(beside);
        self.out.extend_from_slice(found);
        if is_nested {
            self.write_key(&member.key);
            return self.write(member.child);
        }
        self.scan.take_value();
        Ok(())
    }

    /// Writes a boolean, or a 1 or 0 that stands for one, as one of `[yes, no]`. Any other value keeps its name.
    fn write_boolean(&mut self, member: &MemberPlan, [yes, no]: [&[u8]; 2]) -> Written {
        let value = self.scan.peek_value();
        let written = match value {
            b"true" | b"1" => yes,
            b"false" | b"0" => no,
            b"null" => value,
            _ => {
                self.write_key(&write_key(&self.plan.words.rename(&member.source)));
                return self.write(ANY);
            }
        };
        self.write_key(&member.key);
        self.out.extend_from_slice(written);
        self.scan.take_value();
        Ok(())
    }

    /// Writes an object as the text that it holds, and its other members beside it.
    fn write_parts(&mut self, record: &RecordPlan, member: &MemberPlan, parts: NodeId) -> Written {
        let (plan, text) = (self.plan, self.plan.words.value.as_bytes());
        self.write_key(&member.key);
        let (b'{', Node::Record(known)) = (self.scan.peek(), plan.node(parts)) else { return self.write(ANY) };
        self.out.extend_from_slice(self.scan.clone().find_member(text).unwrap_or(b"null"));
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            if key == text {
                self.scan.take_value();
                continue;
            }
            match known.members.iter().find(|part| part.source.as_bytes() == key) {
                Some(part) => self.write_key(&part.key),
                None => {
                    let name = join_names(&member.name, &rename(plan, key));
                    self.note_name(&name, Some(record))?;
                    self.write_key(&write_key(&name));
                }
            }
            self.write(ANY)?;
        }
        Ok(())
    }

    /// Finds the value of a list's main item, else of its first. The items are objects or values.
    fn find_primary(&self) -> &'a [u8] {
        let words = self.plan.words;
        let mut scan = self.scan.clone();
        match scan.peek() {
            b'[' => {}
            b'{' => return scan.find_member(words.value.as_bytes()).unwrap_or(b"null"),
            _ => return scan.take_value(),
        }
        let mut first = None;
        let mut items = scan.open();
        while scan.next_item(&mut items) {
            let item = scan.clone();
            scan.take_value();
            if item.peek() != b'{' {
                first.get_or_insert(item.peek_value());
                continue;
            }
            let value = item.clone().find_member(words.value.as_bytes()).unwrap_or(b"null");
            if item.find_member(words.primary.as_bytes()) == Some(b"true") {
                return value;
            }
            first.get_or_insert(value);
        }
        first.unwrap_or(b"null")
    }

    /// Finds the ID of a nested object. A value that is no object is the ID itself.
    fn find_id(&self) -> &'a [u8] {
        match self.scan.peek() {
            b'{' => {}
            b'[' => return b"null",
            _ => return self.scan.peek_value(),
        }
        self.plan.words.id.iter().find_map(|name| self.scan.clone().find_member(name.as_bytes())).unwrap_or(b"null")
    }

    /// Writes a list under `results`, in an object that is left open. A search result and its record become one.
    ///
    /// An object that holds no list, or whose other members would not fit beside it, is the only result.
    fn write_results(&mut self, search: Option<(&str, &str)>) -> Written {
        self.out.push(b'{');
        self.write_key(&write_key(RESULTS));
        let (root, first) = (self.plan.root, self.scan.peek());
        let found = search.and_then(|(items, item)| Some((self.find_results(items)?, items, item)));
        match (found, first) {
            (Some((found, items, item)), _) => {
                let object = std::mem::replace(&mut self.scan, found);
                self.write_matches(self.plan.item(self.plan.member(root, items)), item)?;
                self.scan = object;
                self.write_others(items.as_bytes())
            }
            (None, b'[') => self.write_list(self.plan.item(root)),
            (None, b'n') => {
                self.out.extend_from_slice(b"[]");
                Ok(())
            }
            (None, _) => {
                self.out.push(b'[');
                self.write(root)?;
                self.out.push(b']');
                Ok(())
            }
        }
    }

    /// Finds the list that the next object holds, if its other members fit beside it.
    fn find_results(&self, items: &str) -> Option<Scanner<'a>> {
        let scan = self.scan.clone();
        let found = if scan.peek() == b'{' { scan.clone().find_member_at(items.as_bytes()) } else { None };
        let mut names = Names::new(self.plan);
        [RESULTS, HAS_MORE, NEXT_CURSOR, NEXT_START].into_iter().for_each(|name| names.add(name));
        let found = found.filter(|found| found.peek() == b'[')?;
        names.add_beside(scan, items, ANY);
        names.differ().then_some(found)
    }

    fn write_matches(&mut self, result: NodeId, item: &str) -> Written {
        self.out.push(b'[');
        let mut items = self.scan.open();
        while self.scan.next_item(&mut items) {
            self.separate(b'[');
            if self.fits_in_one(result, item) { self.write_match(result, item)? } else { self.write(result)? }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Checks that the next search result and its record have no name twice as one object.
    fn fits_in_one(&self, result: NodeId, item: &str) -> bool {
        let scan = &self.scan;
        let found = if scan.peek() == b'{' { scan.clone().find_member_at(item.as_bytes()) } else { None };
        let Some(found) = found.filter(|found| found.peek() == b'{') else { return false };
        let (mut names, record) = (Names::new(self.plan), self.plan.member(result, item));
        names.add_beside(scan.clone(), item, record);
        names.add_object(found, record);
        names.differ()
    }

    fn write_match(&mut self, result: NodeId, item: &str) -> Written {
        self.out.push(b'{');
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            if key == item.as_bytes() && self.scan.peek() == b'{' {
                self.write_members(self.plan.member(result, item))?;
            } else {
                self.write_unknown(key, None)?;
            }
        }
        self.out.push(b'}');
        // No two of the names are one: that was checked.
        self.unknown.clear();
        Ok(())
    }

    /// Writes the members of the next object beside the one that was written.
    fn write_others(&mut self, written: &[u8]) -> Written {
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            if key == written {
                self.scan.take_value();
            } else {
                self.write_unknown(key, None)?;
            }
        }
        Ok(())
    }

    fn write_page(&mut self, page: &Page) {
        self.write_key(&write_key(HAS_MORE));
        write_value(self.out, &page.next.is_some());
        self.write_key(&write_key(NEXT_CURSOR));
        write_value(self.out, &page.next);
        self.write_key(&write_key(NEXT_START));
        write_value(self.out, &page.next.as_deref().and_then(page::read_start));
        self.out.push(b'}');
    }

    /// Writes a name as it stands in the text, with its escapes.
    fn write_raw_key(&mut self, key: &[u8]) {
        self.separate(b'{');
        self.out.push(b'"');
        self.out.extend_from_slice(key);
        self.out.extend_from_slice(b"\":");
    }

    /// Writes a name that is JSON with its colon.
    fn write_key(&mut self, key: &[u8]) {
        self.separate(b'{');
        self.out.extend_from_slice(key);
    }

    fn separate(&mut self, opening: u8) {
        if self.out.last() != Some(&opening) {
            self.out.push(b',');
        }
    }
}

#[cfg(test)]
mod tests;
