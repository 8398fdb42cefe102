//! Definitions: a list that an account defines, as it was read.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::fields::{FieldWords, FieldsOf};
use crate::declare::input_value::InputValue;
use crate::embed::cache::FRESH;
use crate::exchange::fields::set::FieldSet;
use crate::value::estimate::Cost;
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
    /// The cost of reading the list, if it was read here.
    cost: Option<Cost>,
    /// The definitions of custom fields among the records, once they were parsed.
    fields: OnceLock<FieldSet>,
    /// The names that were looked for in vain, after the list had been read again for them.
    misses: Mutex<HashSet<String>>,
}

/// Names that a call looked for in vain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missed<'a> {
    /// A name that the caller gave. It is looked for again after a minute, since the account may have got it.
    Given(&'a str),
    /// Codes and IDs that records have. Those of what was deleted stay in records, and IDs are not used again.
    Shown(&'a [String]),
}

/// The freshness that a call needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Freshness {
    /// The list was read within the last hour.
    Kept,
    /// The list was read at this time or later.
    ReadSince(SystemTime),
}

impl From<&'static FieldsOf> for ListOf {
    fn from(of: &'static FieldsOf) -> Self {
        Self { list: of.list, input: of.input }
    }
}

impl ListOf {
    /// Returns the name of the list in a cache. Lists that are read with different inputs differ.
    pub(super) fn name(&self) -> String {
        self.input.iter().fold(self.list.to_owned(), |name, (input, value)| format!("{name}&{input}={}", Value::from(*value)))
    }
}

impl Definitions {
    pub(super) fn new(text: RawJson, read_at: SystemTime) -> Self {
        Self { text, read_at, cost: None, fields: OnceLock::new(), misses: Mutex::default() }
    }

    /// Sets what reading the list cost.
    pub(super) fn with_cost(self, cost: Option<Cost>) -> Self {
        Self { cost, ..self }
    }

    /// Returns what reading the list cost, if it was read here.
    pub(super) fn cost(&self) -> Option<Cost> {
        self.cost
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
    /// A list that was read again for the same name is not read for it once more.
    pub(crate) fn miss(&self, missed: &Missed<'_>) -> Option<Freshness> {
        let mut misses = self.lock_misses();
        let is_known = match missed {
            Missed::Given(name) => misses.contains(*name) && self.age() < MISSED_FOR,
            Missed::Shown(ids) => ids.iter().all(|id| misses.contains(id)),
        };
        let names = match missed {
            Missed::Given(name) => &[(*name).to_owned()],
            Missed::Shown(ids) => *ids,
        };
        for name in names {
            if misses.len() < MOST_MISSES {
                misses.insert(name.clone());
            }
        }
        (!is_known).then(|| Freshness::ReadSince(self.read_at + Duration::from_nanos(1)))
    }

    /// Remembers the names that were looked for in vain in a list that was read before this one.
    pub(crate) fn remember_misses(&self, older: &Self) {
        if std::ptr::eq(self, older) {
            return;
        }
        let known = older.lock_misses().clone();
        self.lock_misses().extend(known);
    }

    fn lock_misses(&self) -> MutexGuard<'_, HashSet<String>> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read_before(age: Duration) -> Definitions {
        Definitions::new(RawJson::from_text("[]".into()), SystemTime::now() - age)
    }

    #[test]
    fn name_is_looked_for_again_after_a_minute_and_an_id_is_not() {
        for (age, given_again) in [(Duration::from_secs(30), false), (Duration::from_mins(2), true)] {
            let list = read_before(age);
            assert!(list.miss(&Missed::Given("Tier")).is_some());
            assert_eq!(list.miss(&Missed::Given("Tier")).is_some(), given_again, "{age:?}");
            let ids = ["8".to_owned(), "9".to_owned()];
            assert!(list.miss(&Missed::Shown(&ids[..1])).is_some());
            assert!(list.miss(&Missed::Shown(&ids)).is_some(), "one of them is new");
            assert!(list.miss(&Missed::Shown(&ids)).is_none(), "{age:?}");
        }
    }

    #[test]
    fn list_that_was_read_again_remembers_what_the_older_one_missed() {
        let (older, newer) = (read_before(Duration::from_secs(30)), read_before(Duration::ZERO));
        older.miss(&Missed::Given("Tier"));
        newer.remember_misses(&older);
        newer.remember_misses(&newer);
        assert!(newer.miss(&Missed::Given("Tier")).is_none());
    }
}
