//! Names that no record declares, in the flat view: two names of an object must not become one.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::declare::flat::join_names;
use crate::exchange::plan::{Node, NodeId, Plan, PlannedChange, RecordPlan};
use crate::value::scan::Scanner;

/// The names that an object gets in the flat view, as far as no record declares them.
pub(super) struct Names<'p> {
    plan: &'p Plan,
    hashes: Vec<u64>,
    has_declared: bool,
}

impl<'p> Names<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, hashes: Vec::new(), has_declared: false }
    }

    /// Adds a name as it is written.
    pub(super) fn add(&mut self, name: &str) {
        self.hashes.push(hash(name));
    }

    /// Adds the members of an object.
    pub(super) fn add_object(&mut self, mut scan: Scanner<'_>, node: NodeId) {
        let record = self.record(node);
        let mut members = scan.open();
        while scan.next_item(&mut members) {
            let key = scan.take_key();
            match record.and_then(|record| record.members.iter().find(|member| member.source.as_bytes() == key)) {
                Some(member) => {
                    if let (PlannedChange::Parts { parts }, b'{') = (&member.change, scan.peek()) {
                        self.add_parts(scan.clone(), &member.name, *parts, record);
                    }
                }
                None => self.add_unknown(&rename(self.plan, key), record),
            }
            scan.take_value();
        }
    }

    /// Adds the members of an object, but for `apart`, which come to stand beside those of a record.
    pub(super) fn add_beside(&mut self, mut scan: Scanner<'_>, apart: &str, node: NodeId) {
        let record = self.record(node);
        let mut members = scan.open();
        while scan.next_item(&mut members) {
            let key = scan.take_key();
            if key != apart.as_bytes() {
                self.add_unknown(&rename(self.plan, key), record);
            }
            scan.take_value();
        }
    }

    /// Checks that no two names are one.
    pub(super) fn differ(mut self) -> bool {
        !self.has_declared && !has_doubles(&mut self.hashes)
    }

    fn record(&self, node: NodeId) -> Option<&'p RecordPlan> {
        match self.plan.node(node) {
            Node::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Adds the members of an object whose parts stand beside it.
    fn add_parts(&mut self, mut scan: Scanner<'_>, whole: &str, parts: NodeId, record: Option<&RecordPlan>) {
        let known = self.record(parts);
        let mut members = scan.open();
        while scan.next_item(&mut members) {
            let key = scan.take_key();
            scan.take_value();
            let is_known = known.is_some_and(|known| known.members.iter().any(|part| part.source.as_bytes() == key));
            if key != self.plan.words.value.as_bytes() && !is_known {
                self.add_unknown(&join_names(whole, &rename(self.plan, key)), record);
            }
        }
    }

    fn add_unknown(&mut self, name: &str, record: Option<&RecordPlan>) {
        self.has_declared |= record.is_some_and(|record| is_declared(record, name));
        self.add(name);
    }
}

/// Returns the name of a member that no record declares. Escapes that stand for no text stay.
pub(super) fn rename<'k>(plan: &Plan, key: &'k [u8]) -> Cow<'k, str> {
    if key.contains(&b'\\') {
        let quoted = [b"\"", key, b"\""].concat();
        if let Ok(name) = serde_json::from_slice::<String>(&quoted) {
            return Cow::Owned(plan.words.rename(&name).into_owned());
        }
    }
    match std::str::from_utf8(key) {
        Ok(name) => plan.words.rename(name),
        Err(_) => String::from_utf8_lossy(key),
    }
}

/// Checks that a record declares a name of the flat view.
pub(super) fn is_declared(record: &RecordPlan, name: &str) -> bool {
    record.names.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
}

pub(super) fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn has_doubles(hashes: &mut [u64]) -> bool {
    hashes.sort_unstable();
    hashes.windows(2).any(|pair| pair[0] == pair[1])
}
