//! `connector invoke --estimate` without an action: the cost of a file of invocations, before one is run.

use connector_core::run::{BatchEstimate, Lines, Outcome, Runtime};
use tokio::io::AsyncBufRead;
use tokio::task::JoinSet;

use crate::terminal::failure::Failure;

/// The lines that are looked at at once.
const LINES_AT_ONCE: usize = 16;

/// The estimate of a batch, and whether each of its lines can be carried out.
pub(super) struct EstimatedLines {
    pub(super) outcome: Outcome,
    pub(super) is_whole: bool,
}

/// Estimates the invocations of stdin, of which so many would run at once.
pub(super) async fn estimate_lines<R>(runtime: &Runtime, mut lines: Lines<R>, jobs: u16) -> Result<EstimatedLines, Failure>
where
    R: AsyncBufRead + Unpin,
{
    let batch = BatchEstimate::new(runtime);
    let mut running = JoinSet::new();
    while let Some(line) = lines.next().await.map_err(|error| Failure::host(format!("stdin: {error}")))? {
        running.spawn(batch.add(line));
        if running.len() >= LINES_AT_ONCE {
            unwrap_next(&mut running).await?;
        }
    }
    while !running.is_empty() {
        unwrap_next(&mut running).await?;
    }
    let is_whole = batch.count_failed() == 0;
    Ok(EstimatedLines { outcome: batch.finish(jobs.into()), is_whole })
}

async fn unwrap_next(running: &mut JoinSet<()>) -> Result<(), Failure> {
    match running.join_next().await {
        Some(Err(error)) => Err(Failure::host(format!("a line was not estimated: {error}"))),
        _ => Ok(()),
    }
}
