//! The life of the host: killed at random moments, started again, and its memory watched.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::drive::Drive;
use crate::host::{HostPlace, HostProcess};
use crate::plan::{Failure, mix};

/// The memory of the host at a point of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemorySample {
    pub(crate) kills: u64,
    /// The number of invocations that were done.
    pub(crate) done: u64,
    pub(crate) kibibytes: u64,
}

/// The kills of a run, and the memory between them.
#[derive(Debug, Default)]
pub(crate) struct Reign {
    pub(crate) kills: u64,
    pub(crate) longest_start: Duration,
    pub(crate) samples: Vec<MemorySample>,
}

impl Reign {
    /// Watches the host until all is done, and kills it as often as is planned. Returns the host that is left.
    pub(crate) async fn run(
        &mut self,
        place: &Arc<HostPlace>,
        drive: &Drive,
        mut host: HostProcess,
        address: &watch::Sender<Option<String>>,
        is_over: impl Fn() -> bool,
    ) -> Result<HostProcess, Failure> {
        let mut told = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for tick in 0_u64.. {
            ticks.tick().await;
            if is_over() {
                break;
            }
            let done = drive.done.load(Ordering::Relaxed);
            if self.kills < drive.plan.kills && done >= self.find_next_kill(drive) {
                host = self.kill(place, host, address).await?;
            }
            if tick % 10 == 0 {
                host.check_alive()?;
                self.samples.extend(host.read_memory().map(|kibibytes| MemorySample { kills: self.kills, done, kibibytes }));
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                eprintln!("{done} of {} invocations are done, {} kills", drive.plan.invocations, self.kills);
            }
        }
        Ok(host)
    }

    /// Finds the number of invocations after which the next kill comes. They are spread, with some luck in it.
    fn find_next_kill(&self, drive: &Drive) -> u64 {
        let step = drive.plan.last_kill() / drive.plan.kills.max(1);
        self.kills * step + mix(drive.plan.seed ^ self.kills) % step.max(1)
    }

    async fn kill(
        &mut self,
        place: &Arc<HostPlace>,
        host: HostProcess,
        address: &watch::Sender<Option<String>>,
    ) -> Result<HostProcess, Failure> {
        address.send_replace(None);
        let (begun, place) = (Instant::now(), Arc::clone(place));
        let started = tokio::task::spawn_blocking(move || place.start(host.kill()?)).await??;
        self.longest_start = self.longest_start.max(begun.elapsed());
        self.kills += 1;
        address.send_replace(Some(started.address.clone()));
        Ok(started)
    }

    /// Compares the memory of the last host after its first quarter with that at its end, in KiB.
    pub(crate) fn compare_memory(&self, plan_end: u64) -> Option<(u64, u64)> {
        let last: Vec<&MemorySample> = self.samples.iter().filter(|sample| sample.kills == self.kills).collect();
        let begin = last.first()?.done;
        let is_in = |sample: &MemorySample, from: u64, to: u64| {
            let part = (plan_end - begin).max(1);
            (begin + part * from / 100..=begin + part * to / 100).contains(&sample.done)
        };
        let mean = |from, to| {
            let part: Vec<u64> = last.iter().filter(|sample| is_in(sample, from, to)).map(|sample| sample.kibibytes).collect();
            (!part.is_empty()).then(|| part.iter().sum::<u64>() / part.len() as u64)
        };
        Some((mean(25, 50)?, mean(75, 100)?))
    }
}
