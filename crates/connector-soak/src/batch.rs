//! A batch of creates, stopped by Ctrl-C and SIGKILL again and again, and held against the sandbox.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::plan::{Failure, Plan, mix};
use crate::report::{describe_machine, find_commit, write_date};
use crate::samples::write_text;
use crate::vendor::Vendor;

/// The faults of the sandbox: some creates take a while, so that a kill comes amid calls.
const FAULTS: &str = "latency=20%:30ms@write";

/// The number of lines that run at once.
const JOBS: usize = 16;

/// The numbers of creates under a key, and without one.
const KEYED: u64 = 20_000;
const UNKEYED: u64 = 4_000;

/// The number of stops of each kind, of a batch.
const STOPS: u64 = 10;

/// A batch of creates and the place of its files.
struct BatchPlace {
    folder: tempfile::TempDir,
    program: PathBuf,
    sandbox: String,
}

/// The findings about a batch.
#[derive(Debug, Default)]
struct BatchProof {
    name: &'static str,
    lines: u64,
    interrupts: u64,
    kills: u64,
    /// The outcomes that stand twice, and the lines of the output that a kill cut.
    doubled: u64,
    torn: u64,
    ok: u64,
    /// The lines whose outcome is not known, by what the sandbox has.
    unknown_done: u64,
    unknown_not_done: u64,
    /// The unknown ones that were carried out once, after a person had looked and said so.
    settled: u64,
    elapsed: Duration,
    journal_size: u64,
    longest_drain: Duration,
    broken: Vec<String>,
}

/// Runs both batches, and writes the report. It tells whether every promise was held.
pub(crate) async fn run_batches(report: Option<PathBuf>) -> Result<bool, Failure> {
    let commit = find_commit();
    let mut proofs = Vec::new();
    for (name, lines, is_keyed) in [("with keys", KEYED, true), ("without keys", UNKEYED, false)] {
        let plan = Plan { companies: 2, faults: FAULTS.to_owned(), ..Plan::read([])?.ok_or("the plan is there")? };
        let vendor = Vendor::start(&plan).await?;
        let place = BatchPlace::create(&vendor.url)?;
        place.write_input("input", 1..=lines, is_keyed)?;
        let mut proof = BatchProof { name, lines, ..BatchProof::default() };
        let begun = Instant::now();
        place.run_through(&mut proof).await?;
        proof.elapsed = begun.elapsed();
        proof.journal_size = std::fs::metadata(place.path("journal"))?.len();
        let outcomes = place.read_outcomes(&mut proof.torn)?;
        let unknown = proof.compare(&outcomes, &vendor)?;
        if is_keyed {
            place.settle(&mut proof, &unknown, &vendor)?;
        }
        eprintln!("{proof:?}");
        proofs.push(proof);
    }
    let text = write_report(&commit, &proofs);
    println!("{text}");
    if let Some(file) = report {
        std::fs::write(file, &text)?;
    }
    Ok(proofs.iter().all(|proof| proof.broken.is_empty()))
}

impl BatchPlace {
    fn create(sandbox: &str) -> Result<Self, Failure> {
        let program = std::env::current_exe()?.with_file_name("connector");
        Ok(Self { folder: tempfile::tempdir()?, program, sandbox: sandbox.to_owned() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_input(&self, name: &str, numbers: impl Iterator<Item = u64>, is_keyed: bool) -> Result<(), Failure> {
        let mut text = String::new();
        for number in numbers {
            let mut line = json!({"id": number, "action": "addDeal", "input": {"title": write_text(number)}});
            if is_keyed {
                line["options"] = json!({"idempotencyKey": write_text(number)});
            }
            let _ = writeln!(text, "{line}");
        }
        Ok(std::fs::write(self.path(name), text)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
            command.env_remove(name);
        }
        command.env("CONNECTOR_DATA_DIR", self.folder.path()).env("CONNECTOR_SANDBOX", &self.sandbox).stderr(Stdio::null());
        command
    }

    /// Starts a run whose outcomes are appended to a file.
    fn start(&self, input: &str, journal: &str) -> Result<Child, Failure> {
        let output = OpenOptions::new().create(true).append(true).open(self.path("output"))?;
        let mut command = self.command();
        command.args(["invoke", "--jobs", &JOBS.to_string(), "--resume"]).arg(self.path(journal));
        Ok(command.stdin(File::open(self.path(input))?).stdout(output).spawn()?)
    }

    /// Stops the batch as often as is planned, at moments spread over it, and runs it to its end.
    async fn run_through(&self, proof: &mut BatchProof) -> Result<(), Failure> {
        let step = proof.lines / (2 * STOPS + 1);
        let (mut read, mut count) = (0, 0);
        for stop in 0..2 * STOPS {
            let until = stop * step + mix(stop) % step;
            let mut child = self.start("input", "journal")?;
            while count < until.max(1) {
                if child.try_wait()?.is_some() {
                    return Err(format!("the batch ended by itself after {count} outcomes").into());
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
                count += self.count_new(&mut read)?;
            }
            let begun = Instant::now();
            if stop % 2 == 0 {
                let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
                let ended = child.wait()?;
                proof.interrupts += u64::from(status.success() && ended.code() == Some(1));
                proof.longest_drain = proof.longest_drain.max(begun.elapsed());
            } else {
                child.kill()?;
                proof.kills += u64::from(child.wait()?.code().is_none());
            }
            count += self.count_new(&mut read)?;
            eprintln!("{}: stop {} after {count} outcomes", proof.name, stop + 1);
        }
        let ended = self.start("input", "journal")?.wait()?;
        if !matches!(ended.code(), Some(0 | 1)) {
            proof.broken.push(format!("the last run ended with {ended}"));
        }
        if (proof.interrupts, proof.kills) != (STOPS, STOPS) {
            proof.broken.push(format!("{} runs ended in order and {} by a kill, of {STOPS} each", proof.interrupts, proof.kills));
        }
        Ok(())
    }

    /// Counts the lines that the output has beyond a place.
    fn count_new(&self, from: &mut u64) -> Result<u64, Failure> {
        let mut file = File::open(self.path("output"))?;
        file.seek(SeekFrom::Start(*from))?;
        let mut new = Vec::new();
        *from += file.read_to_end(&mut new)? as u64;
        Ok(new.iter().filter(|byte| **byte == b'\n').count() as u64)
    }

    /// Reads the outcomes of all runs, by line. It counts the lines that a kill cut.
    fn read_outcomes(&self, torn: &mut u64) -> Result<HashMap<u64, Vec<Value>>, Failure> {
        let mut found: HashMap<u64, Vec<Value>> = HashMap::new();
        for line in std::fs::read_to_string(self.path("output"))?.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(outcome) => found.entry(outcome["id"].as_u64().unwrap_or_default()).or_default().push(outcome),
                Err(_) => *torn += 1,
            }
        }
        Ok(found)
    }

    /// Does what a person does with the lines that are unknown: looks at the vendor, says so, and sends them again.
    fn settle(&self, proof: &mut BatchProof, unknown: &[u64], vendor: &Vendor) -> Result<(), Failure> {
        let records = vendor.find_records()?;
        for number in unknown {
            let mut command = self.command();
            command.args(["ledger", "resolve", &write_text(*number)]);
            match records.get(number).and_then(|found| found.first()) {
                Some(record) => command.args(["--done", &json!({"id": record.id, "title": write_text(*number)}).to_string()]),
                None => command.arg("--not-done"),
            };
            if !command.stdin(Stdio::null()).stdout(Stdio::null()).status()?.success() {
                proof.broken.push(format!("{} cannot be resolved", write_text(*number)));
            }
        }
        std::fs::remove_file(self.path("output"))?;
        self.write_input("again", unknown.iter().copied(), true)?;
        let ended = self.start("again", "journal-again")?.wait()?;
        let (outcomes, records) = (self.read_outcomes(&mut 0)?, vendor.find_records()?);
        let is_settled = |number: &u64| {
            let (outcome, made) = (outcomes.get(number), records.get(number).map_or(0, Vec::len));
            outcome.is_some_and(|outcomes| outcomes.len() == 1 && outcomes[0]["ok"] == true) && made == 1
        };
        proof.settled = unknown.iter().filter(|number| is_settled(number)).count() as u64;
        let all = (1..=proof.lines).filter(|number| records.get(number).map_or(0, Vec::len) != 1).count();
        if !ended.success() || proof.settled != unknown.len() as u64 || all > 0 {
            proof.broken.push(format!("after all was settled, {all} lines are not carried out once: {ended}"));
        }
        Ok(())
    }
}

impl BatchProof {
    /// Holds each outcome against the records of the sandbox, and returns the lines that are unknown.
    fn compare(&mut self, outcomes: &HashMap<u64, Vec<Value>>, vendor: &Vendor) -> Result<Vec<u64>, Failure> {
        let (records, mut unknown) = (vendor.find_records()?, Vec::new());
        for number in 1..=self.lines {
            let made = records.get(&number).map_or(&[][..], Vec::as_slice);
            let Some([outcome, others @ ..]) = outcomes.get(&number).map(Vec::as_slice) else {
                self.broken.push(format!("line {number} has no outcome"));
                continue;
            };
            self.doubled += others.len() as u64;
            if others.iter().any(|other| other != outcome) {
                self.broken.push(format!("line {number} has two outcomes that differ"));
            }
            match (outcome["ok"] == true, outcome["error"]["kind"].as_str(), made) {
                (true, _, [only]) if only.id == outcome["data"]["id"] => self.ok += 1,
                (false, Some("outcome_unknown"), []) => self.unknown_not_done += 1,
                (false, Some("outcome_unknown"), [_]) => self.unknown_done += 1,
                _ => self.broken.push(format!("line {number} was made {} times: {outcome:.300}", made.len())),
            }
            if outcome["ok"] != true {
                unknown.push(number);
            }
        }
        if self.doubled > self.kills {
            self.broken.push(format!("{} outcomes stand twice after {} kills", self.doubled, self.kills));
        }
        Ok(unknown)
    }
}

fn write_report(commit: &str, proofs: &[BatchProof]) -> String {
    let mut text = String::from(
        "# A batch under Ctrl-C and SIGKILL\n\n\
         `just soak-batch` runs a batch of creates by `connector invoke --resume`, stops it again and again at moments spread over it, and goes on with it. It then holds what\n\
         was answered against what the sandbox has. [A batch writes its journal before its output](resume.md) says what it rests on. This page is its report.\n\n",
    );
    let mut row = |name: &str, cell: &dyn Fn(&BatchProof) -> String| {
        let cells: Vec<String> = proofs.iter().map(cell).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    row("", &|proof| format!("creates {}", proof.name));
    row("---", &|_| "---".to_owned());
    row("lines", &|proof| proof.lines.to_string());
    row("stopped by Ctrl-C, by SIGKILL", &|proof| format!("{}, {}", proof.interrupts, proof.kills));
    row("the longest end after a Ctrl-C", &|proof| format!("{} ms", proof.longest_drain.as_millis()));
    row("lines with an outcome that is ok, each carried out once", &|proof| proof.ok.to_string());
    row("`outcome_unknown`, and carried out once", &|proof| proof.unknown_done.to_string());
    row("`outcome_unknown`, and not carried out", &|proof| proof.unknown_not_done.to_string());
    row("of those, carried out once after a person looked and said `connector ledger resolve`", &|proof| proof.settled.to_string());
    row("outcomes that stand twice, alike", &|proof| proof.doubled.to_string());
    row("lines of the output that a kill cut", &|proof| proof.torn.to_string());
    row("size of the journal", &|proof| format!("{} KiB", proof.journal_size >> 10));
    row("time", &|proof| format!("{} s", proof.elapsed.as_secs()));
    let _ = writeln!(text, "\n{} at a commit {commit}, {}; {JOBS} lines at once; faults `{FAULTS}`.\n", write_date(), describe_machine());
    let broken: Vec<&String> = proofs.iter().flat_map(|proof| &proof.broken).collect();
    if broken.is_empty() {
        text.push_str("- Held: each line has an outcome, those that stand twice are alike, and no create was carried out twice.\n");
    }
    for broken in broken.iter().take(50) {
        let _ = writeln!(text, "- **Broken:** {broken}");
    }
    text
}
