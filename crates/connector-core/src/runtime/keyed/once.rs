//! A write that is carried out at most once under an idempotency key.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tracing::debug;

use crate::embed::ledger::{Claim, Kept, KeyedCall, LEASE, Ledger};
use crate::runtime::call::Call;
use crate::runtime::deadline::Deadline;
use crate::runtime::keyed::look::{FoundRecord, explain_not_found, look, name_answer};
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::file::{Content, Upload};
use crate::value::options::Resolve;
use crate::value::outcome::Answer;

/// The first and the longest wait between two looks at a call in flight.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// The waits before the outcome is stored again, after the ledger failed.
const STORE_AGAIN: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(500), Duration::from_secs(2)];

/// Runs a call at most once under an idempotency key. A call in flight under the same key is joined.
///
/// The call has the input as it was given. With the names in it resolved, it is looked for where its outcome was lost.
pub(in crate::runtime) async fn run_once(
    ledger: &Arc<dyn Ledger>,
    (key, resolve): (&str, Option<Resolve>),
    (call, resolved): (&Call<'_>, &Call<'_>),
    deadline: &Deadline<'_>,
    work: impl Future<Output = Result<Answer, Error>>,
) -> Result<Answer, Error> {
    let keyed = Arc::new(deadline.enforce(identify(key, call)).await?);
    match claim_or_join(ledger, &keyed, call, deadline).await? {
        Claim::Fresh => {}
        Claim::Finished(answer) => {
            call.record_replay();
            let (answer, warning) = Answer::from_ledger(&answer)?;
            call.session.add_warning(warning);
            return Ok(answer);
        }
        Claim::OtherCall => return Err(explain_other_call()),
        Claim::Unknown { since } => {
            let settled = Box::pin(settle(ledger, &keyed, resolved, resolve.and(since)));
            return deadline.enforce(call.session.enforce_tether(settled)).await;
        }
        Claim::Running => return Err(explain_still_running()),
    }
    let result = tokio::select! {
        result = deadline.enforce(call.session.enforce_tether(work)) => result,
        never = extend_for_ever(ledger, &keyed) => match never {},
    };
    let may_have_written = match &result {
        Ok(_) => true,
        Err(error) => error.retry() == Retry::Unsafe || call.session.may_have_written_before(),
    };
    let kept = result.as_ref().ok().map(|answer| Kept::new(answer.to_ledger()).with_record(name_answer(call, answer)));
    if let Err(error) = keep(ledger, &keyed, kept, may_have_written).await {
        // The call was carried out, so a ledger that fails afterwards is a warning, not an error.
        call.warn(format!("The outcome was not stored under its idempotency key: {}", error.message()));
    }
    result
}

/// Settles a key whose outcome was lost, if the caller asked to look.
///
/// The only record that could be that of the call is the outcome.
async fn settle(ledger: &Arc<dyn Ledger>, keyed: &KeyedCall, call: &Call<'_>, since: Option<SystemTime>) -> Result<Answer, Error> {
    let only = find_lost(ledger, keyed, call, since).await?;
    if !ledger.settle(keyed, Kept::new(only.answer.to_ledger()).with_record(only.record)).await? {
        return Err(explain_unknown("The record that was found belongs to another key."));
    }
    call.session.lock().meta.effect = Some("found");
    call.session.redact(Ok(only.answer))
}

/// Finds the only record that could be that of a call whose outcome was lost.
///
/// Without a time since which to look, the caller did not ask for it.
pub(super) async fn find_lost(
    ledger: &Arc<dyn Ledger>,
    keyed: &KeyedCall,
    call: &Call<'_>,
    since: Option<SystemTime>,
) -> Result<FoundRecord, Error> {
    let Some(since) = since else { return Err(explain_unknown("")) };
    if ledger.has_twin(keyed).await? {
        return Err(explain_unknown("Another key has the same call and no outcome."));
    }
    let mut found = Vec::new();
    for record in look(call, since).await? {
        if !ledger.has_made(&record.record).await? {
            found.push(record);
        }
    }
    let count = found.len();
    match found.pop() {
        Some(only) if count == 1 => Ok(only),
        _ => Err(explain_unknown(&explain_not_found(call, count))),
    }
}

fn explain_unknown(why: &str) -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "An earlier call under this idempotency key may have been carried out.")
        .with_hint(format!("Its outcome is lost, and nothing was sent now. {why} Look, then say `connector ledger resolve`."))
}

/// Explains that the key was used for another call.
pub(super) fn explain_other_call() -> Error {
    Error::new(ErrorKind::IdempotencyMismatch, "This idempotency key was used for another call.")
        .with_hint("Use a key for one call alone: the same connection, action, input and files.")
}

/// Claims the key, or waits until the call that holds it has ended.
async fn claim_or_join(ledger: &Arc<dyn Ledger>, keyed: &Arc<KeyedCall>, call: &Call<'_>, deadline: &Deadline<'_>) -> Result<Claim, Error> {
    let mut wait = LOOKS.0;
    let mut claim = claim_to_the_end(ledger, keyed, call, deadline).await?;
    while claim == Claim::Running {
        let next = async {
            tokio::time::sleep(wait).await;
            claim_to_the_end(ledger, keyed, call, deadline).await
        };
        claim = deadline.enforce(call.session.enforce_tether(next)).await.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => explain_still_running(),
            _ => error,
        })?;
        wait = (wait * 2).min(LOOKS.1);
    }
    Ok(claim)
}

fn explain_still_running() -> Error {
    Error::new(ErrorKind::TimedOut, "An earlier call under this idempotency key is still running.")
        .with_retry(Retry::Unsafe)
        .with_hint("It may be carried out yet. Ask again under the same key: nothing is done twice.")
}

/// Claims the key. A claim whose caller no longer waits is released once it is there.
///
/// A call whose caller has gone waits for that: a host that stops waits for such calls.
async fn claim_to_the_end(
    ledger: &Arc<dyn Ledger>,
    keyed: &Arc<KeyedCall>,
    call: &Call<'_>,
    deadline: &Deadline<'_>,
) -> Result<Claim, Error> {
    let (claims, claimed) = (Arc::clone(ledger), Arc::clone(keyed));
    let mut claiming = tokio::spawn(async move { claims.claim(&claimed).await });
    let limit = deadline.enforce(call.session.enforce_tether(std::future::pending::<Result<Infallible, Error>>()));
    let error = tokio::select! {
        biased;
        claim = &mut claiming => {
            return claim.unwrap_or_else(|ended| Err(Error::new(ErrorKind::Bug, "The ledger failed.").with_source(ended)));
        }
        limit = limit => match limit {
            Ok(never) => match never {},
            Err(error) => error,
        },
    };
    let (ledger, keyed) = (Arc::clone(ledger), Arc::clone(keyed));
    let release = async move {
        if let Ok(Ok(Claim::Fresh)) = claiming.await {
            log_failure(ledger.release(&keyed).await);
        }
    };
    if error.kind() == ErrorKind::Cancelled {
        release.await;
    } else {
        tokio::spawn(release);
    }
    Err(error)
}

/// Extends the claim while its call runs.
async fn extend_for_ever(ledger: &Arc<dyn Ledger>, keyed: &KeyedCall) -> Infallible {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        log_failure(ledger.extend(keyed).await);
    }
}

fn log_failure(result: Result<(), Error>) {
    if let Err(error) = result {
        debug!(%error, "the ledger failed beside a call");
    }
}

/// Keeps what became of a call: its answer, that it may have been carried out, or that its key is free again.
async fn keep(ledger: &Arc<dyn Ledger>, keyed: &KeyedCall, answer: Option<Kept>, may_have_written: bool) -> Result<(), Error> {
    let mut waits = STORE_AGAIN.into_iter();
    loop {
        let kept = match &answer {
            Some(answer) => ledger.finish(keyed, answer.clone()).await,
            None if may_have_written => ledger.abandon(keyed).await,
            None => ledger.release(keyed).await,
        };
        match (kept, waits.next()) {
            (Err(error), Some(wait)) => {
                debug!(%error, "the ledger failed, and is asked again");
                tokio::time::sleep(wait).await;
            }
            (kept, _) => return kept,
        }
    }
}

/// Describes a call to a ledger. The same connection, action, input and files have one fingerprint.
pub(super) async fn identify(key: &str, call: &Call<'_>) -> Result<KeyedCall, Error> {
    let connection = call.connection;
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    let mut input = call.input().clone();
    for (name, upload) in call.checked.files.iter() {
        // A file within the input and one beside it are the same.
        input.insert(name.to_owned(), upload.describe());
    }
    for taken in &call.checked.taken {
        input.insert(taken.field.name.to_owned(), taken.given.clone());
    }
    let mut input = Value::Object(input);
    input.sort_all_objects();
    for part in [call.connector.key, connection.identity(), &connection.origin, call.key, &input.to_string()] {
        add(part.as_bytes());
    }
    for (name, upload) in call.checked.files.iter() {
        add(name.as_bytes());
        add(&hash_file(upload).await?);
    }
    let fingerprint = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut keyed = KeyedCall::new(key, fingerprint);
    (keyed.connector, keyed.action) = (call.connector.key.to_owned(), call.key.to_owned());
    keyed.connection.clone_from(&connection.name);
    Ok(keyed)
}

/// Hashes the bytes of a file.
async fn hash_file(upload: &Upload) -> Result<[u8; 32], Error> {
    let source = match &upload.content {
        Content::Bytes(bytes) => return Ok(Sha256::digest(bytes).into()),
        Content::Source(source) => source,
    };
    let refuse = |error| Error::new(ErrorKind::InvalidInput, "A file to send cannot be read.").with_source(error);
    let mut reader = source.open().map_err(refuse)?;
    let (mut digest, mut part) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match reader.read(&mut part).await.map_err(refuse)? {
            0 => return Ok(digest.finalize().into()),
            count => digest.update(&part[..count]),
        }
    }
}
