//! Invocations to send: every action with the inputs of its fixtures, and creates that can be counted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::plan::{Failure, Plan, mix};

/// An action that creates a record which has a text of its own, and where the vendor lists such records.
pub(crate) struct CreateKind {
    pub(crate) action: &'static str,
    /// The input that takes the text, and the member that has it.
    pub(crate) text: &'static str,
    /// Another input that is required.
    beside: Option<(&'static str, u64)>,
    pub(crate) list: &'static str,
    pub(crate) has_cursor: bool,
}

impl CreateKind {
    const fn new(action: &'static str, text: &'static str, list: &'static str) -> Self {
        Self { action, text, beside: None, list, has_cursor: true }
    }

    const fn of_v1(action: &'static str, text: &'static str, beside: &'static str, list: &'static str) -> Self {
        Self { beside: Some((beside, 1)), has_cursor: false, ..Self::new(action, text, list) }
    }
}

pub(crate) const CREATES: &[CreateKind] = &[
    CreateKind::new("addDeal", "title", "/api/v2/deals"),
    CreateKind::new("addPerson", "name", "/api/v2/persons"),
    CreateKind::new("addOrganization", "name", "/api/v2/organizations"),
    CreateKind::new("addActivity", "subject", "/api/v2/activities"),
    CreateKind::new("addProduct", "name", "/api/v2/products"),
    CreateKind::of_v1("addNote", "content", "dealId", "/api/v1/notes"),
    CreateKind::of_v1("addLead", "title", "personId", "/api/v1/leads"),
];

/// The time that a call may take, in milliseconds. Waits of the faults fit into it.
const TIMEOUT_MS: u64 = 20_000;

/// The inputs of all actions, by what the actions do.
pub(crate) struct Samples {
    reads: Vec<Sample>,
    writes: Vec<Sample>,
}

struct Sample {
    action: String,
    is_list: bool,
    inputs: Vec<Value>,
}

/// An invocation to send.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) action: String,
    pub(crate) kind: JobKind,
    pub(crate) text: String,
    /// The number of times that it was sent.
    pub(crate) sends: u32,
    /// `true` if the answer to it was lost when it was last sent.
    pub(crate) is_lost: bool,
    /// `true` if the same invocation is sent twice at once.
    pub(crate) has_twin: bool,
    /// `true` if the records of its list are asked for one a line.
    pub(crate) streams: bool,
    /// The time after which its client hangs up, once, if it does not wait for the answer.
    pub(crate) patience: Option<Duration>,
}

/// The effect of an invocation, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    Read,
    /// A write that may change anything, in a company of its own.
    Write,
    Create {
        kind: usize,
        company: usize,
        is_keyed: bool,
    },
}

impl Samples {
    /// Reads the catalogue and its fixtures from the repository.
    pub(crate) fn read() -> Result<Self, Failure> {
        let manifest: Value = serde_json::from_slice(&std::fs::read(root().join("manifests/pipedrive.json"))?)?;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        let entries = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        for entry in entries("actions").into_iter().chain(entries("dataSources")) {
            let action = entry["key"].as_str().ok_or("an action has a key")?.to_owned();
            let sample =
                Sample { inputs: read_inputs(&action)?, is_list: entry["pagination"].as_str().is_some_and(|how| how != "none"), action };
            if matches!(entry["effect"].as_str(), Some("write" | "destructive")) { &mut writes } else { &mut reads }.push(sample);
        }
        Ok(Self { reads, writes })
    }

    /// Lists the actions.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &str> {
        self.reads.iter().chain(&self.writes).map(|sample| &*sample.action)
    }

    /// Builds the invocation of a number: always the same.
    pub(crate) fn build_job(&self, plan: &Plan, number: u64) -> Job {
        let random = mix(plan.seed ^ mix(number));
        let pick = |bits: u32, count: usize| usize::try_from((random >> bits) % count as u64).unwrap_or(0);
        // The last tenth of the companies is for writes that may change anything.
        let counted = plan.companies - (plan.companies / 10).max(1);
        match random % 100 {
            share @ 0..30 => {
                let (kind, company, is_keyed) = (pick(8, CREATES.len()), pick(16, counted), share < 25);
                let create = &CREATES[kind];
                let mut input = json!({create.text: write_text(number)});
                if let Some((name, id)) = create.beside {
                    input[name] = id.into();
                }
                let mut options = Map::new();
                if is_keyed {
                    options.insert("idempotencyKey".to_owned(), write_text(number).into());
                }
                let job = build(number, create.action, JobKind::Create { kind, company, is_keyed }, company, (input, options));
                // Of fifty clients one hangs up at a random moment, and another one sends twice at once.
                let (lot, moment) = (pick(32, 50), Duration::from_micros(random >> 40 & 0x7FFF));
                Job { has_twin: is_keyed && lot == 0, patience: (is_keyed && lot == 1).then_some(moment), ..job }
            }
            share => {
                let (samples, kind, company) = match share {
                    30..40 => (&self.writes, JobKind::Write, counted + pick(16, plan.companies - counted)),
                    _ => (&self.reads, JobKind::Read, pick(16, plan.companies)),
                };
                let sample = &samples[pick(24, samples.len())];
                let input = sample.inputs[pick(40, sample.inputs.len())].clone();
                let mut options = Map::new();
                if pick(48, 2) == 0 {
                    options.insert("view".to_owned(), "flat".into());
                }
                let is_whole = sample.is_list && kind == JobKind::Read && pick(50, 10) == 0;
                if is_whole {
                    options.insert("pages".to_owned(), "all".into());
                    options.insert("maxItems".to_owned(), 300.into());
                }
                let job = build(number, &sample.action, kind, company, (input, options));
                Job { streams: is_whole && pick(54, 2) == 0, ..job }
            }
        }
    }
}

fn build(number: u64, action: &str, kind: JobKind, company: usize, (input, mut options): (Value, Map<String, Value>)) -> Job {
    options.insert("timeoutMs".to_owned(), TIMEOUT_MS.into());
    let text = json!({"id": number, "action": action, "connection": name_connection(company), "input": input, "options": options});
    Job {
        number,
        action: action.to_owned(),
        kind,
        text: text.to_string(),
        sends: 0,
        is_lost: false,
        has_twin: false,
        streams: false,
        patience: None,
    }
}

/// Names the connection of a company.
pub(crate) fn name_connection(company: usize) -> String {
    format!("company-{company}")
}

/// Writes the text that the record of an invocation alone has.
pub(crate) fn write_text(number: u64) -> String {
    format!("soak-{number}")
}

/// Reads the number of the invocation from such a text.
pub(crate) fn read_text(text: &str) -> Option<u64> {
    text.strip_prefix("soak-")?.parse().ok()
}

/// Finds the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads the inputs of an action's fixture. Without one, there are none.
fn read_inputs(action: &str) -> Result<Vec<Value>, Failure> {
    let file = root().join(format!("tests/fixtures/pipedrive/{action}.json"));
    if !file.exists() {
        return Ok(vec![json!({})]);
    }
    let fixture: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let mut inputs = vec![fixture["input"].clone()];
    let more = fixture["more"].as_array().into_iter().flatten();
    // A cursor that a first call returns is left out.
    inputs.extend(more.filter(|input| !input["cursor"].as_str().is_some_and(|cursor| cursor.starts_with('<'))).cloned());
    Ok(inputs)
}
