//! Time as the sandbox tells it: a clock that a test can own, and the formats of both versions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, UtcOffset};

/// Where "now" comes from.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` and moves by one second for each write, so that orders can be tested.
    ///
    /// # Panics
    /// When `start` is not an RFC 3339 time.
    pub fn fixed(start: &str) -> Self {
        let start = parse_time(start).expect("a fixed clock starts at an RFC 3339 time");
        Self(Source::Fixed(Arc::new(AtomicI64::new(start.unix_timestamp()))))
    }

    /// Moves a fixed clock on, for all who share it.
    ///
    /// # Panics
    /// When it is the machine's clock, which goes by itself.
    pub fn advance(&self, by: Duration) {
        let Source::Fixed(seconds) = &self.0 else {
            panic!("only a fixed clock can be moved");
        };
        seconds.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Source::System => OffsetDateTime::now_utc(),
            Source::Fixed(seconds) => {
                OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::Relaxed)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
            }
        }
    }

    pub(crate) fn tick(&self) {
        if let Source::Fixed(seconds) = &self.0 {
            seconds.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("Clock::system()"),
            Source::Fixed(_) => write!(f, "Clock::fixed({:?})", stamp(self.now())),
        }
    }
}

/// The form in which times are kept and v2 answers them: whole seconds, UTC, `Z`.
pub(crate) fn stamp(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let date = time.date();
    format!("{}T{:02}:{:02}:{:02}Z", iso_date(date), time.hour(), time.minute(), time.second())
}

/// `YYYY-MM-DD HH:MM:SS`, as v1 answers a kept time; any other text is left as it is.
pub(crate) fn v1_time(text: &str) -> String {
    if parse_time(text).is_some() && text.len() == 20 { text.replace('T', " ").trim_end_matches('Z').to_owned() } else { text.to_owned() }
}

/// A kept time to the millisecond.
pub(crate) fn with_milliseconds(text: &str) -> String {
    text.replace('Z', ".000Z")
}

pub(crate) fn iso_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    // Years before 0 and after 9999 have no RFC 3339 form in UTC.
    time.checked_to_offset(UtcOffset::UTC).filter(|utc| (0..=9999).contains(&utc.year()))
}

/// RFC 3339 or v1's `YYYY-MM-DD HH:MM:SS`, which is UTC.
pub(crate) fn parse_any_time(text: &str) -> Option<OffsetDateTime> {
    parse_time(text).or_else(|| parse_time(&format!("{}Z", text.replacen(' ', "T", 1))))
}

pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let digits = |range: std::ops::Range<usize>| -> Option<u16> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    if text.len() != 10 || text.as_bytes()[4] != b'-' || text.as_bytes()[7] != b'-' {
        return None;
    }
    let month = Month::try_from(u8::try_from(digits(5..7)?).ok()?).ok()?;
    Date::from_calendar_date(i32::from(digits(0..4)?), month, u8::try_from(digits(8..10)?).ok()?).ok()
}

/// A time of day as `HH:MM:SS`, from that or from `HH:MM`.
pub(crate) fn parse_clock(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    let in_range =
        |part: &str, limit: u8| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok_and(|n| n < limit);
    match parts.as_slice() {
        [h, m] if in_range(h, 24) && in_range(m, 60) => Some(format!("{h}:{m}:00")),
        [h, m, s] if in_range(h, 24) && in_range(m, 60) && in_range(s, 60) => Some(text.to_owned()),
        _ => None,
    }
}
