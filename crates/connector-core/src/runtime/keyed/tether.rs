//! Calls that outlive their callers: a write under an idempotency key, once it was sent.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tracing::Instrument;

use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::outcome::Outcome;

/// The tie between a call and its caller. If the caller goes away, the call ends, unless it has begun to write.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Tether {
    state: Mutex<Tie>,
    cut: Notify,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tie {
    /// The caller waits, and nothing was written.
    #[default]
    Tied,
    /// The first write was handed to the network. The call runs to its end.
    Writing,
    /// The caller went away before the first write, which is never sent.
    Cut,
}

impl Tether {
    /// Begins to write. It fails if the caller has gone.
    pub(in crate::runtime) fn begin_write(&self) -> Result<(), Error> {
        match self.change(Tie::Writing) {
            Tie::Cut => Err(explain_cut()),
            Tie::Tied | Tie::Writing => Ok(()),
        }
    }

    fn cut(&self) {
        if self.change(Tie::Cut) == Tie::Cut {
            self.cut.notify_waiters();
        }
    }

    /// Changes the state, unless the other change was made before. It returns the state that holds.
    fn change(&self, to: Tie) -> Tie {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == Tie::Tied {
            *state = to;
        }
        *state
    }

    /// Waits until the tether is cut.
    pub(in crate::runtime) async fn wait_for_cut(&self) {
        let cut = self.cut.notified();
        if self.change(Tie::Tied) != Tie::Cut {
            cut.await;
        }
    }

    /// Runs work until it ends, or the tether is cut.
    pub(in crate::runtime) async fn enforce<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.wait_for_cut() => Err(explain_cut()),
        }
    }
}

/// Explains why a call ended. Nobody reads it but a ledger and a log.
fn explain_cut() -> Error {
    Error::new(ErrorKind::Cancelled, "The caller went away before anything was changed.")
}

/// The number of calls under an idempotency key that are running.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct Running(Arc<watch::Sender<usize>>);

/// One of the calls that are running, until it is dropped.
struct OneRunning(Running);

impl Running {
    fn add(&self) -> OneRunning {
        self.0.send_modify(|count| *count += 1);
        OneRunning(self.clone())
    }

    pub(in crate::runtime) async fn wait_until_none(&self) {
        // The sender lives as long as this value.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for OneRunning {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// Runs a call on a task of its own, which outlives the caller once it has begun to write.
pub(in crate::runtime) async fn run_tethered<F: Future<Output = Outcome> + Send + 'static>(
    running: &Running,
    begin: impl FnOnce(Arc<Tether>) -> F,
) -> Result<Outcome, Error> {
    struct CutOnDrop(Arc<Tether>);

    impl Drop for CutOnDrop {
        fn drop(&mut self) {
            self.0.cut();
        }
    }

    let tether = Arc::new(Tether::default());
    let _cut_on_drop = CutOnDrop(Arc::clone(&tether));
    let (running, work) = (running.add(), begin(tether));
    let work = async move {
        let outcome = work.await;
        drop(running);
        outcome
    };
    tokio::spawn(work.in_current_span()).await.map_err(|ended| {
        let kind = if ended.is_panic() { ErrorKind::Bug } else { ErrorKind::Cancelled };
        Error::new(kind, "The call ended without an outcome.")
            .with_retry(Retry::Unsafe)
            .with_hint("It may have been carried out. Ask again under the same key: nothing is done twice.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn write_that_began_is_not_cut_and_a_cut_call_never_writes() {
        let (tether, answer) = (Tether::default(), Notify::new());
        tether.begin_write().expect("the caller waits");
        let waits = tether.enforce(async {
            answer.notified().await;
            Ok(7)
        });
        let leaves = async {
            tether.cut();
            tokio::task::yield_now().await;
            answer.notify_one();
        };
        assert_eq!(tokio::join!(waits, leaves).0.expect("it runs on"), 7);
        tether.begin_write().expect("it goes on to write");

        let tether = Tether::default();
        let waits = tether.enforce(std::future::pending::<Result<(), Error>>());
        let (ended, ()) = tokio::join!(waits, async { tether.cut() });
        assert_eq!(ended.expect_err("it was cut").kind(), ErrorKind::Cancelled);
        tether.wait_for_cut().await;
        tether.begin_write().expect_err("the caller has gone");
    }
}
