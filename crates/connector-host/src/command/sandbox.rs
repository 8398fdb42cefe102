//! `connector sandbox`: a sandbox of Pipedrive on this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipedrive_sandbox::{
    App, Company, Downloads, FAULTS_HELP, FaultSpecError, Faults, LimitCount, OpenError, Options, Plan, RefreshTokens, Sandbox, Store,
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::setup::sandbox::{data_file, read_faults};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::{Failure, explain_unbound};
use crate::terminal::stop::wait_for_stop;
use crate::terminal::{env, render};

/// Run a sandbox of Pipedrive on this machine
#[derive(clap::Args)]
pub(super) struct SandboxArguments {
    /// The port on this machine; 0 takes a free one
    #[arg(long, default_value_t = 8020)]
    port: u16,
    /// The file that keeps the data; by default the one of the embedded sandbox
    #[arg(long, value_name = "FILE", conflicts_with = "memory")]
    data: Option<PathBuf>,
    /// Keep the data in memory alone
    #[arg(long)]
    memory: bool,
    /// Append a line of JSON for each request to this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The number of companies that have an account, 1 to 1000; an existing file keeps its companies
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    companies: u16,
    /// Write a line of JSON for each company to this file: company, name, domain, apiToken
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// The redirect URI of the demo app; repeat the flag for others
    #[arg(long, value_name = "URL")]
    redirect_uri: Vec<String>,
    /// Issue a new refresh token at each refresh, and revoke the one that was sent
    #[arg(long)]
    rotate_refresh_tokens: bool,
    /// Answer a download with a redirect to a storage host, as Pipedrive does for files in the cloud
    #[arg(long)]
    redirect_downloads: bool,
    /// The most requests that one token may send in a window, as 80 (in two seconds) or 24/100ms
    #[arg(long, value_name = "N[/TIME]", value_parser = parse_burst)]
    burst_limit: Option<Burst>,
    /// The most searches that one token may send in a window; by default 10 where requests have a limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    search_limit: Option<u32>,
    /// The most tokens that the requests of one company may cost in a day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    daily_budget: Option<u64>,
    /// The limits of a plan, where none is named: lite, growth, premium or ultimate
    #[arg(long, value_name = "NAME")]
    plan: Option<Plan>,
    /// The seats that each company pays for, by which the daily budget of its plan is multiplied
    #[arg(long, value_name = "N", default_value_t = 5, requires = "plan", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seats: u32,
    /// The time for which no search finds a record that was added, as 5s or 200ms
    #[arg(long, value_name = "TIME", default_value = "0s", hide_default_value = true, value_parser = parse_lag)]
    search_lag: Duration,
    /// Faults to make on purpose, as `seed=7,reset-after=1%@POST`; --help lists them all
    #[arg(long, value_name = "SPEC", long_help = FAULTS_HELP, default_value = "", hide_default_value = true, value_parser = parse_faults)]
    faults: Faults,
}

fn parse_faults(argument: &str) -> Result<Faults, String> {
    read_faults(argument)?.parse().map_err(|error: FaultSpecError| error.to_string())
}

/// The window of Pipedrive's limits, and the longest one that a sandbox takes.
const WINDOW: Duration = Duration::from_secs(2);
const LONGEST_WINDOW: Duration = Duration::from_hours(1);

/// A limit of requests, and the length of the window in which it holds.
#[derive(Clone, Copy)]
struct Burst {
    limit: u32,
    window: Duration,
}

fn parse_burst(argument: &str) -> Result<Burst, String> {
    let (limit, window) = match argument.split_once('/') {
        None => (argument, Some(WINDOW)),
        Some((limit, window)) => (limit, parse_window(window).filter(|window| !window.is_zero() && *window <= LONGEST_WINDOW)),
    };
    let limit = limit.parse().ok().filter(|limit| *limit > 0);
    match (limit, window) {
        (Some(limit), Some(window)) => Ok(Burst { limit, window }),
        _ => Err("write 80, for requests in two seconds, or with a time of at most an hour, as 24/100ms or 80/2s".to_owned()),
    }
}

fn parse_lag(argument: &str) -> Result<Duration, String> {
    parse_window(argument).ok_or_else(|| "write a time in seconds or milliseconds, as 5s or 200ms".to_owned())
}

fn parse_window(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(milliseconds) => milliseconds.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

impl SandboxArguments {
    fn store(&self) -> Result<Store, Failure> {
        Ok(match &self.data {
            _ if self.memory => Store::Memory,
            Some(file) => Store::File(file.clone()),
            None => Store::File(data_file()?),
        })
    }

    /// Builds the demo app, with the redirect URIs that were given.
    fn app(&self) -> App {
        let demo = App::demo();
        let redirect_uris = if self.redirect_uri.is_empty() { demo.redirect_uris } else { self.redirect_uri.clone() };
        App { redirect_uris, ..demo }
    }

    fn options(self) -> Result<Options, Failure> {
        Ok(Options {
            store: self.store()?,
            companies: self.companies.into(),
            refresh_tokens: if self.rotate_refresh_tokens { RefreshTokens::Rotated } else { RefreshTokens::Kept },
            faults: self.faults.clone(),
            burst_limit: self.burst_limit.map(|burst| burst.limit),
            burst_window: self.burst_limit.map_or(WINDOW, |burst| burst.window),
            search_limit: self.search_limit,
            daily_budget: self.daily_budget,
            plan: self.plan,
            seats: self.seats,
            downloads: if self.redirect_downloads { Downloads::Redirected } else { Downloads::Direct },
            search_lag: self.search_lag,
            record_file: self.record.clone(),
            ..Options::for_app(self.app())
        })
    }
}

/// Sums up what limits let through and refused, a line for each lane.
fn describe_limits(counts: &[LimitCount]) -> Vec<String> {
    let lanes = counts.chunk_by(|one, other| one.lane == other.lane).map(|lane| {
        let sum = |read: fn(&LimitCount) -> u64| lane.iter().map(read).sum::<u64>();
        let fullest = lane.iter().max_by_key(|count| count.fullest).map(|count| format!("{} of {}", count.fullest, count.limit));
        format!(
            "Limits, {}: {} requests, {} refused, fullest window {}, windows exceeded {}",
            lane.first().map(|count| count.lane).unwrap_or_default(),
            sum(|count| count.taken),
            sum(|count| count.refused),
            fullest.unwrap_or_default(),
            sum(|count| count.exceeded)
        )
    });
    lanes.collect()
}

/// The most companies whose API tokens are shown at the start.
const MOST_SHOWN: usize = 3;

fn write_tokens(file: &Path, companies: &[Company]) -> io::Result<()> {
    let line = |Company { id, name, domain, api_token, .. }: &Company| {
        format!("{}\n", json!({ "company": id, "name": name, "domain": domain, "apiToken": api_token }))
    };
    std::fs::write(file, companies.iter().map(line).collect::<String>())
}

pub(super) async fn run(arguments: SandboxArguments) -> Result<Exit, Failure> {
    let (port, app) = (arguments.port, Some(arguments.app()).filter(|_| !arguments.redirect_uri.is_empty()));
    let tokens = arguments.tokens.clone();
    let options = arguments.options()?;
    let keeps = match &options.store {
        Store::File(file) => format!("Data: {}", file.display()),
        Store::Memory => "Data: in memory, lost when the sandbox ends".to_owned(),
    };
    let sandbox = Sandbox::open(options).map_err(|error| match error {
        // All other flags were checked when they were parsed.
        OpenError::Options { reason } => Failure::usage(format!("--redirect-uri: {reason}")),
        error => Failure::host(error.to_string()),
    })?;
    let stop = wait_for_stop();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| explain_unbound(port, &error, ""))?;
    let address = listener.local_addr().map_err(|error| Failure::host(error.to_string()))?;
    render::say(&format!("Sandbox: http://{address}\n{keeps}"));
    for company in sandbox.companies().iter().take(MOST_SHOWN) {
        render::say(&format!("API token of {}: {}", company.name, company.api_token));
    }
    if sandbox.companies().len() > MOST_SHOWN {
        render::say(&format!("And {} companies more; --tokens FILE writes all tokens.", sandbox.companies().len() - MOST_SHOWN));
    }
    if let Some(file) = tokens {
        write_tokens(&file, sandbox.companies()).map_err(|error| Failure::host(format!("--tokens {}: {error}", file.display())))?;
    }
    if let Some(App { client_id, client_secret, .. }) = app {
        render::say(&format!(
            "Client id: {client_id}\nClient secret: {client_secret}\nMarketplace: http://{address}/marketplace/{client_id}"
        ));
    }
    render::say(&format!(
        "Try it:  {}=http://{address} connector invoke getDeals --input '{{\"limit\": 3}}'\nCtrl-C ends it.",
        env::SANDBOX
    ));
    tokio::select! {
        served = pipedrive_sandbox::serve(listener, sandbox.clone()) => served.map_err(|error| Failure::host(error.to_string()))?,
        () = stop => {}
    }
    let made: Vec<String> = sandbox.fault_counts().iter().map(|made| format!("{} {}", made.fault, made.count)).collect();
    if !made.is_empty() {
        render::say(&format!("Faults made: {}", made.join(", ")));
    }
    let mut counts = sandbox.limit_counts();
    counts.sort_by_key(|count| count.lane);
    for line in describe_limits(&counts) {
        render::say(&line);
    }
    Ok(Exit::Ok)
}
