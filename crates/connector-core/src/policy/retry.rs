//! Retries: whether a failed request is sent again, and how long to wait before.

use std::time::Duration;

use crate::declare::action::Declaration;
use crate::declare::method::Effect;
use crate::exchange::request::{Request, Role};
use crate::value::error::{Error, ErrorKind, Reach, Retry};

/// The number of attempts and the waits between them.
///
/// A request is sent again only where that does no harm. An engine with a policy of its own switches this one off.
///
/// ```
/// use std::time::Duration;
///
/// use connector_core::run::{Retries, Runtime};
///
/// # fn main() -> Result<(), connector_core::Error> {
/// let patient = Retries::default().with_attempts(6).with_backoff(Duration::from_millis(500), Duration::from_secs(30));
/// let runtime = Runtime::builder().retries(patient).build()?;
/// let engine_decides = Runtime::builder().retries(Retries::none()).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
}

/// At most four attempts, after waits of up to 250 ms, 500 ms and 1 s.
impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 4, first_wait: Duration::from_millis(250), longest_wait: Duration::from_secs(4) }
    }
}

impl Retries {
    /// Builds the policy that sends no request again. Each failure is reported at once.
    pub fn none() -> Self {
        Self::default().with_attempts(1)
    }

    /// Sets how often one request is sent at most. The default is 4.
    #[must_use]
    pub fn with_attempts(mut self, most: u32) -> Self {
        self.attempts = most;
        self
    }

    /// Sets the longest first wait, which doubles with each attempt, and the longest wait of all.
    ///
    /// Each wait is a random part of it. A wait that the vendor names goes before; up to the first wait is added to it at random.
    #[must_use]
    pub fn with_backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_wait, self.longest_wait) = (first, longest);
        self
    }

    /// Decides how long to wait before a request is sent again. If it returns nothing, the error is final.
    pub(crate) fn decide(&self, error: &Error, situation: &Situation) -> Option<Duration> {
        let may_repeat = situation.repetition != Repetition::Harmful || !may_have_arrived(error);
        // A limit ends by itself: the deadline alone ends the attempts. A caller who decides for himself hears of it at once.
        let is_last = if is_limit(error) { self.attempts <= 1 } else { situation.failed >= self.attempts };
        if is_last || !is_transient(error) || !may_repeat {
            return None;
        }
        let part = f64::from(situation.random) / f64::from(u32::MAX);
        let repeated = if is_limit(error) { situation.limited } else { situation.failed };
        let doubled = self.first_wait.saturating_mul(1 << repeated.saturating_sub(1).min(20));
        let random = doubled.min(self.longest_wait).mul_f64(part);
        let wait = match error.retry_after_ms() {
            // Each refusal of a row shows that others send too: the part at random grows.
            Some(milliseconds) if is_limit(error) => Duration::from_millis(milliseconds) + random,
            Some(milliseconds) => Duration::from_millis(milliseconds) + self.first_wait.min(self.longest_wait).mul_f64(part),
            None => random,
        };
        (wait < situation.left).then_some(wait)
    }
}

/// The facts about a failed request that decide whether it is sent again.
pub(crate) struct Situation {
    pub(crate) repetition: Repetition,
    /// The number of attempts so far that failed, other than by a limit.
    pub(crate) failed: u32,
    /// The number of attempts so far that the vendor refused by a limit.
    pub(crate) limited: u32,
    /// The time until the deadline of the caller.
    pub(crate) left: Duration,
    /// A random number, which spreads the waits.
    pub(crate) random: u32,
}

/// The effect of carrying a request out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// It changes nothing, ever.
    Read,
    /// The second time changes nothing.
    Idempotent,
    /// It does something twice.
    Harmful,
}

impl Repetition {
    /// Finds the effect of a repetition. Of writes, only the own request of an idempotent action is harmless.
    pub(crate) fn find(request: &Request, role: Role) -> Self {
        match request.effect() {
            Effect::Read => Self::Read,
            _ if role == Role::Own && request.declaration.is_some_and(Declaration::is_idempotent) => Self::Idempotent,
            _ => Self::Harmful,
        }
    }
}

/// Checks whether a request that failed may have been carried out.
pub(crate) fn may_have_arrived(error: &Error) -> bool {
    match error.reach() {
        Some(Reach::Sent | Reach::Answering) => true,
        Some(Reach::Refused) => error.retry() == Retry::Unsafe,
        Some(Reach::Unsent) | None => false,
    }
}

/// Checks whether the vendor took a request for one too many within its window.
pub(crate) fn is_limit(error: &Error) -> bool {
    error.kind() == ErrorKind::RateLimited && error.upstream().is_some_and(|upstream| upstream.status == 429)
}

/// Checks whether the failure of a request may pass within seconds.
fn is_transient(error: &Error) -> bool {
    match (error.reach(), error.kind()) {
        (None, _) | (_, ErrorKind::BudgetExhausted) => false,
        // A block that names no end follows abuse: further requests make it longer.
        (_, ErrorKind::RateLimited) => error.retry_after_ms().is_some() || error.upstream().is_some_and(|upstream| upstream.status == 429),
        _ => error.retry() != Retry::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::method::Method;
    use crate::value::error::Upstream;

    const SECOND: Duration = Duration::from_secs(1);

    fn situation(failed: u32, left: Duration, random: u32) -> Situation {
        Situation { repetition: Repetition::Read, failed, limited: failed, left, random }
    }

    fn broken() -> Error {
        Error::new(ErrorKind::Unreachable, "The connection broke.").with_reach(Reach::Sent)
    }

    fn limited(seconds: u64) -> Error {
        Error::new(ErrorKind::RateLimited, "Slowly.").with_reach(Reach::Refused).with_retry_after_ms(seconds * 1000)
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_attempts() {
        let retries = Retries::default().with_attempts(7).with_backoff(SECOND, 5 * SECOND);
        let waits = |random| -> Vec<_> {
            (1..8).map(|failed| retries.decide(&broken(), &situation(failed, 60 * SECOND, random)).map(|wait| wait.as_millis())).collect()
        };
        assert_eq!(waits(u32::MAX), [Some(1000), Some(2000), Some(4000), Some(5000), Some(5000), Some(5000), None]);
        assert_eq!(waits(0), [Some(0), Some(0), Some(0), Some(0), Some(0), Some(0), None], "a wait is a random part of the longest");
        assert_eq!(waits(u32::MAX / 2)[1], Some(1000));
        let far = retries.with_attempts(u32::MAX).decide(&broken(), &situation(u32::MAX - 1, 60 * SECOND, u32::MAX));
        assert_eq!(far, Some(5 * SECOND), "many attempts overflow nothing");
        assert_eq!(Retries::none().decide(&broken(), &situation(1, 60 * SECOND, 0)), None);
    }

    #[test]
    fn named_wait_is_never_cut_short_and_never_passes_the_deadline() {
        let retries = Retries::default();
        let wait = |left, random| retries.decide(&limited(3), &situation(1, left, random));
        assert_eq!(wait(30 * SECOND, 0), Some(3 * SECOND));
        assert_eq!(wait(30 * SECOND, u32::MAX), Some(Duration::from_millis(3250)), "a little is added at random");
        assert_eq!(wait(3 * SECOND, 0), None, "nothing can be sent when the time is over");
        assert_eq!(wait(Duration::from_millis(3001), 0), Some(3 * SECOND));
        assert_eq!(retries.decide(&limited(u64::MAX / 1000), &situation(1, 3600 * SECOND, 0)), None);
        assert_eq!(retries.decide(&broken(), &situation(3, SECOND, u32::MAX)), None, "a backoff ends in time too");
    }

    #[test]
    fn failures_that_stay_are_final() {
        let decide = |error: &Error| Retries::default().decide(error, &situation(1, 60 * SECOND, 0));
        let status = |status| Error::new(ErrorKind::RateLimited, "").with_upstream(Upstream::new(status)).with_reach(Reach::Refused);
        assert_eq!(decide(&status(403)), None, "a block that names no end follows abuse");
        assert_eq!(decide(&status(429)), Some(Duration::ZERO), "a vendor may limit without naming a time");
        let spent = Error::new(ErrorKind::BudgetExhausted, "").with_reach(Reach::Refused).with_retry_after_ms(1000);
        assert_eq!(decide(&spent), None);
        assert_eq!(decide(&Error::new(ErrorKind::NotFound, "").with_reach(Reach::Refused)), None);
        assert_eq!(decide(&Error::new(ErrorKind::BadAnswer, "It is larger than allowed.")), None, "no request failed on its way");
    }

    #[test]
    fn harmful_repetition_is_sent_again_only_if_it_cannot_have_arrived() {
        let decide = |error: &Error, repetition| {
            Retries::default().decide(error, &Situation { repetition, failed: 1, limited: 0, left: SECOND, random: 0 }).is_some()
        };
        let failed = Error::new(ErrorKind::UpstreamError, "").with_reach(Reach::Refused);
        let unsent = Error::new(ErrorKind::Unreachable, "").with_reach(Reach::Unsent);
        for (error, harmful) in [
            (unsent, true),
            (broken(), false),
            (Error::new(ErrorKind::BadAnswer, "").with_reach(Reach::Answering), false),
            // The connector says that nothing was carried out, as in a 503 for maintenance.
            (Error::new(ErrorKind::UpstreamError, "").with_reach(Reach::Refused), true),
            (failed.with_retry(Retry::Unsafe), false),
        ] {
            assert_eq!(decide(&error, Repetition::Harmful), harmful, "{error}");
            assert!(decide(&error, Repetition::Idempotent) && decide(&error, Repetition::Read), "{error}");
        }
    }

    #[test]
    fn request_without_a_declaration_is_judged_by_its_method() {
        for (method, repetition) in [
            (Method::Head, Repetition::Read),
            (Method::Get, Repetition::Read),
            (Method::Post, Repetition::Harmful),
            (Method::Put, Repetition::Harmful),
            (Method::Patch, Repetition::Harmful),
            (Method::Delete, Repetition::Harmful),
        ] {
            for role in [Role::Own, Role::Helper] {
                assert_eq!(Repetition::find(&Request::new(method, "/x", 0), role), repetition, "{method:?} {role:?}");
            }
        }
    }
}
