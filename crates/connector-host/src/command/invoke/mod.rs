//! `connector invoke`: one action from the command line, or a stream of invocations.

mod arguments;
mod call;
mod named;

use std::io::IsTerminal;
use std::time::Duration;

use connector_core::run::{Outcome, Pages, RecordStream, Runtime, Streamed, View};
use tracing::Instrument as _;

use crate::command::batch;
use crate::command::estimate::estimate_lines;
pub(super) use crate::command::invoke::arguments::InvokeArguments;
use crate::command::invoke::call::build_invocation;
use crate::command::rows;
use crate::setup::accounts::{AccountArguments, Accounts};
use crate::setup::audit::AuditLog;
use crate::setup::cache::LocalCache;
use crate::setup::http::{build_client, build_runtime};
use crate::setup::register::LocalRegister;
use crate::setup::traces::Traces;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::{Failure, exit_for};
use crate::terminal::files::FetchedFile;
use crate::terminal::linked::Linked;
use crate::terminal::{render, stdout};

/// The bytes of a stream of records that are written at once.
const CHUNK: usize = 32 << 10;

/// The time that the audit gets to be written when all calls have ended.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);

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
    arguments.rows.check(&arguments.list_flags_of_outcomes())?;
    let runtime = open_runtime(linked, &arguments.accounts, !arguments.plan.is_given(), audit).await?;
    let result = run_over(&runtime, &arguments).await;
    runtime.give_back_permits().await;
    result
}

async fn run_over(runtime: &Runtime, arguments: &InvokeArguments) -> Result<Exit, Failure> {
    match &arguments.action {
        Some(action) if arguments.rows.are_rows() => match build_invocation(runtime, action, arguments)? {
            Ok(invocation) => arguments.rows.write_rows(runtime, invocation).await,
            Err(refused) => {
                runtime.record_refused(&refused);
                Ok(rows::report(&refused))
            }
        },
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
        None => batch::run(runtime, &arguments.batch, &arguments.accounts, arguments.pretty).await,
    }
}

/// Opens a runtime with the connections that are set up on this machine.
pub(super) async fn open_runtime(
    linked: Linked,
    arguments: &AccountArguments,
    is_sweep: bool,
    audit: Option<&AuditLog>,
) -> Result<Runtime, Failure> {
    let http = build_client()?;
    let accounts = Accounts::find(linked, arguments, &http).await?;
    if is_sweep {
        accounts.spawn_sweep();
    }
    let (ledger, cache) = (accounts.ledger().clone(), LocalCache::beside(accounts.ledger().clone()));
    let runtime = build_runtime(linked, &http, accounts.clone(), accounts.vault(), View::default())?;
    let register = LocalRegister::beside(ledger.clone());
    let runtime = runtime.with_connections(accounts, Some(Box::new(ledger)), Some(Box::new(cache))).with_register(register);
    Ok(audit.map_or(runtime.clone(), |audit| runtime.with_observer(audit.clone())))
}

async fn invoke_one(runtime: &Runtime, action: &str, arguments: &InvokeArguments) -> Result<Outcome, Failure> {
    let invocation = match build_invocation(runtime, action, arguments)? {
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
    let mut list = match build_invocation(runtime, action, arguments)? {
        Ok(invocation) => runtime.stream(invocation),
        Err(refused) => RecordStream::from(*refused),
    };
    let (mut exit, mut lines) = (Exit::Ok, Vec::with_capacity(CHUNK));
    while let Some(streamed) = list.next().await {
        streamed.write_line(&mut lines);
        if let Streamed::Summary(summary) = &streamed {
            exit = exit_for(summary.error());
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

/// Writes the outcome of one invocation.
fn write_one(outcome: &Outcome, is_pretty: bool) -> Result<Exit, Failure> {
    let mut text = outcome.to_json();
    if is_pretty {
        text = render::indent(&text);
    }
    text.push(b'\n');
    stdout::write(&text)?;
    Ok(exit_for(outcome.error()))
}
