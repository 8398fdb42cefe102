//! Answers: counts by kind, and for each create all of its answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::samples::{CREATES, Job, JobKind, write_text};

/// The most broken promises that are told in full.
const MOST_TOLD: usize = 50;

/// The most repetitions of a create that is refused for a while.
const MOST_REPETITIONS: u32 = 8;

/// All that was answered.
#[derive(Default)]
pub(crate) struct Book(Mutex<Entries>);

#[derive(Default)]
pub(crate) struct Entries {
    /// The number of answers, by what was sent and how it was answered.
    pub(crate) kinds: BTreeMap<(&'static str, String), u64>,
    /// The number of answers to invocations whose answer was lost before.
    pub(crate) after_loss: BTreeMap<&'static str, u64>,
    pub(crate) creates: HashMap<u64, CreateRecord>,
    /// The actions that succeeded.
    pub(crate) succeeded: BTreeSet<String>,
    pub(crate) broken: Vec<String>,
    pub(crate) broken_count: u64,
    pub(crate) sends: u64,
    pub(crate) lost: u64,
}

/// All answers to a create.
pub(crate) struct CreateRecord {
    pub(crate) kind: usize,
    pub(crate) company: usize,
    pub(crate) is_keyed: bool,
    pub(crate) has_twin: bool,
    pub(crate) answers: Vec<Verdict>,
    /// The ID of the record that an answer told.
    pub(crate) id: Option<Value>,
}

/// The effect that an answer says a create had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was carried out.
    Done,
    /// Nothing was changed, for certain.
    Nothing,
    /// It may have been carried out.
    Doubtful,
    /// No answer came.
    Lost,
}

/// The way of an invocation after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Done,
    /// It is sent again at once.
    AtOnce,
    /// It is sent again when the refusal may have ended.
    Later,
}

impl Book {
    pub(crate) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that no answer came.
    pub(crate) fn record_loss(&self, job: &Job) -> Next {
        let mut entries = self.entries();
        entries.sends += 1;
        entries.lost += 1;
        match job.kind {
            JobKind::Create { is_keyed, .. } => {
                entries.find_create(job).answers.push(Verdict::Lost);
                if is_keyed { Next::AtOnce } else { Next::Done }
            }
            JobKind::Read => Next::AtOnce,
            JobKind::Write => Next::Done,
        }
    }

    /// Records an outcome, and tells whether the invocation is sent again.
    pub(crate) fn record(&self, job: &Job, outcome: &Value) -> Next {
        let mut entries = self.entries();
        entries.sends += 1;
        let kind = if outcome["ok"] == true { "ok" } else { outcome["error"]["kind"].as_str().unwrap_or("no kind") };
        *entries.kinds.entry((job.kind.describe(), kind.to_owned())).or_default() += 1;
        if outcome["id"] != job.number || outcome["action"] != *job.action {
            entries.report(format!("{} was answered by the outcome of another: {outcome:.300}", job.describe()));
        }
        if kind == "ok" && !entries.succeeded.contains(&job.action) {
            entries.succeeded.insert(job.action.clone());
        }
        if is_never_right(kind, job.kind) {
            entries.report(format!("{} was answered {kind}: {outcome:.500}", job.describe()));
        }
        if !matches!(job.kind, JobKind::Create { .. }) {
            return Next::Done;
        }
        entries.record_create(job, kind, outcome)
    }
}

impl Entries {
    pub(crate) fn report(&mut self, broken: String) {
        self.broken_count += 1;
        if self.broken.len() < MOST_TOLD {
            self.broken.push(broken);
        }
    }

    fn find_create(&mut self, job: &Job) -> &mut CreateRecord {
        let JobKind::Create { kind, company, is_keyed } = job.kind else { unreachable!("only creates are looked for") };
        let new = || CreateRecord { kind, company, is_keyed, has_twin: job.has_twin, answers: Vec::new(), id: None };
        self.creates.entry(job.number).or_insert_with(new)
    }

    fn record_create(&mut self, job: &Job, kind: &str, outcome: &Value) -> Next {
        let is_replayed = outcome["meta"]["replayed"] == true;
        let retry = outcome["error"]["retry"].as_str().unwrap_or_default();
        let verdict = match (kind, retry) {
            ("ok", _) => Verdict::Done,
            (_, "unsafe") => Verdict::Doubtful,
            _ => Verdict::Nothing,
        };
        if job.is_lost {
            let what = match (verdict, kind) {
                (Verdict::Done, _) if is_replayed => "its stored outcome",
                (Verdict::Done, _) => "carried out now",
                (_, "outcome_unknown") => "`outcome_unknown`",
                (Verdict::Nothing, _) => "refused now, with nothing changed",
                _ => "carried out now, with a doubtful end",
            };
            *self.after_loss.entry(what).or_default() += 1;
        }
        let record = self.find_create(job);
        let (before, known, is_keyed) = (record.answers.clone(), record.id.clone(), record.is_keyed);
        record.answers.push(verdict);
        if verdict == Verdict::Done {
            self.check_done(job, known.as_ref(), is_replayed, outcome);
        } else if before.contains(&Verdict::Done) && !job.has_twin {
            self.report(format!("{} was done, and is now answered {kind}: {outcome:.300}", job.describe()));
        }
        match verdict {
            _ if !is_keyed => Next::Done,
            Verdict::Nothing if retry == "later" && job.sends < MOST_REPETITIONS => Next::Later,
            // Sent again, it must not be carried out a second time.
            Verdict::Doubtful if kind != "outcome_unknown" && job.sends < MOST_REPETITIONS => Next::AtOnce,
            _ => Next::Done,
        }
    }

    /// Checks that an outcome that is ok is that of this create, and the same as before.
    fn check_done(&mut self, job: &Job, known: Option<&Value>, is_replayed: bool, outcome: &Value) {
        let (data, create) = (&outcome["data"], &CREATES[self.find_create(job).kind]);
        if data[create.text] != write_text(job.number) {
            self.report(format!("{} has an outcome that lacks its text: {outcome:.500}", job.describe()));
        }
        match known {
            Some(known) if *known != data["id"] => {
                self.report(format!("{} made two records: {known} and {}", job.describe(), data["id"]));
            }
            Some(_) if !is_replayed && !job.has_twin => {
                self.report(format!("{} was done, and is now carried out as if it were not: {outcome:.300}", job.describe()));
            }
            Some(_) => {}
            None => self.find_create(job).id = Some(data["id"].clone()),
        }
    }
}

impl Job {
    /// Names an invocation by its key.
    fn describe(&self) -> String {
        let key = write_text(self.number);
        match self.kind {
            JobKind::Create { is_keyed: true, .. } => format!("The key {key} ({})", self.action),
            _ => format!("{key} ({}, without a key)", self.action),
        }
    }
}

impl JobKind {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create { is_keyed: true, .. } => "create under a key",
            Self::Create { .. } => "create without a key",
        }
    }
}

/// Checks for kinds that no fault explains.
fn is_never_right(kind: &str, of: JobKind) -> bool {
    let ours = ["bug", "invalid_invocation", "unknown_action", "no_connection", "idempotency_mismatch", "no kind"];
    let of_input =
        ["invalid_input", "not_found", "gone", "forbidden", "missing_scope", "unauthorized", "reconnect_required", "upstream_rejected"];
    ours.contains(&kind) || matches!(of, JobKind::Create { .. }) && of_input.contains(&kind)
}
