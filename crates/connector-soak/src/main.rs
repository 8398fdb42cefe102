//! The program `connector serve` under every fault of the sandbox, killed again and again.
//!
//! Its answers are held against what the sandbox has. `just soak` builds and runs it, `just soak --help` shows its
//! arguments. It ends with 1 if a promise was broken, and says which key broke it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a soak prints its report")]

mod batch;
mod book;
mod client;
mod drive;
mod host;
mod plan;
mod proof;
mod reign;
mod report;
mod samples;
mod vendor;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::watch;

use drive::Drive;
use host::HostPlace;
use plan::{Failure, HELP, Plan};
use proof::Proof;
use reign::Reign;
use report::{Findings, find_commit};
use samples::Samples;
use vendor::Vendor;

/// The exit code of a run that failed itself, and proved nothing.
const FAILED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Plan::read(std::env::args().skip(1)) {
        Ok(Some(plan)) if plan.is_batch => batch::run_batches(plan.report).await,
        Ok(Some(plan)) => run(plan).await,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the run failed: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// Runs a plan, and tells whether every promise was held.
async fn run(plan: Plan) -> Result<bool, Failure> {
    let samples = Samples::read()?;
    // The commit that was built: another one may be checked out while it runs.
    let commit = find_commit();
    let vendor = Vendor::start(&plan).await?;
    let place = Arc::new(HostPlace::create(plan.store.as_deref(), &vendor.url, &plan.log)?);
    let host = place.start(0)?;
    let key = place.create_key()?;
    vendor.connect_all(&host.address, &key).await?;
    eprintln!("{} companies are connected", plan.companies);

    let begun = Instant::now();
    let (sender, address) = watch::channel(Some(host.address.clone()));
    let drive = Arc::new(Drive::new(plan, samples, key));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..drive.plan.jobs {
        workers.spawn(Arc::clone(&drive).work(worker, address.clone()));
    }
    let over = Arc::clone(&is_over);
    let ends = tokio::spawn(async move {
        while let Some(done) = workers.join_next().await {
            done?;
        }
        over.store(true, Ordering::Relaxed);
        Ok::<(), Failure>(())
    });
    let mut reign = Reign::default();
    let mut host = reign.run(&place, &drive, host, &sender, || is_over.load(Ordering::Relaxed) || ends.is_finished()).await?;
    ends.await??;
    let elapsed = begun.elapsed();
    host.check_alive()?;
    drop(host);

    let found = vendor.find_records()?;
    let mut entries = drive.book.entries();
    let proof = Proof::find(&mut entries, &found);
    let findings = Findings {
        plan: &drive.plan,
        commit,
        store: place.describe_store(),
        store_size: place.measure_store(),
        actions: drive.samples.actions().collect(),
        elapsed,
        reign: &reign,
        entries: &entries,
        proof: &proof,
        panics: place.log().panics.load(Ordering::Relaxed),
        hang_ups: drive.hang_ups.load(Ordering::Relaxed),
        faults: vendor.sandbox.fault_counts(),
    };
    let text = findings.write();
    println!("{text}");
    if let Some(file) = &drive.plan.report {
        std::fs::write(file, &text)?;
    }
    Ok(findings.are_good())
}
