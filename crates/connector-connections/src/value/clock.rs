//! Time: the machine's clock, or a fixed one that a test advances.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Moment in microseconds since 1970, shown as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// Source of the current time. Clones of a fixed clock show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Moment {
    /// Builds a moment from microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the time that passed since another moment, zero if that is later.
    pub(crate) fn since(self, other: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(other.0)).unwrap_or_default())
    }

    /// Parses RFC 3339, or `YYYY-MM-DD HH:MM:SS` as UTC.
    pub fn from_text(text: &str) -> Option<Self> {
        const PLAIN: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let read =
            OffsetDateTime::parse(text, &Rfc3339).or_else(|_| PrimitiveDateTime::parse(text, PLAIN).map(PrimitiveDateTime::assume_utc));
        i64::try_from(read.ok()?.unix_timestamp_nanos() / 1000).ok().map(Self)
    }
}

/// Adds a span. A moment that would not fit becomes the last one.
impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Subtracts a span. A moment that would not fit becomes the first one.
impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORM: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000).map_err(|_| fmt::Error)?;
        f.write_str(&moment.format(FORM).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Clock {
    /// Builds the machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Builds a clock that shows `at` until it is advanced.
    pub fn fixed(at: Moment) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.0))))
    }

    /// Advances a fixed clock; the machine's clock is left as it is.
    pub fn advance(&self, span: Duration) {
        if let Some(at) = &self.0 {
            at.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Sets a fixed clock to another time, as an operator may set the machine's.
    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn set(&self, to: Moment) {
        self.0.as_ref().expect("the clock is fixed").store(to.0, Ordering::SeqCst);
    }

    /// Checks whether this is a clock that a test advances.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the current time.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Some(at) => Moment(at.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                Moment(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn parses_its_own_form_and_those_of_vendors() {
        let moment = Moment::from_micros(1_800_000_000_250_000);
        assert_eq!(Moment::from_text(&moment.to_string()), Some(moment));
        for same in ["2027-01-15T08:00:00Z", "2027-01-15T09:30:00+01:30", "2027-01-15 08:00:00", "2027-01-15T08:00:00.000Z"] {
            assert_eq!(Moment::from_text(same), Some(Moment::from_micros(1_800_000_000_000_000)), "{same}");
        }
        for invalid in [
            "",
            "now",
            "1800000000",
            "2027-01-15",
            "2027-02-30 08:00:00",
            "2027-01-15T08:00:00",
            "2027-01-15 08:00:00 ",
            "2027-01-15 25:00:00",
        ] {
            assert_eq!(Moment::from_text(invalid), None, "{invalid}");
        }
    }
}
