//! Pins the client to one core and the upstream to another.
//!
//! Without this it is chance which calls wake a thread on another core, and that costs as much as a whole call.

/// A position among the cores that this process may use.
#[derive(Clone, Copy)]
pub(crate) enum CorePosition {
    First,
    Last,
}

/// A guard that keeps this thread, and those that it starts, on one core until it is dropped.
///
/// Threads are pinned on Linux alone.
pub(crate) struct OneCore(#[cfg(target_os = "linux")] rustix::thread::CpuSet);

#[cfg(target_os = "linux")]
impl OneCore {
    pub(crate) fn pin(position: CorePosition) -> Option<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let before = sched_getaffinity(None).ok()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| before.is_set(*core));
        let core = match position {
            CorePosition::First => cores.next(),
            CorePosition::Last => cores.next_back(),
        };
        let mut one = CpuSet::new();
        one.set(core?);
        sched_setaffinity(None, &one).ok()?;
        Some(Self(before))
    }
}

#[cfg(target_os = "linux")]
impl Drop for OneCore {
    fn drop(&mut self) {
        // If this fails, the rest is measured on one core.
        let _ = rustix::thread::sched_setaffinity(None, &self.0);
    }
}

#[cfg(not(target_os = "linux"))]
impl OneCore {
    pub(crate) fn pin(_position: CorePosition) -> Option<Self> {
        None
    }
}
