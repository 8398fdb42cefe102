//! The signals that stop this process.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask this process to stop. They count from its making on, not from the first wait.
pub(crate) struct StopSignals(Option<[Signal; 2]>);

impl StopSignals {
    /// Begins to listen. Without handlers, the system ends the process by itself.
    pub(crate) fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).and_then(|interrupt| Ok([interrupt, signal(SignalKind::terminate())?])).ok())
    }

    /// Waits for the next of them.
    pub(crate) async fn wait(&mut self) {
        let Some([interrupt, terminate]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Waits until this process is asked to stop. Signals count from this call on, not from the first poll.
pub(crate) fn wait_for_stop() -> impl Future<Output = ()> {
    let mut signals = StopSignals::listen();
    async move { signals.wait().await }
}
