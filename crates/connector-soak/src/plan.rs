//! The size of a run, as its arguments say.

use std::error::Error;
use std::path::PathBuf;

/// A failure that ends a run.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The words that a run takes.
pub(crate) const HELP: &str = "\
Sends invocations to `connector serve` under every fault of the sandbox, kills it again and again, and proves what it answered.

  --short             20,000 invocations, 10 kills, 100 companies: a few minutes
  --batch             a batch of the command line in their place: stopped by Ctrl-C and SIGKILL, and gone on with
  --invocations N     the number of invocations [1000000], a quarter of them creates under a key
  --kills N           the number of times that the host is killed with SIGKILL [100]
  --companies N       the number of companies, with a connection each [1000]
  --jobs N            the number of invocations in flight [64]
  --seed N            the seed of what is sent, and of the faults [1]
  --faults SPEC       the faults of the sandbox [all at 1 %]
  --store URL         postgres://…, in place of a SQLite file of its own
  --postgres          the store that CONNECTOR_TEST_POSTGRES names
  --report FILE       write the report there as Markdown, beside stdout
  --log FILE          the warnings of the host [target/soak.log]";

/// The faults of a run: each at 1 %, and those that refuse an account for a while are lifted after a second.
const FAULTS: &str = "latency=1%:100ms,drip=1%:300ms,reset-before=1%,reset-after=1%,cut=1%,wrong-length=1%,half-json=1%,429=1%:1s,\
429-bare=1%,budget=1%:1s,500=1%,500-after=1%,503=1%,403-html=1%:1s,skew=1%:1h,duplicate-page=1%,expired-cursor=1%,search-lag=1%:5s";

/// The size of a run, and where it stores what.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) invocations: u64,
    pub(crate) kills: u64,
    pub(crate) companies: usize,
    pub(crate) jobs: usize,
    pub(crate) seed: u64,
    pub(crate) faults: String,
    /// The URL of a store in PostgreSQL. Without it, the store is a file.
    pub(crate) store: Option<String>,
    pub(crate) report: Option<PathBuf>,
    pub(crate) log: PathBuf,
    /// `true` for a run of the command line, and not of a host.
    pub(crate) is_batch: bool,
}

impl Plan {
    /// Reads the arguments, or nothing if help is asked for.
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<Option<Self>, Failure> {
        let mut plan = Self {
            invocations: 1_000_000,
            kills: 100,
            companies: 1000,
            jobs: 64,
            seed: 1,
            faults: FAULTS.to_owned(),
            store: None,
            report: None,
            log: "target/soak.log".into(),
            is_batch: false,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| Failure::from(format!("{word} takes a value")));
            match word.as_str() {
                "--help" => return Ok(None),
                "--short" => (plan.invocations, plan.kills, plan.companies) = (20_000, 10, 100),
                "--batch" => plan.is_batch = true,
                "--invocations" => plan.invocations = value()?.parse()?,
                "--kills" => plan.kills = value()?.parse()?,
                "--companies" => plan.companies = value()?.parse()?,
                "--jobs" => plan.jobs = value()?.parse()?,
                "--seed" => plan.seed = value()?.parse()?,
                "--faults" => plan.faults = value()?,
                "--store" => plan.store = Some(value()?),
                "--postgres" => plan.store = Some(std::env::var("CONNECTOR_TEST_POSTGRES")?),
                "--report" => plan.report = Some(value()?.into()),
                "--log" => plan.log = value()?.into(),
                other => return Err(format!("there is no argument {other:?}: see --help").into()),
            }
        }
        match plan.companies {
            // One company is for writes that may change anything, the others for what is counted.
            0 | 1 => Err("there must be at least 2 companies".into()),
            _ if plan.jobs == 0 => Err("there must be at least one job".into()),
            _ => Ok(Some(plan)),
        }
    }

    /// Counts the invocations after which the host is killed no more, so that its memory can be watched.
    pub(crate) fn last_kill(&self) -> u64 {
        if self.kills == 0 { 0 } else { self.invocations / 5 * 4 }
    }
}

/// Mixes a number, so that neighbours have nothing in common (SplitMix64).
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
