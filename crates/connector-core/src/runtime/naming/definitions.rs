//! Definitions: a list that an account defines, as it was read.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::fields::FieldWords;
use crate::declare::input_value::InputValue;
use crate::embed::cache::FRESH;
use crate::exchange::fields::set::FieldSet;
use crate::value::raw_json::RawJson;

/// The most names that were looked for in vain and are remembered.
const MOST_MISSES: usize = 1_000;

/// The time after which a name that was looked for in vain is looked for again.
const MISSED_FOR: Duration = Duration::from_mins(1);

/// The time by which the clock of another host may be ahead.
const AHEAD: Duration = Duration::from_secs(5);

/// A list of definitions that is read whole: the key of an action, and its inputs beside the page.
#[derive(Clone, Copy, Debug)]
pub struct ListOf {
    /// The key of the action that lists the definitions.
    pub list: &'static str,
    /// The inputs, but for the page.
    pub input: &'static [(&'static str, InputValue)],
}

/// The definitions of one kind in one account. They were read at one time.
#[derive(Debug)]
pub struct Definitions {
    text: RawJson,
    read_at: SystemTime,
    /// The definitions of custom fields among the records, once they were parsed.
    fields: OnceLock<FieldSet>,
    /// The names that were looked for in vain, after the list had been read again for them.
    misses: Mutex<HashSet<String>>,
}

/// The freshness that a call needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Freshness {
    /// The list was read within the last hour.
    Kept,
    /// The list was read at this time or later.
    ReadSince(SystemTime),
}

impl ListOf {
    /// Returns the name of the list in a cache. Lists that are read with different inputs differ.
    pub(super) fn name(&self) -> String {
        self.input.iter().fold(self.list.to_owned(), |name, (input, value)| format!("{name}&{input}={}", Value::from(*value)))
    }
}

impl Definitions {
    pub(super) fn new(text: RawJson, read_at: SystemTime) -> Self {
        Self { text, read_at, fields: OnceLock::new(), misses: Mutex::default() }
    }

    /// Returns the records, of which none is parsed.
    pub fn records(&self) -> Vec<&RawValue> {
        serde_json::from_str(self.text.as_str()).unwrap_or_default()
    }

    /// Returns the fields that the records define, parsed once.
    pub(in crate::runtime) fn fields(&self, words: FieldWords) -> &FieldSet {
        self.fields.get_or_init(|| {
            let records: Vec<Map<String, Value>> = serde_json::from_str(self.text()).unwrap_or_default();
            FieldSet::build(words, records.iter().filter_map(words.read).collect())
        })
    }

    /// Returns the records as the text of a JSON array.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Returns the time at which the list was read.
    pub(in crate::runtime) fn read_at(&self) -> SystemTime {
        self.read_at
    }

    /// Returns the time since the list was read.
    pub fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.read_at).unwrap_or_default()
    }

    /// Checks that the list is as fresh as a call needs it.
    pub(super) fn is_fresh(&self, freshness: Freshness) -> bool {
        is_fresh(self.read_at, freshness)
    }

    /// Returns what a call needs that found nothing here under a name, if it may read the list again.
    ///
    /// A list that was just read again for the same name is not read for it once more.
    pub(crate) fn miss(&self, name: &str) -> Option<Freshness> {
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = misses.contains(name) && self.age() < MISSED_FOR;
        if !is_known && misses.len() < MOST_MISSES {
            misses.insert(name.to_owned());
        }
        (!is_known).then(|| Freshness::ReadSince(self.read_at + Duration::from_nanos(1)))
    }
}

/// Checks that a list that was read at a time is as fresh as a call needs it.
pub(super) fn is_fresh(read_at: SystemTime, freshness: Freshness) -> bool {
    let is_kept = match SystemTime::now().duration_since(read_at) {
        Ok(age) => age < FRESH,
        // A clock that was set back would keep the list for longer.
        Err(ahead) => ahead.duration() < AHEAD,
    };
    match freshness {
        Freshness::Kept => is_kept,
        Freshness::ReadSince(time) => is_kept && read_at >= time,
    }
}
