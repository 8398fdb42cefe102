//! `connector invoke`: one action from the command line, or a stream of invocations.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::time::Duration;

use connector_core::run::{DryRun, FieldNames, Invocation, Outcome, Pages, RecordStream, Runtime, Streamed, TimeZone, View};
use tracing::Instrument as _;

use crate::command::batch::{self, BatchFlags};
use crate::command::estimate::estimate_lines;
use crate::setup::accounts::Accounts;
use crate::setup::audit::AuditLog;
use crate::setup::cache::LocalCache;
use crate::setup::http::{build_client, build_runtime};
use crate::setup::traces::Traces;
use crate::terminal::arguments::{build_dry_run_parser, build_fields_parser, build_pages_parser, build_view_parser, read_key};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::files::{FetchedFile, attach_file};
use crate::terminal::linked::Linked;
use crate::terminal::{render, stdout};

/// The bytes of a stream of records that are written at once.
const CHUNK: usize = 32 << 10;

/// The time that the audit gets to be written when all calls have ended.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);

/// The timeout of a call that sends or fetches a file, or reads a list whole.
const LONG_TIMEOUT: Duration = Duration::from_mins(15);

#[derive(clap::Args)]
pub(super) struct InvokeArguments {
    /// The action or data source to run, also as CONNECTOR/KEY. Without one, invocations are read from stdin, one
    /// JSON object per line
    action: Option<String>,
    /// The connector of the action, where several connectors have its key
    #[arg(long, value_name = "KEY", requires = "action")]
    connector: Option<String>,
    /// The input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", requires = "action")]
    input: Option<String>,
    /// The connection to use
    #[arg(long, value_name = "NAME", requires = "action")]
    connection: Option<String>,
    /// A file for an input, as file=offer.pdf; repeat the flag for other inputs
    #[arg(long, value_name = "INPUT=PATH", requires = "action")]
    file: Vec<String>,
    /// The file to fetch into; the outcome then holds its name, type and size alone
    #[arg(long, value_name = "FILE", requires = "action")]
    output: Option<PathBuf>,
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The shape of the data: the vendor's own, or one flat shape. By default the connection's, else the vendor's
    #[arg(long, value_parser = build_view_parser(), requires = "action")]
    view: Option<View>,
    /// The names of custom fields in the data: their keys, their names with the labels of options, or both
    #[arg(long, value_parser = build_fields_parser(), requires = "action")]
    fields: Option<FieldNames>,
    /// The zone of the times in the input that name none, as Europe/Tallinn
    #[arg(long, value_name = "ZONE", requires = "action")]
    time_zone: Option<TimeZone>,
    /// The values that the record must have before it is changed, by input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", requires = "action")]
    expect: Option<String>,
    #[command(flatten)]
    list: ListFlags,
    #[command(flatten)]
    plan: PlanFlags,
    /// Indent the outcome
    #[arg(long)]
    pretty: bool,
    #[command(flatten)]
    batch: BatchFlags,
}

#[derive(clap::Args)]
struct PlanFlags {
    /// Write nothing, and show the request that would be sent; with =diff also what it would change in the record
    #[arg(long, value_name = "SHOWN", num_args = 0..=1, require_equals = true, default_missing_value = "requests",
          value_parser = build_dry_run_parser(), requires = "action")]
    dry_run: Option<DryRun>,
    /// Show what it would cost, and send at most what is needed to know it: of the action, or of all invocations from
    /// stdin
    #[arg(long, conflicts_with_all = ["dry_run", "stream", "resume"])]
    estimate: bool,
}

impl PlanFlags {
    /// Checks that the calls themselves are not made.
    fn is_given(&self) -> bool {
        self.dry_run.is_some() || self.estimate
    }
}

#[derive(clap::Args)]
struct ListFlags {
    /// The pages of a list to read: the one that the input asks for, or that and all that follow, joined
    #[arg(long, value_parser = build_pages_parser(), requires = "action")]
    pages: Option<Pages>,
    /// The most records of a list that is read whole; the last page asks only for what is left
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "pages", requires = "action")]
    max_items: Option<u64>,
    /// Write one record a line as pages arrive, and a summary last; with --pages all
    #[arg(long, requires = "action", conflicts_with_all = ["pretty", "output"])]
    stream: bool,
}

/// Runs the command, sends its last spans, and writes the audit to its end.
pub(super) async fn run(linked: Linked, arguments: InvokeArguments) -> Result<Exit, Failure> {
    let audit = AuditLog::open_for_command()?;
    let traces = Traces::start()?;
    let result = run_audited(linked, arguments, audit.as_ref()).instrument(traces.begin_command()).await;
    traces.stop().await;
    audit.map_or(Ok(()), |audit| audit.close(LONGEST_CLOSE)).and(result)
}

async fn run_audited(linked: Linked, arguments: InvokeArguments, audit: Option<&AuditLog>) -> Result<Exit, Failure> {
    if arguments.list.stream && arguments.list.pages != Some(Pages::All) {
        return Err(Failure::usage("--stream is for lists that are read whole: give --pages all too"));
    }
    let runtime = open_runtime(linked, arguments.store.as_deref(), !arguments.plan.is_given(), audit).await?;
    let result = run_over(&runtime, &arguments).await;
    runtime.give_back_permits().await;
    result
}

async fn run_over(runtime: &Runtime, arguments: &InvokeArguments) -> Result<Exit, Failure> {
    match &arguments.action {
        Some(action) if arguments.list.stream => stream_one(runtime, action, arguments).await,
        Some(action) => {
            let outcome = invoke_one(runtime, action, arguments).await?;
            write_one(&outcome, arguments.pretty || std::io::stdout().is_terminal())
        }
        None if arguments.plan.estimate => {
            let estimated = estimate_lines(runtime, batch::open_stdin(), arguments.batch.jobs).await?;
            let exit = write_one(&estimated.outcome, arguments.pretty)?;
            Ok(if estimated.is_whole { exit } else { Exit::NotOk })
        }
        None => batch::run(runtime, &arguments.batch, arguments.store.as_deref(), arguments.pretty).await,
    }
}

/// Opens a runtime with the connections that are set up on this machine.
pub(super) async fn open_runtime(
    linked: Linked,
    store: Option<&str>,
    is_sweep: bool,
    audit: Option<&AuditLog>,
) -> Result<Runtime, Failure> {
    let http = build_client()?;
    let accounts = Accounts::find(linked, store, &http).await?;
    if is_sweep {
        accounts.spawn_sweep();
    }
    let (ledger, cache) = (accounts.ledger().clone(), LocalCache::beside(accounts.ledger().clone()));
    let runtime = build_runtime(linked, &http, accounts.clone(), accounts.vault(), View::default())?;
    let runtime = runtime.with_connections(accounts, Some(Box::new(ledger)), Some(Box::new(cache)));
    Ok(audit.map_or(runtime.clone(), |audit| runtime.with_observer(audit.clone())))
}

async fn invoke_one(runtime: &Runtime, action: &str, arguments: &InvokeArguments) -> Result<Outcome, Failure> {
    let invocation = match build_invocation(action, arguments)? {
        Ok(invocation) => invocation,
        Err(refused) => {
            runtime.record_refused(&refused);
            return Ok(*refused);
        }
    };
    let Some(path) = &arguments.output else { return Ok(runtime.invoke(invocation).await) };
    let fetched = FetchedFile::create(path)?;
    let outcome = runtime.invoke(fetched.attach_to(invocation)?).await;
    fetched.keep(&outcome, arguments.plan.is_given())?;
    Ok(outcome)
}

/// Writes the records of a list as they come, and at last its summary.
async fn stream_one(runtime: &Runtime, action: &str, arguments: &InvokeArguments) -> Result<Exit, Failure> {
    let mut list = match build_invocation(action, arguments)? {
        Ok(invocation) => runtime.stream(invocation),
        Err(refused) => RecordStream::from(*refused),
    };
    let (mut exit, mut lines) = (Exit::Ok, Vec::with_capacity(CHUNK));
    while let Some(streamed) = list.next().await {
        streamed.write_line(&mut lines);
        if matches!(&streamed, Streamed::Summary(summary) if !summary.is_ok()) {
            exit = Exit::NotOk;
        }
        if list.count_ready() == 0 || lines.len() >= CHUNK {
            stdout::write(&lines)?;
            lines.clear();
            // The next page arrives on this thread too.
            tokio::task::yield_now().await;
        }
    }
    Ok(exit)
}

/// Builds the invocation of the arguments. The error is the outcome of an input that cannot be read.
fn build_invocation(action: &str, arguments: &InvokeArguments) -> Result<Result<Invocation, Box<Outcome>>, Failure> {
    let (connector, key) = read_key(action, arguments.connector.as_deref())?;
    let mut invocation = Invocation::new(key);
    invocation.connector = connector.map(str::to_owned);
    invocation.connection.clone_from(&arguments.connection);
    invocation.options.dry_run = arguments.plan.dry_run.unwrap_or_default();
    invocation.options.estimate = arguments.plan.estimate;
    invocation.options.view = arguments.view;
    invocation.options.fields = arguments.fields.unwrap_or_default();
    invocation.options.time_zone.clone_from(&arguments.time_zone);
    invocation.options.pages = arguments.list.pages.unwrap_or_default();
    invocation.options.max_items = arguments.list.max_items;
    let invocation = match &arguments.input {
        Some(argument) => invocation.input_json(&read_json("--input", argument)?),
        None => Ok(invocation),
    };
    let invocation = match (&arguments.expect, invocation) {
        (Some(argument), Ok(invocation)) => invocation.expect_json(&read_json("--expect", argument)?),
        (_, invocation) => invocation,
    };
    let mut invocation = match invocation {
        Ok(invocation) => invocation,
        Err(refused) => return Ok(Err(refused)),
    };
    for argument in &arguments.file {
        invocation = attach_file(invocation, argument)?;
    }
    if !arguments.file.is_empty() || arguments.output.is_some() || arguments.list.pages == Some(Pages::All) {
        invocation.options.timeout = LONG_TIMEOUT;
    }
    Ok(Ok(invocation))
}

/// Reads JSON of a flag: the argument itself, a file after `@`, or stdin for `-`.
fn read_json(flag: &str, argument: &str) -> Result<Vec<u8>, Failure> {
    match argument.strip_prefix('@') {
        Some(file) => std::fs::read(file).map_err(|error| Failure::usage(format!("{flag} @{file}: {error}"))),
        None if argument == "-" => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).map_err(|error| Failure::host(format!("stdin: {error}")))?;
            Ok(text)
        }
        None => Ok(argument.as_bytes().to_vec()),
    }
}

/// Writes the outcome of one invocation.
fn write_one(outcome: &Outcome, is_pretty: bool) -> Result<Exit, Failure> {
    let mut text = outcome.to_json();
    if is_pretty {
        text = render::indent(&text);
    }
    text.push(b'\n');
    stdout::write(&text)?;
    Ok(if outcome.is_ok() { Exit::Ok } else { Exit::NotOk })
}
