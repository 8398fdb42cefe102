//! The proof: what was answered, held against what the sandbox has.

use std::collections::HashMap;

use crate::book::{CreateRecord, Entries, Verdict};
use crate::samples::{CREATES, write_text};
use crate::vendor::FoundRecord;

/// The counts of the comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The number of creates under a key, and without one.
    pub(crate) keyed: u64,
    pub(crate) unkeyed: u64,
    /// The number of them that the sandbox has.
    pub(crate) carried_out: u64,
    /// The number of keys whose last word is that the outcome is not known, by what the sandbox has.
    pub(crate) unknown_done: u64,
    pub(crate) unknown_not_done: u64,
}

impl Proof {
    /// Compares each create with what the sandbox has, and reports each broken promise.
    pub(crate) fn find(entries: &mut Entries, found: &HashMap<u64, Vec<FoundRecord>>) -> Self {
        let mut proof = Self::default();
        let mut broken: Vec<String> = Vec::new();
        let none = Vec::new();
        for (number, create) in &entries.creates {
            let records = found.get(number).unwrap_or(&none);
            *(if create.is_keyed { &mut proof.keyed } else { &mut proof.unkeyed }) += 1;
            proof.carried_out += u64::from(!records.is_empty());
            if create.is_keyed && create.answers.last() == Some(&Verdict::Doubtful) && !create.answers.contains(&Verdict::Done) {
                *(if records.is_empty() { &mut proof.unknown_not_done } else { &mut proof.unknown_done }) += 1;
            }
            broken.extend(create.find_broken(records).map(|what| create.describe(*number, what, records)));
        }
        let strangers = found.keys().filter(|number| !entries.creates.contains_key(*number));
        broken.extend(strangers.map(|number| format!("{} is at the sandbox, and was never sent", write_text(*number))));
        broken.into_iter().for_each(|what| entries.report(what));
        proof
    }
}

impl CreateRecord {
    /// Finds the promise that the records of a create break.
    fn find_broken(&self, records: &[FoundRecord]) -> Option<&'static str> {
        let is_done = self.answers.contains(&Verdict::Done);
        match records {
            [_, _, ..] if self.is_keyed => Some("was carried out more than once"),
            [_, _, ..] => Some("was sent once, and carried out more than once"),
            [] if is_done => Some("was reported ok, and was not carried out"),
            [only] if is_done && self.id.as_ref() != Some(&only.id) => Some("was reported ok with the ID of another record"),
            [only] if (only.kind, only.company) != (self.kind, self.company) => Some("was carried out in another place"),
            [_] if self.says_nothing_was_done() => Some("was reported as not carried out, and was"),
            _ => None,
        }
    }

    /// Checks whether the caller may take it that nothing was done.
    ///
    /// The last answer says so, and each lost one came before it. With twins the order of the answers is not that of the work.
    fn says_nothing_was_done(&self) -> bool {
        let says_so = |answer: &Verdict| *answer == Verdict::Nothing;
        if self.has_twin { self.answers.iter().all(says_so) } else { self.answers.last().is_some_and(says_so) }
    }

    fn describe(&self, number: u64, what: &str, records: &[FoundRecord]) -> String {
        let key = if self.is_keyed { "The key" } else { "Without a key," };
        let ids: Vec<String> = records.iter().map(|record| record.id.to_string()).collect();
        let (action, text, answers) = (CREATES[self.kind].action, write_text(number), &self.answers);
        format!("{key} {text} ({action}) {what}: answers {answers:?}, records [{}]", ids.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(is_keyed: bool, answers: &[Verdict], id: Option<u64>) -> CreateRecord {
        CreateRecord { kind: 0, company: 3, is_keyed, has_twin: false, answers: answers.to_vec(), id: id.map(|id| json!(id)) }
    }

    fn records(ids: &[u64]) -> Vec<FoundRecord> {
        ids.iter().map(|id| FoundRecord { kind: 0, company: 3, id: json!(id) }).collect()
    }

    #[test]
    fn each_broken_promise_is_found_and_no_other() {
        use Verdict::{Done, Doubtful, Lost, Nothing};
        for (is_keyed, answers, id, there, word) in [
            (true, &[Done][..], Some(7), &[7][..], None),
            (true, &[Lost, Done], Some(7), &[7], None),
            (true, &[Lost, Doubtful], None, &[7], None),
            (true, &[Lost, Doubtful], None, &[], None),
            (true, &[Nothing, Done], Some(7), &[7], None),
            (true, &[Nothing, Nothing], None, &[], None),
            (false, &[Lost], None, &[7], None),
            (true, &[Lost, Done], Some(7), &[7, 8], Some("more than once")),
            (false, &[Doubtful], None, &[7, 8], Some("more than once")),
            (true, &[Done], Some(7), &[], Some("was not carried out")),
            (true, &[Done], Some(7), &[8], Some("ID of another")),
            (true, &[Lost, Nothing], None, &[7], Some("reported as not carried out")),
            (false, &[Nothing], None, &[7], Some("reported as not carried out")),
        ] {
            let broken = create(is_keyed, answers, id).find_broken(&records(there));
            let is_right = match word {
                Some(word) => broken.is_some_and(|broken| broken.contains(word)),
                None => broken.is_none(),
            };
            assert!(is_right, "{is_keyed} {answers:?} {there:?}: {broken:?}");
        }
        let elsewhere = FoundRecord { company: 4, ..records(&[7]).remove(0) };
        assert_eq!(create(true, &[Lost], None).find_broken(&[elsewhere]), Some("was carried out in another place"));
        let twins = CreateRecord { has_twin: true, ..create(true, &[Lost, Nothing], None) };
        assert_eq!(twins.find_broken(&records(&[7])), None, "the other twin may have done it");
    }

    #[test]
    fn proof_counts_what_is_there_and_reports_strangers() {
        let mut entries = Entries::default();
        entries.creates.insert(1, create(true, &[Verdict::Done], Some(7)));
        entries.creates.insert(2, create(true, &[Verdict::Lost, Verdict::Doubtful], None));
        entries.creates.insert(3, create(false, &[Verdict::Nothing], None));
        let found = HashMap::from([(1, records(&[7])), (2, records(&[8])), (9, records(&[10]))]);
        let proof = Proof::find(&mut entries, &found);
        assert_eq!(proof, Proof { keyed: 2, unkeyed: 1, carried_out: 2, unknown_done: 1, unknown_not_done: 0 });
        assert_eq!(entries.broken, ["soak-9 is at the sandbox, and was never sent"]);
    }
}
