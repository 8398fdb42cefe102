//! Custom fields of an answer by name: one pass over its bytes. What has no custom fields is copied as it is.

use crate::declare::fields::FieldKind;
use crate::exchange::fields::plan::{FieldNode, FieldNodeId, FieldPlan};
use crate::exchange::fields::set::{FieldSet, KnownField, PART_MARK, has_options};
use crate::exchange::plan::write_key;
use crate::value::raw_json::RawJson;
use crate::value::scan::Scanner;

/// A way to show custom fields by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedFields {
    /// The names replace the codes.
    Instead,
    /// The names stand beside the codes, in an object of their own.
    Beside,
}

/// An answer with custom fields by name.
#[derive(Debug)]
pub(crate) struct NamedAnswer {
    pub(crate) data: RawJson,
    /// The codes and IDs that the definitions do not have, as far as they are listed. They stayed as they were.
    pub(crate) missed: Vec<String>,
}

/// The most codes and IDs that are listed as missed.
const MOST_MISSED: usize = 20;

/// Writes an answer with its custom fields by name. The sets are those of the plan's definitions, in their order.
pub(crate) fn name_fields(plan: &FieldPlan, sets: &[&FieldSet], data: &RawJson, how: NamedFields) -> NamedAnswer {
    let text = data.as_str();
    let mut walk = FieldWalk {
        plan,
        sets,
        how,
        text: text.as_bytes(),
        scan: Scanner::new(text),
        out: Vec::with_capacity(text.len() + if how == NamedFields::Beside { text.len() / 2 } else { 0 }),
        copied: 0,
        order: vec![Vec::new(); sets.len()],
        missed: Vec::new(),
    };
    walk.step(plan.root);
    walk.copy_to(text.len());
    NamedAnswer { data: RawJson::from_text(walk.out), missed: walk.missed }
}

/// A walk over JSON that was checked.
struct FieldWalk<'a> {
    plan: &'a FieldPlan,
    sets: &'a [&'a FieldSet],
    how: NamedFields,
    text: &'a [u8],
    scan: Scanner<'a>,
    out: Vec<u8>,
    /// The number of bytes of the text that were copied or replaced.
    copied: usize,
    /// The fields of the object before, in their order, for each set: the next one likely has the same.
    order: Vec<Vec<usize>>,
    missed: Vec<String>,
}

/// A value of a field that stands beside a record's own members: its parts, by their number.
struct Gathered<'a> {
    field: usize,
    parts: Vec<(usize, &'a [u8])>,
}

impl<'a> FieldWalk<'a> {
    /// Steps past the next value, and names the custom fields in it.
    fn step(&mut self, node: FieldNodeId) {
        match (self.scan.peek(), self.plan.node(node)) {
            (b'[', FieldNode::List(item)) => self.step_list(*item),
            // A list where a record was declared holds such records.
            (b'[', FieldNode::Record { .. }) => self.step_list(node),
            (b'{', FieldNode::Map(value)) => self.step_map(*value),
            (b'{', FieldNode::Record { members, beside }) => match beside {
                Some(set) => self.step_record_with_fields(members, *set),
                None => self.step_record(members),
            },
            (first, FieldNode::Values(set)) => self.step_values(*set, first == b'{'),
            _ => drop(self.scan.take_value()),
        }
    }

    fn step_list(&mut self, item: FieldNodeId) {
        let mut items = self.scan.open();
        while self.scan.next_item(&mut items) {
            self.step(item);
        }
    }

    fn step_map(&mut self, value: FieldNodeId) {
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            self.scan.take_key();
            self.step(value);
        }
    }

    fn step_record(&mut self, known: &[(String, FieldNodeId)]) {
        let mut members = self.scan.open();
        while self.scan.next_item(&mut members) {
            let key = self.scan.take_key();
            self.step_member(known, key);
        }
    }

    fn step_member(&mut self, known: &[(String, FieldNodeId)], key: &[u8]) {
        match known.iter().find(|(name, _)| name.as_bytes() == key) {
            Some((_, node)) => self.step(*node),
            None => drop(self.scan.take_value()),
        }
    }

    /// Steps past an object of values by code. Where there are none, there may be another value, as null.
    fn step_values(&mut self, set: usize, is_object: bool) {
        if self.how == NamedFields::Instead {
            if is_object {
                self.rename_members(set);
            } else {
                self.scan.take_value();
            }
            return;
        }
        let start = self.scan.clone();
        let value = self.scan.take_value();
        let after = self.offset(value) + value.len();
        self.copy_to(after);
        self.out.push(b',');
        self.out.extend_from_slice(&write_key(self.plan.words.by_name));
        self.copied = start.position();
        if is_object {
            let rest = std::mem::replace(&mut self.scan, start);
            self.rename_members(set);
            self.scan = rest;
        }
        self.copy_to(after);
    }

    /// Steps past an object of values by code, and writes names for codes and labels for options.
    fn rename_members(&mut self, number: usize) {
        let set = self.sets[number];
        let mut members = self.scan.open();
        let mut at = 0;
        while self.scan.next_item(&mut members) {
            let start = self.scan.position();
            let code = self.scan.take_key();
            let Some(field) = self.find_field(number, code, at) else {
                self.miss(code);
                self.scan.take_value();
                continue;
            };
            at += 1;
            let field = set.get(field);
            if let Some(key) = &field.key {
                self.copy_to(start);
                self.out.extend_from_slice(key);
                self.copied = self.scan.position();
            }
            let value = self.scan.take_value();
            if has_options(field.field.kind) && value != b"null" {
                let start = self.offset(value);
                self.copy_to(start);
                self.write_labels(field, value);
                self.copied = start + value.len();
            }
        }
    }

    /// Finds the field of a code. The order of the object before makes the first guess.
    fn find_field(&mut self, number: usize, code: &[u8], at: usize) -> Option<usize> {
        let set = self.sets[number];
        if let Some(guess) = self.order[number].get(at).filter(|guess| set.get(**guess).field.code.as_bytes() == code) {
            return Some(*guess);
        }
        let (field, part) = set.find_member(code)?;
        if part > 0 {
            return None;
        }
        let order = &mut self.order[number];
        match order.get_mut(at) {
            Some(guess) => *guess = field,
            None => order.push(field),
        }
        Some(field)
    }

    /// Steps past a record that has custom fields beside its own members, and gathers them into an object.
    fn step_record_with_fields(&mut self, known: &[(String, FieldNodeId)], number: usize) {
        let set = self.sets[number];
        let mut gathered: Vec<Gathered<'a>> = Vec::new();
        let name = match self.how {
            NamedFields::Instead => self.plan.words.values,
            NamedFields::Beside => self.plan.words.by_name,
        };
        // A record that has such a member already is no record of this kind.
        if self.scan.clone().find_member(name.as_bytes()).is_some() {
            return self.step_record(known);
        }
        let (mut is_empty, mut was_taken_out) = (true, false);
        let mut members = self.scan.open();
        let end = loop {
            let before = self.scan.position();
            let has_more = self.scan.next_item(&mut members);
            let start = if has_more { self.scan.position() } else { before };
            if was_taken_out {
                self.copied = start;
            }
            if !has_more {
                break start;
            }
            let key = self.scan.take_key();
            let Some((field, part)) = set.find_member(key) else {
                if is_code_or_part(set, key) {
                    self.miss(key);
                }
                (is_empty, was_taken_out) = (false, false);
                self.step_member(known, key);
                continue;
            };
            let value = self.scan.take_value();
            match gathered.iter_mut().find(|gathered| gathered.field == field) {
                Some(gathered) => gathered.parts.push((part, value)),
                None => gathered.push(Gathered { field, parts: vec![(part, value)] }),
            }
            if self.how == NamedFields::Instead {
                self.copy_to(start);
                was_taken_out = true;
            } else {
                is_empty = false;
            }
        };
        self.copy_to(end);
        // A member that was taken out last left the comma before it.
        if !is_empty && !was_taken_out {
            self.out.push(b',');
        }
        self.out.extend_from_slice(&write_key(name));
        self.write_gathered(set, gathered);
    }

    fn write_gathered(&mut self, set: &FieldSet, gathered: Vec<Gathered<'a>>) {
        self.out.push(b'{');
        for (at, Gathered { field, mut parts }) in gathered.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let field = set.get(field);
            match &field.key {
                Some(key) => self.out.extend_from_slice(key),
                None => self.out.extend_from_slice(&write_key(&field.field.code)),
            }
            parts.sort_by_key(|(part, _)| *part);
            match parts[..] {
                [(0, value)] if has_options(field.field.kind) && value != b"null" => self.write_labels(field, value),
                [(0, value)] if field.field.parts.is_empty() || value == b"null" || value.starts_with(b"{") => {
                    self.out.extend_from_slice(value);
                }
                _ if parts.iter().all(|(_, value)| *value == b"null") => self.out.extend_from_slice(b"null"),
                _ => self.write_parts(field, &parts),
            }
        }
        self.out.push(b'}');
    }

    fn write_parts(&mut self, field: &KnownField, parts: &[(usize, &[u8])]) {
        self.out.push(b'{');
        for (at, (part, value)) in parts.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&write_key(field.field.parts.get(*part).copied().unwrap_or_default()));
            self.out.extend_from_slice(value);
        }
        self.out.push(b'}');
    }

    /// Writes the labels of a value that holds IDs of options.
    fn write_labels(&mut self, field: &KnownField, value: &[u8]) {
        match value.first() {
            Some(b'[') => {
                let mut scan = Scanner::new(std::str::from_utf8(value).unwrap_or_default());
                let mut items = scan.open();
                self.out.push(b'[');
                let mut is_first = true;
                while scan.next_item(&mut items) {
                    self.separate(&mut is_first);
                    self.write_label(field, scan.take_value());
                }
                self.out.push(b']');
            }
            // Records that have the fields beside their own members have one text for several options.
            Some(b'"') if field.field.kind == FieldKind::Options => {
                self.out.push(b'[');
                let mut is_first = true;
                for id in value[1..value.len() - 1].split(|byte| *byte == b',').filter(|id| !id.is_empty()) {
                    self.separate(&mut is_first);
                    let is_number = id.iter().all(u8::is_ascii_digit);
                    self.write_label(field, &if is_number { id.to_vec() } else { [b"\"", id, b"\""].concat() });
                }
                self.out.push(b']');
            }
            _ => self.write_label(field, value),
        }
    }

    /// Writes the label of an option by its ID: a number, a text, or an object that has it. Without one the ID stays.
    fn write_label(&mut self, field: &KnownField, value: &[u8]) {
        let option = (value.first() == Some(&b'{')).then(|| Scanner::new(std::str::from_utf8(value).unwrap_or_default()));
        let id = option.clone().and_then(|option| option.find_member(b"id")).unwrap_or(value);
        // A text can be that of a number.
        let number = id.strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\""));
        match field.labels.get(id).or_else(|| field.labels.get(number?)) {
            Some(Some(label)) => {
                // A label that the vendor answers beside the ID is never older than the definitions.
                let own = option.and_then(|option| option.find_member(b"label")).filter(|label| label.starts_with(b"\""));
                self.out.extend_from_slice(own.unwrap_or(label));
            }
            Some(None) => self.out.extend_from_slice(value),
            None => {
                self.miss(number.unwrap_or(id));
                self.out.extend_from_slice(value);
            }
        }
    }

    fn separate(&mut self, is_first: &mut bool) {
        if !std::mem::take(is_first) {
            self.out.push(b',');
        }
    }

    /// Copies the text up to a place, as far as it was not copied or replaced yet.
    fn copy_to(&mut self, end: usize) {
        if let Some(part) = self.text.get(self.copied..end) {
            self.out.extend_from_slice(part);
            self.copied = end;
        }
    }

    /// Returns the place of a part of the text.
    fn offset(&self, part: &[u8]) -> usize {
        part.as_ptr() as usize - self.text.as_ptr() as usize
    }

    /// Remembers a code or an ID that the definitions do not have.
    fn miss(&mut self, what: &[u8]) {
        let what = String::from_utf8_lossy(what);
        if self.missed.len() < MOST_MISSED && !self.missed.iter().any(|missed| *missed == what) {
            self.missed.push(what.into_owned());
        }
    }
}

/// Checks whether the name of a member has the form of a code, or of a part beside one.
fn is_code_or_part(set: &FieldSet, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    (set.words.is_code)(name) || name.match_indices(PART_MARK).any(|(at, _)| (set.words.is_code)(&name[..at]))
}

#[cfg(test)]
mod tests;
