//! `connector sandbox`: a sandbox of Pipedrive on this machine.

use std::io;
use std::path::{Path, PathBuf};

use pipedrive_sandbox::{App, Company, Downloads, FAULTS_HELP, FaultSpecError, Faults, OpenError, Options, RefreshTokens, Sandbox, Store};
use serde_json::json;
use tokio::net::TcpListener;

use crate::setup::sandbox::{data_file, read_faults};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
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
    /// The most requests that one token may send in two seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    burst_limit: Option<u32>,
    /// The most tokens that the requests of one company may cost in a day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    daily_budget: Option<u64>,
    /// Faults to make on purpose, as `seed=7,reset-after=1%@POST`; --help lists them all
    #[arg(long, value_name = "SPEC", long_help = FAULTS_HELP, default_value = "", hide_default_value = true, value_parser = parse_faults)]
    faults: Faults,
}

fn parse_faults(argument: &str) -> Result<Faults, String> {
    read_faults(argument)?.parse().map_err(|error: FaultSpecError| error.to_string())
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
            burst_limit: self.burst_limit,
            daily_budget: self.daily_budget,
            downloads: if self.redirect_downloads { Downloads::Redirected } else { Downloads::Direct },
            record_file: self.record.clone(),
            ..Options::for_app(self.app())
        })
    }
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
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| Failure::host(format!("port {port}: {error}; --port 0 takes a free one")))?;
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
    Ok(Exit::Ok)
}
