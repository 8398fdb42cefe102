//! Time zones, and the moments that the times on their clocks name.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{self, AmbiguousOffset, Offset, TimeZone as ZoneRules};

use crate::value::wording::{find_nearest, quote};

/// A time zone of the IANA database, by its name: `Europe/Tallinn`.
///
/// The database is built in. No file and no variable of the machine is read.
///
/// ```
/// use connector_core::run::{Invocation, TimeZone};
///
/// let zone: TimeZone = "Europe/Tallinn".parse().expect("it is a zone");
/// let invocation = Invocation::new("addDeal").time_zone(zone);
///
/// let unknown = "Europe/Talinn".parse::<TimeZone>().expect_err("it is no zone");
/// assert!(unknown.to_string().contains("Europe/Tallinn"));
/// # drop(invocation);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone(ZoneRules);

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTimeZone {
    name: String,
    nearest: Option<String>,
}

/// A time on the clock of some place, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalTime(DateTime);

/// A point in time, as the time in UTC, in a year that four digits can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(DateTime);

/// A reason for which a time on the clock of a zone names no moment, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClockGap {
    /// The clock went from one time to another, and so over this one.
    Skipped { from: LocalTime, to: LocalTime },
    /// The clock was set back, and showed the time twice: with the first offset, then with the second.
    Doubled([(Moment, Shift); 2]),
    /// The moment is in no year that four digits can write.
    OutOfRange,
}

/// An offset from UTC, east of Greenwich.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift(Offset);

impl TimeZone {
    /// Returns the name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// Finds the moment at which the clock of the zone showed a time.
    pub(crate) fn find_moment(&self, local: LocalTime) -> Result<Moment, ClockGap> {
        let at = |offset: Offset| Shift(offset).find_moment(local).ok_or(ClockGap::OutOfRange);
        match self.0.to_ambiguous_timestamp(local.0).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, after } => Err(ClockGap::Doubled([(at(before)?, Shift(before)), (at(after)?, Shift(after))])),
            AmbiguousOffset::Gap { before, after } => {
                // With the later offset the time is a moment before the change, so the next change is the one that skipped it.
                let earlier = after.to_timestamp(local.0).map_err(|_| ClockGap::OutOfRange)?;
                let change = self.0.following(earlier).next().ok_or(ClockGap::OutOfRange)?.timestamp();
                Err(ClockGap::Skipped { from: LocalTime(before.to_datetime(change)), to: LocalTime(after.to_datetime(change)) })
            }
        }
    }
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    /// Finds a zone by its name, whatever the case of its letters. The error names the nearest.
    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        let database = tz::db();
        if let Some(found) = database.get(name).ok().filter(|found| found.iana_name().is_some()) {
            return Ok(Self(found));
        }
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let nearest = find_nearest(name, names.iter().map(String::as_str), 1).first().map(|name| (*name).to_owned());
        Err(UnknownTimeZone { name: name.to_owned(), nearest })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeZone").field(&self.name()).finish()
    }
}

impl UnknownTimeZone {
    /// Writes what is wrong.
    pub(crate) fn message(&self) -> String {
        format!("There is no time zone {}.", quote(&self.name))
    }

    /// Writes what to give instead.
    pub(crate) fn hint(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("The nearest is `{nearest}`."),
            None => "Give the name of a zone of the IANA database, as Europe/Tallinn.".to_owned(),
        }
    }
}

impl fmt::Display for UnknownTimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.message(), self.hint())
    }
}

impl std::error::Error for UnknownTimeZone {}

impl LocalTime {
    /// Builds a time of year, month and day, and of hours, minutes and seconds.
    ///
    /// `None` if the calendar does not have it.
    pub(crate) fn new([year, month, day]: [u16; 3], [hour, minute, second]: [u16; 3]) -> Option<Self> {
        let small = |number: u16| i8::try_from(number).ok();
        let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
        Some(Self(DateTime::from_parts(date, time)))
    }

    /// Writes the date: `2026-01-31`.
    pub(crate) fn write_date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }

    /// Writes the time of day: `09:30:00`, or `09:30` where seconds are left out and there are none.
    pub(crate) fn write_time(self, with_seconds: bool) -> String {
        let (hour, minute, second) = (self.0.hour(), self.0.minute(), self.0.second());
        if with_seconds || second != 0 { format!("{hour:02}:{minute:02}:{second:02}") } else { format!("{hour:02}:{minute:02}") }
    }
}

impl Moment {
    /// Returns the time in UTC.
    pub(crate) fn to_utc(self) -> LocalTime {
        LocalTime(self.0)
    }
}

impl Shift {
    /// Builds an offset of hours and minutes, if it is less than a day.
    pub(crate) fn new(is_west: bool, hours: u16, minutes: u16) -> Option<Self> {
        let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
        let offset = Offset::from_seconds(if is_west { -seconds } else { seconds }).ok()?;
        (hours < 24 && minutes < 60).then_some(Self(offset))
    }

    /// Finds the moment at which a clock with this offset shows a time.
    pub(crate) fn find_moment(self, local: LocalTime) -> Option<Moment> {
        let in_utc = local.0.checked_sub(self.to_duration()).ok()?;
        (0..=9999).contains(&in_utc.year()).then_some(Moment(in_utc))
    }

    /// Writes a moment on a clock with this offset, as RFC 3339 has it.
    pub(crate) fn write(self, moment: Moment) -> String {
        let minutes = self.0.seconds() / 60;
        // Before clocks went by zones, offsets had seconds, which the format has no place for.
        let local = moment.0.checked_add(self.to_duration()).ok().filter(|_| minutes != 0 && minutes * 60 == self.0.seconds());
        let (local, offset) = match local {
            Some(local) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                (local, format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60))
            }
            None => (moment.0, "Z".to_owned()),
        };
        format!("{}T{}{offset}", LocalTime(local).write_date(), LocalTime(local).write_time(true))
    }

    fn to_duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0.seconds().into())
    }
}

#[cfg(test)]
mod tests;
