//! A write that is carried out at most once under an idempotency key.

use crate::embed::ledger::{Claim, Ledger};
use crate::runtime::call::Call;
use crate::runtime::deadline::Deadline;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::outcome::Answer;

/// Runs a call at most once under an idempotency key.
pub(super) async fn run_once(
    ledger: &dyn Ledger,
    key: &str,
    call: &Call<'_>,
    deadline: &Deadline<'_>,
    work: impl Future<Output = Result<Answer, Error>>,
) -> Result<Answer, Error> {
    match deadline.enforce(ledger.claim(key, &call.fingerprint())).await? {
        Claim::Fresh => {}
        Claim::Finished(answer) => {
            call.record_replay();
            return Answer::from_ledger(&answer);
        }
        Claim::Unfinished => {
            return Err(Error::new(ErrorKind::Conflict, "An earlier call with this idempotency key has no known outcome.")
                .with_retry(Retry::Unsafe)
                .with_hint("It is still running, or it may have been carried out: check before you repeat it."));
        }
        Claim::OtherCall => {
            return Err(Error::new(ErrorKind::IdempotencyMismatch, "This idempotency key was used for another call.")
                .with_hint("Use a key for one call alone."));
        }
    }
    let result = deadline.enforce(work).await;
    let kept = match &result {
        Ok(answer) => ledger.finish(key, answer.to_ledger()).await,
        Err(error) if error.retry() == Retry::Unsafe => Ok(()),
        Err(_) => ledger.release(key).await,
    };
    // The call was carried out, so a ledger that fails afterwards is a warning, not an error.
    if let Err(error) = kept {
        call.warn(format!("The outcome was not stored under its idempotency key: {}", error.message()));
    }
    result
}
