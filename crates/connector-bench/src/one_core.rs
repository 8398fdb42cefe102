//! One core for the client and another for the upstream: else it is chance which calls wake a thread on another core,
//! which costs as much as all that is measured.

/// Which of the cores that this process may use.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    First,
    Last,
}

/// This thread, and those that it starts, are kept to one core until it is dropped.
#[cfg(target_os = "linux")]
pub(crate) struct OneCore(rustix::thread::CpuSet);

/// Elsewhere than on Linux nothing is kept.
#[cfg(not(target_os = "linux"))]
pub(crate) struct OneCore;

#[cfg(target_os = "linux")]
impl OneCore {
    pub(crate) fn keep(which: Which) -> Option<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let before = sched_getaffinity(None).ok()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| before.is_set(*core));
        let core = match which {
            Which::First => cores.next(),
            Which::Last => cores.next_back(),
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
        // Where it cannot be undone, the rest is measured on one core.
        let _ = rustix::thread::sched_setaffinity(None, &self.0);
    }
}

#[cfg(not(target_os = "linux"))]
impl OneCore {
    pub(crate) fn keep(_which: Which) -> Option<Self> {
        None
    }
}
