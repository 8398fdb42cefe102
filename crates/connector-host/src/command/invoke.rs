//! `connector invoke`: one action from the command line, or a stream of invocations.

use std::collections::VecDeque;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use connector_core::{Invocation, Lines, Outcome, Runtime};
use tokio::io::{AsyncBufRead, BufReader};
use tokio::task::{JoinHandle, JoinSet};

use super::{Failure, client, over};
use crate::accounts::Accounts;
use crate::exit_code::Exit;
use crate::files::{self, Fetched};
use crate::render;

/// A longer line of stdin than this is refused.
const LONGEST_LINE: usize = 64 << 20;

/// How long a call may take that sends or fetches a file.
const FOR_A_FILE: Duration = Duration::from_mins(15);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The action or data source to run; without one, invocations are read from stdin, one JSON object a line
    action: Option<String>,
    /// The input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", requires = "action")]
    input: Option<String>,
    /// The connection to use
    #[arg(long, value_name = "NAME", requires = "action")]
    connection: Option<String>,
    /// A file for an input, as file=offer.pdf; may be given again for another input
    #[arg(long, value_name = "INPUT=PATH", requires = "action")]
    file: Vec<String>,
    /// Where a fetched file goes; the outcome then tells its name, type and size alone
    #[arg(long, value_name = "FILE", requires = "action")]
    output: Option<PathBuf>,
    /// The store of connections: the path of a file, or postgres://host/name
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Send nothing, and show what would be sent
    #[arg(long, requires = "action")]
    dry_run: bool,
    /// Write the outcome over several lines
    #[arg(long)]
    pretty: bool,
    /// How many invocations of stdin run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024), conflicts_with = "action")]
    jobs: u16,
    /// Write outcomes as they come, and not in the order of stdin
    #[arg(long, conflicts_with = "action")]
    unordered: bool,
    // Named by the contract and to come: refused by name, not shown.
    #[command(flatten)]
    later: Later,
}

#[derive(clap::Args)]
struct Later {
    #[arg(long, hide = true)]
    pages: Option<String>,
    #[arg(long, hide = true)]
    max_items: Option<String>,
    #[arg(long, hide = true)]
    view: Option<String>,
    #[arg(long, hide = true)]
    fields: Option<String>,
    #[arg(long, hide = true)]
    estimate: bool,
    #[arg(long, hide = true)]
    stream: bool,
}

impl Later {
    fn given(&self) -> Option<&'static str> {
        [
            ("--pages", self.pages.is_some()),
            ("--max-items", self.max_items.is_some()),
            ("--view", self.view.is_some()),
            ("--fields", self.fields.is_some()),
            ("--estimate", self.estimate),
            ("--stream", self.stream),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if let Some(flag) = arguments.later.given() {
        return Err(Failure::not_built(flag));
    }
    let runtime = runtime(&arguments).await?;
    let mut out = Out { pretty: arguments.pretty, exit: Exit::Ok };
    match &arguments.action {
        Some(action) => {
            out.pretty |= std::io::stdout().is_terminal();
            let outcome = one(&runtime, action, &arguments).await?;
            out.put(&outcome)?;
        }
        None => {
            if std::io::stdin().is_terminal() {
                render::say("Reading invocations from stdin, one JSON object a line; Ctrl-D ends. `connector invoke --help` shows more.");
            }
            let lines = Lines::new(BufReader::with_capacity(64 << 10, tokio::io::stdin()), LONGEST_LINE);
            let running = if arguments.unordered { Running::AsTheyCome(JoinSet::new()) } else { Running::InOrder(VecDeque::new()) };
            stream(&runtime, lines, usize::from(arguments.jobs), running, &mut out).await?;
        }
    }
    Ok(out.exit)
}

/// The runtime over what is set up on this machine.
async fn runtime(arguments: &Arguments) -> Result<Runtime, Failure> {
    let http = client()?;
    let accounts = Accounts::set_up(arguments.store.as_deref(), &http).await?;
    if !arguments.dry_run {
        accounts.sweep();
    }
    let runtime = over(&http, accounts.clone())?;
    Ok(match accounts.ledger() {
        Some(ledger) => runtime.on_behalf(accounts, Some(Box::new(ledger))),
        None => runtime,
    })
}

async fn one(runtime: &Runtime, action: &str, arguments: &Arguments) -> Result<Outcome, Failure> {
    let mut invocation = Invocation::new(action);
    invocation.connection.clone_from(&arguments.connection);
    invocation.options.dry_run = arguments.dry_run;
    let invocation = match &arguments.input {
        Some(given) => invocation.input_json(&input(given)?),
        None => Ok(invocation),
    };
    let mut invocation = match invocation {
        Ok(invocation) => invocation,
        Err(refused) => return Ok(*refused),
    };
    for given in &arguments.file {
        invocation = files::attach(invocation, given)?;
    }
    if !arguments.file.is_empty() || arguments.output.is_some() {
        invocation.options.timeout = FOR_A_FILE;
    }
    let Some(path) = &arguments.output else { return Ok(runtime.invoke(invocation).await) };
    let fetched = Fetched::into(path)?;
    let outcome = runtime.invoke(fetched.of(invocation)?).await;
    fetched.keep(&outcome, arguments.dry_run)?;
    Ok(outcome)
}

/// The input's text: itself, a file's, or stdin's.
fn input(given: &str) -> Result<Vec<u8>, Failure> {
    match given.strip_prefix('@') {
        Some(file) => std::fs::read(file).map_err(|error| Failure::usage(format!("--input @{file}: {error}"))),
        None if given == "-" => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).map_err(|error| Failure::host(format!("stdin: {error}")))?;
            Ok(text)
        }
        None => Ok(given.as_bytes().to_vec()),
    }
}

/// Runs invocations as they come, `jobs` at once; one that cannot be read is an outcome, and the rest goes on.
///
/// An engine may write a line and wait for its outcome before it writes the next: whatever is done is written at once.
async fn stream<R: AsyncBufRead + Unpin + Send + 'static>(
    runtime: &Runtime,
    mut lines: Lines<R>,
    jobs: usize,
    mut running: Running,
    out: &mut Out,
) -> Result<(), Failure> {
    // Read on a task of its own: half a line cannot be put back where a wait is given up.
    let (sender, mut read) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(line) = lines.next().await.transpose() {
            if sender.send(line).await.is_err() {
                return;
            }
        }
    });
    let mut open = true;
    while open || running.len() > 0 {
        tokio::select! {
            line = read.recv(), if open && running.len() < jobs => match line {
                Some(line) => running.push(line.map_err(|error| Failure::host(format!("stdin: {error}")))?.invoke(runtime)),
                None => open = false,
            },
            Some(done) = running.next(), if running.len() > 0 => out.put(&joined(done)?)?,
        }
    }
    Ok(())
}

/// Invocations under way, which end in the order of stdin or as they come.
enum Running {
    InOrder(VecDeque<JoinHandle<Outcome>>),
    AsTheyCome(JoinSet<Outcome>),
}

impl Running {
    fn len(&self) -> usize {
        match self {
            Self::InOrder(queue) => queue.len(),
            Self::AsTheyCome(set) => set.len(),
        }
    }

    fn push(&mut self, call: impl Future<Output = Outcome> + Send + 'static) {
        match self {
            Self::InOrder(queue) => queue.push_back(tokio::spawn(call)),
            Self::AsTheyCome(set) => {
                set.spawn(call);
            }
        }
    }

    /// The next to be written; giving up the wait loses nothing.
    async fn next(&mut self) -> Option<Result<Outcome, tokio::task::JoinError>> {
        match self {
            Self::InOrder(queue) => {
                let done = queue.front_mut()?.await;
                queue.pop_front();
                Some(done)
            }
            Self::AsTheyCome(set) => set.join_next().await,
        }
    }
}

fn joined(done: Result<Outcome, tokio::task::JoinError>) -> Result<Outcome, Failure> {
    done.map_err(|error| Failure::host(format!("an invocation ended without an outcome: {error}")))
}

struct Out {
    pretty: bool,
    exit: Exit,
}

impl Out {
    fn put(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        if !outcome.ok() {
            self.exit = Exit::NotOk;
        }
        let mut text = outcome.to_json();
        if self.pretty {
            text = render::indented(&text);
        }
        text.push(b'\n');
        let mut out = std::io::stdout().lock();
        match out.write_all(&text).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::silent()),
            Err(error) => Err(Failure::host(format!("stdout: {error}"))),
        }
    }
}
