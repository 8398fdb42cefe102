//! The sandbox's clock, which a test can set, and the time formats of both API versions.

use std::fmt;
use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, UtcOffset};
use tokio::sync::watch;

/// The source of the current time.
#[derive(Clone)]
pub struct Clock(TimeSource);

#[derive(Clone)]
enum TimeSource {
    System,
    Fixed(watch::Sender<OffsetDateTime>),
}

impl Clock {
    /// Builds a clock that shows the machine's time.
    pub fn system() -> Self {
        Self(TimeSource::System)
    }

    /// Builds a clock that stands at `start` and moves by one second for each write, so that orders can be tested.
    ///
    /// # Panics
    /// If `start` is not an RFC 3339 time.
    pub fn fixed(start: &str) -> Self {
        let start = parse_time(start).expect("a fixed clock starts at an RFC 3339 time");
        Self(TimeSource::Fixed(watch::Sender::new(start)))
    }

    /// Moves a fixed clock forward. All its clones show the new time.
    ///
    /// # Panics
    /// If this is the machine's clock, which cannot be moved.
    pub fn advance(&self, by: Duration) {
        assert!(matches!(self.0, TimeSource::Fixed(_)), "only a fixed clock can be moved");
        self.move_fixed(by);
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        match &self.0 {
            TimeSource::System => OffsetDateTime::now_utc(),
            TimeSource::Fixed(time) => *time.borrow(),
        }
    }

    pub(crate) fn tick(&self) {
        self.move_fixed(Duration::from_secs(1));
    }

    /// Waits for a time. With a fixed clock it waits until the clock has been moved by it.
    pub(crate) async fn sleep(&self, duration: Duration) {
        match &self.0 {
            TimeSource::System => tokio::time::sleep(duration).await,
            TimeSource::Fixed(time) => {
                let end = time.borrow().checked_add(to_signed(duration)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
                // The sender is still there, so the wait cannot fail.
                drop(time.subscribe().wait_for(|now| *now >= end).await);
            }
        }
    }

    fn move_fixed(&self, by: Duration) {
        if let TimeSource::Fixed(time) = &self.0 {
            time.send_modify(|now| *now = now.checked_add(to_signed(by)).unwrap_or(*now));
        }
    }
}

fn to_signed(duration: Duration) -> time::Duration {
    time::Duration::try_from(duration).unwrap_or(time::Duration::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            TimeSource::System => f.write_str("Clock::system()"),
            TimeSource::Fixed(_) => write!(f, "Clock::fixed({:?})", stamp(self.now())),
        }
    }
}

/// Formats a time in whole seconds of UTC with `Z`: the form of records and of v2 answers.
pub(crate) fn stamp(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let date = time.date();
    format!("{}T{:02}:{:02}:{:02}Z", format_date(date), time.hour(), time.minute(), time.second())
}

/// Formats a time as the header `Date` has it.
pub(crate) fn format_http_date(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let (hour, minute, second) = time.to_hms();
    format!("{}, {:02} {} {:04} {hour:02}:{minute:02}:{second:02} GMT", &weekday[..3], time.day(), &month[..3], time.year())
}

/// Formats a record's time as v1 does: `YYYY-MM-DD HH:MM:SS`. Other text is returned as it is.
pub(crate) fn format_v1_time(text: &str) -> String {
    if parse_time(text).is_some() && text.len() == 20 { text.replace('T', " ").trim_end_matches('Z').to_owned() } else { text.to_owned() }
}

/// Formats a record's time with milliseconds.
pub(crate) fn format_with_milliseconds(text: &str) -> String {
    text.replace('Z', ".000Z")
}

pub(crate) fn format_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    // Years before 0 and after 9999 have no RFC 3339 form in UTC.
    time.checked_to_offset(UtcOffset::UTC).filter(|utc| (0..=9999).contains(&utc.year()))
}

/// Parses an RFC 3339 time or v1's `YYYY-MM-DD HH:MM:SS`, which is UTC.
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

/// Parses a time of day as `HH:MM:SS` or `HH:MM`, and returns it as `HH:MM:SS`.
pub(crate) fn parse_clock(text: &str) -> Option<String> {
    parse_span(text).filter(|span| span.len() == 8 && span.as_str() < "24")
}

/// Parses a span of up to 999 hours as `HH:MM:SS` or `HH:MM`, and returns it as `HH:MM:SS`.
pub(crate) fn parse_span(text: &str) -> Option<String> {
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let is_sixtieth = |part: &str| part.len() == 2 && is_number(part) && part < "60";
    let (hours, rest) = text.split_once(':').filter(|(hours, _)| matches!(hours.len(), 2 | 3) && is_number(hours))?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "00"));
    (is_sixtieth(minutes) && is_sixtieth(seconds)).then(|| format!("{hours}:{minutes}:{seconds}"))
}
