//! An estimate of a call under an idempotency key, which is not claimed for it.

use std::sync::Arc;

use crate::embed::ledger::{Claim, Ledger};
use crate::runtime::call::Call;
use crate::runtime::estimate::planned::KeyUse;
use crate::runtime::keyed::once::{explain_other_call, find_lost, identify};
use crate::value::error::Error;
use crate::value::estimate::CostBound;
use crate::value::options::Resolve;

/// The reason where the call may have been made before, or be under way.
const MAY_BE_REPLAYED: &str = "The idempotency key may have an outcome by then: a call that is answered with it costs nothing.";

/// The reason where two lines of a batch use one key for two calls.
const IS_OF_ANOTHER_LINE: &str = "Another line has its idempotency key for another call: the line that is run first is carried out.";

/// Plans a call under an idempotency key. A replay costs nothing, and a call that would be refused is refused.
///
/// The call has the input as it was given. With the names in it resolved, it is looked for where its outcome was lost.
pub(in crate::runtime) async fn plan_once<T>(
    ledger: &Arc<dyn Ledger>,
    (key, resolve): (&str, Option<Resolve>),
    (call, resolved): (&Call<'_>, &Call<'_>),
    work: impl Future<Output = Result<T, Error>>,
) -> Result<(), Error> {
    let keyed = identify(key, call).await?;
    let batch = call.session.batch();
    match batch.as_ref().map(|batch| batch.enter_key(key, &keyed.fingerprint, call.session.sends_own())) {
        None | Some(KeyUse::First) => {}
        Some(KeyUse::Again) => return Ok(()),
        Some(KeyUse::OtherCall) => {
            call.session.doubt(CostBound::Open, IS_OF_ANOTHER_LINE);
            return Err(explain_other_call());
        }
        Some(KeyUse::Unknown) => call.session.doubt(CostBound::Most, MAY_BE_REPLAYED),
    }
    let planned = match ledger.peek(&keyed).await? {
        Some(Claim::Fresh) => work.await.map(drop),
        Some(Claim::Finished(_)) => return Ok(()),
        Some(Claim::OtherCall) => return Err(explain_other_call()),
        Some(Claim::Unknown { since }) => return find_lost(ledger, &keyed, resolved, resolve.and(since)).await.map(drop),
        Some(Claim::Running) | None => {
            call.session.doubt(CostBound::Most, MAY_BE_REPLAYED);
            work.await.map(drop)
        }
    };
    if planned.is_err() {
        batch.iter().for_each(|batch| batch.leave_key(key));
    }
    planned
}
