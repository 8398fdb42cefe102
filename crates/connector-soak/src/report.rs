//! The report of a run, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use pipedrive_sandbox::FaultCount;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::book::Entries;
use crate::plan::Plan;
use crate::proof::Proof;
use crate::reign::Reign;
use crate::samples::root;

/// The growth of memory that counts as none: a tenth, and 16 MiB for caches that fill up.
const SLACK_KIB: u64 = 16 << 10;

/// All that a run found.
pub(crate) struct Findings<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) commit: String,
    pub(crate) store: &'static str,
    /// The size of the store's file in bytes; nothing in PostgreSQL.
    pub(crate) store_size: u64,
    pub(crate) actions: Vec<&'a str>,
    pub(crate) elapsed: Duration,
    pub(crate) reign: &'a Reign,
    pub(crate) entries: &'a Entries,
    pub(crate) proof: &'a Proof,
    pub(crate) panics: u64,
    pub(crate) hang_ups: u64,
    pub(crate) faults: Vec<FaultCount>,
}

/// A promise, and whether it was held.
struct Promise {
    what: String,
    is_held: bool,
}

impl Findings<'_> {
    fn list_promises(&self) -> Vec<Promise> {
        let promise = |is_held, what: &str| Promise { what: what.to_owned(), is_held };
        let memory = match self.reign.compare_memory(self.plan.invocations) {
            Some((warm, end)) => Promise {
                what: format!("The memory of the host is flat: {} MiB when it was warm, {} MiB at its end.", warm >> 10, end >> 10),
                is_held: end <= warm + warm / 10 + SLACK_KIB,
            },
            // A run that is too short, or another system than Linux, has no such figures.
            None => promise(true, "The memory of the host was not measured."),
        };
        vec![
            promise(
                self.entries.broken_count == 0,
                "No create was carried out twice under one key, none was reported ok that was not, and each answer after a loss is allowed.",
            ),
            promise(self.panics == 0, "No line of the host's log tells of a panic."),
            memory,
        ]
    }

    /// Checks that every promise was held.
    pub(crate) fn are_good(&self) -> bool {
        self.list_promises().iter().all(|promise| promise.is_held)
    }

    /// Writes the report.
    pub(crate) fn write(&self) -> String {
        let mut text = String::from(
            "# A run under every fault\n\n\
             `just soak` sends invocations to `connector serve` over HTTP, singly and as streams of lines, while the sandbox makes every fault that it knows\n\
             and the host is killed with SIGKILL again and again. It then holds what was answered against what the sandbox has. This page is its report.\n\n",
        );
        self.write_figures(&mut text);
        text += "\n## What was promised\n\n";
        for promise in self.list_promises() {
            let _ = writeln!(text, "- {} {}", if promise.is_held { "Held:" } else { "**Broken:**" }, promise.what);
        }
        if self.entries.broken_count > 0 {
            let _ = writeln!(text, "\n{} promises were broken:\n", self.entries.broken_count);
            for broken in &self.entries.broken {
                let _ = writeln!(text, "- {broken}");
            }
        }
        self.write_answers(&mut text);
        text
    }

    fn write_figures(&self, text: &mut String) {
        let Self { plan, entries, proof, reign, .. } = self;
        let rate = u128::from(plan.invocations) * 1000 / self.elapsed.as_millis().max(1);
        let size = if self.store_size > 0 { format!(", {} MiB at the end", self.store_size >> 20) } else { String::new() };
        let mut row = |name: &str, value: String| *text += &format!("| {name} | {value} |\n");
        row("", String::new());
        row("---", "---".to_owned());
        row("date", write_date());
        row("commit", self.commit.clone());
        row("machine", describe_machine());
        row("store", format!("{}{size}", self.store));
        row(
            "invocations",
            format!("{} over {} actions, {} companies, {} in flight", plan.invocations, self.actions.len(), plan.companies, plan.jobs),
        );
        row("creates under a key", format!("{}, and {} without one", proof.keyed, proof.unkeyed));
        row("creates at the sandbox", proof.carried_out.to_string());
        row("sent", format!("{}, of which {} answers were lost, {} to clients that hung up", entries.sends, entries.lost, self.hang_ups));
        row("kills", format!("{}; the longest start took {} ms", reign.kills, reign.longest_start.as_millis()));
        row("time", format!("{} s, {rate} invocations a second", self.elapsed.as_secs()));
        row("seed and faults", format!("{}; `{}`", plan.seed, plan.faults));
        row("actions that succeeded", format!("{} of {}", entries.succeeded.len(), self.actions.len()));
        let mut others: Vec<&str> = self.actions.iter().copied().filter(|action| !entries.succeeded.contains(*action)).collect();
        others.sort_unstable();
        row("actions that did not", others.join(", "));
    }

    fn write_answers(&self, text: &mut String) {
        let Self { entries, proof, .. } = self;
        let columns = ["create under a key", "create without a key", "write", "read"];
        let mut kinds: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
        for ((what, kind), count) in &entries.kinds {
            if let Some(column) = columns.iter().position(|column| column == what) {
                kinds.entry(kind).or_default()[column] += count;
            }
        }
        let _ = writeln!(text, "\n## How it was answered\n\n| outcome | {} |\n|---|---|---|---|---|", columns.join(" | "));
        for (kind, counts) in kinds {
            let _ = writeln!(text, "| `{kind}` | {} |", counts.map(|count| count.to_string()).join(" | "));
        }
        text.push_str("\nCreates under a key whose answer was lost, sent again with it:\n\n| answered by | times |\n|---|---|\n");
        for (what, count) in &entries.after_loss {
            let _ = writeln!(text, "| {what} | {count} |");
        }
        let (done, not_done) = (proof.unknown_done, proof.unknown_not_done);
        let _ = writeln!(text, "\nKeys whose outcome stays unknown: {done} that were carried out, {not_done} that were not.");
        if !self.faults.is_empty() {
            text.push_str("\n## What the sandbox did\n\n| fault | requests | carried out |\n|---|---|---|\n");
            for made in &self.faults {
                let _ = writeln!(text, "| {} | {} | {} |", made.fault, made.count, if made.is_carried_out { "yes" } else { "no" });
            }
        }
    }
}

pub(crate) fn write_date() -> String {
    OffsetDateTime::now_utc().format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
}

/// Names the commit that is checked out. A tree with changes is marked.
pub(crate) fn find_commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let is_changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    if is_changed { format!("{commit}, with changes") } else { commit }
}

pub(crate) fn describe_machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").ok();
    let model = model.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("model name")));
    let model = model.and_then(|line| line.split_once(": ")).map_or(String::new(), |(_, model)| format!(" of {model}"));
    let build = if cfg!(debug_assertions) { ", debug build" } else { "" };
    format!("{cores} cores{model}{build}")
}
