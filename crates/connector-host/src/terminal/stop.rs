//! The signals that stop this process.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until this process is asked to stop. Signals count from this call on, not from the first poll.
pub(crate) fn wait_for_stop() -> impl Future<Output = ()> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            // Without handlers, the system ends the process by itself.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
