//! The threads that a command runs on.

use tokio::runtime::Builder;

use crate::terminal::failure::Failure;

/// Runs a command on one thread. It waits for the network, not for a processor, and one thread starts faster.
pub(crate) fn run_on_one_thread<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run_on(&mut Builder::new_current_thread(), work)
}

/// Runs a command on all threads: the request of one caller must not delay the others.
pub(crate) fn run_on_all_threads<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run_on(&mut Builder::new_multi_thread(), work)
}

fn run_on<T>(threads: &mut Builder, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = threads.enable_all().build();
    let runtime = runtime.map_err(|error| Failure::host(format!("no thread for the network: {error}")))?;
    let result = runtime.block_on(work);
    // A read of stdin cannot be cancelled; waiting for it would keep the process open.
    runtime.shutdown_background();
    result
}
