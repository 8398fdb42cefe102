//! Times of inputs: each becomes the moment in UTC that its zone makes of it. A date alone never changes.

use serde_json::{Map, Value};

use crate::declare::field::Field;
use crate::declare::types::{IN_UTC, TIME_MARK};
use crate::value::fault::{Fault, FaultCode};
use crate::value::time_zone::{ClockGap, LocalTime, Moment, Shift, TimeZone};

/// The form in which an input takes a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// `2026-01-31T09:30:00Z`. A time without a zone names no moment.
    Zoned,
    /// `2026-01-31 09:30:00`. A time without a zone is in UTC, unless the caller names another.
    Utc,
}

/// A time as a caller writes it.
struct WrittenTime {
    /// The time on the clock. `None` if the calendar does not have it.
    local: Option<LocalTime>,
    /// The offset from UTC, where one is written.
    shift: Option<Shift>,
}

impl TimeForm {
    /// Reads the form from the schema of an input.
    pub(crate) fn from_schema(schema: &Value) -> Option<Self> {
        match (schema["format"].as_str(), schema[TIME_MARK].as_str()) {
            (Some("date-time"), _) => Some(Self::Zoned),
            (_, Some(IN_UTC)) => Some(Self::Utc),
            _ => None,
        }
    }

    /// Converts a text to the moment that it names, in UTC. `None` means that the text stays as it is.
    ///
    /// A text that is no time stays too: the check of the input says what is wrong with it.
    pub(crate) fn convert(self, text: &str, zone: Option<&TimeZone>) -> Option<Result<String, FaultCode>> {
        let is_in_utc = match self {
            Self::Zoned => text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T',
            Self::Utc => zone.is_none() && text.len() == 19,
        };
        if is_in_utc {
            return None;
        }
        let written = WrittenTime::read(text)?;
        let not_in_calendar = || FaultCode::NotInCalendar { value: quote(text) };
        let moment = match (written.local, written.shift, zone) {
            (_, None, None) => return None,
            (None, _, _) => Err(not_in_calendar()),
            (Some(local), Some(shift), _) => shift.find_moment(local).ok_or_else(not_in_calendar),
            (Some(local), None, Some(zone)) => {
                zone.find_moment(local).map_err(|gap| explain_gap(&gap, &quote(text), zone, |at| self.write_local(at)))
            }
        };
        Some(moment.map(|moment| self.write(moment)))
    }

    /// Writes a moment in this form.
    fn write(self, moment: Moment) -> String {
        let text = self.write_local(moment.to_utc());
        if self == Self::Zoned { text + "Z" } else { text }
    }

    fn write_local(self, local: LocalTime) -> String {
        let separator = if self == Self::Zoned { 'T' } else { ' ' };
        format!("{}{separator}{}", local.write_date(), local.write_time(true))
    }
}

impl WrittenTime {
    /// Reads a date, a time to the minute or the second, and an offset if there is one. `None` for any other form.
    fn read(text: &str) -> Option<Self> {
        let date = read_date(text.get(..10)?)?;
        let rest = text[10..].strip_prefix(['T', ' '])?;
        let (time, shift) = match rest.find(['Z', '+', '-']) {
            Some(at) => (&rest[..at], Some(read_shift(&rest[at..])?)),
            None => (rest, None),
        };
        Some(Self { local: LocalTime::new(date, read_time(time)?), shift })
    }
}

/// Checks that two texts are one moment. A time without a zone is in UTC, as vendors write it.
///
/// Parts of a second count where both have them.
pub(crate) fn is_same_moment(one: &str, other: &str) -> bool {
    let (Some((one, part)), Some((other, other_part))) = (read_moment(one), read_moment(other)) else { return false };
    one == other && (part.is_empty() || other_part.is_empty() || part == other_part)
}

/// Checks that two texts are one time of day, which may leave out its seconds.
pub(crate) fn is_same_time_of_day(one: &str, other: &str) -> bool {
    read_time(one).is_some_and(|time| read_time(other) == Some(time))
}

/// Reads a moment, and the digits of the part of a second.
fn read_moment(text: &str) -> Option<(Moment, &str)> {
    let (whole, part) = match text.split_once('.') {
        None => (text.to_owned(), ""),
        Some((whole, rest)) => {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            (format!("{whole}{}", &rest[end..]), rest[..end].trim_end_matches('0'))
        }
    };
    let WrittenTime { local, shift } = WrittenTime::read(&whole)?;
    let shift = shift.or_else(|| Shift::new(false, 0, 0))?;
    Some((shift.find_moment(local?)?, part))
}

/// Checks that a text is a time without a zone.
pub(crate) fn lacks_zone(text: &str) -> bool {
    WrittenTime::read(text).is_some_and(|written| written.shift.is_none())
}

/// Converts each time of day that an input has beside its date: together they are one moment in the zone.
///
/// Where one of the two is no date or no time, both stay: the check of the input says what is wrong.
pub(crate) fn convert_pairs(fields: &[&Field], input: &mut Map<String, Value>, zone: &TimeZone, faults: &mut Vec<Fault>) {
    for (field, date_name) in fields.iter().filter_map(|field| Some((field, field.time_of?))) {
        let Some(text) = input.get(field.name).and_then(Value::as_str) else { continue };
        let Some(time) = read_time(text) else { continue };
        let code = match input.get(date_name) {
            None | Some(Value::Null) => FaultCode::NoDay { value: quote(text), zone: zone.to_string(), day: date_name },
            Some(date) => {
                let Some(date_text) = date.as_str() else { continue };
                let Some(local) = read_date(date_text).and_then(|date| LocalTime::new(date, time)) else { continue };
                match zone.find_moment(local) {
                    Ok(moment) => {
                        let utc = moment.to_utc();
                        let time = utc.write_time(text.len() > "09:30".len());
                        input.insert(date_name.to_owned(), utc.write_date().into());
                        input.insert(field.name.to_owned(), time.into());
                        continue;
                    }
                    Err(ClockGap::Doubled(moments)) => FaultCode::DoubledTime {
                        value: quote(&format!("{date_text} {text}")),
                        zone: zone.to_string(),
                        moments: Box::new(moments.map(|(moment, _)| format!("{} in UTC", TimeForm::Utc.write(moment)))),
                        beside: Some(date_name),
                    },
                    Err(gap) => explain_gap(&gap, &quote(&format!("{date_text} {text}")), zone, |at| TimeForm::Utc.write_local(at)),
                }
            }
        };
        faults.push(Fault::at(format!("/{}", field.name), code));
    }
}

/// Explains why a time names no moment. `write` writes a time in the form in which it can be given.
fn explain_gap(gap: &ClockGap, value: &str, zone: &TimeZone, write: impl Fn(LocalTime) -> String) -> FaultCode {
    let (value, zone) = (value.to_owned(), zone.to_string());
    match gap {
        ClockGap::Skipped { from, to } => FaultCode::SkippedTime { value, zone, gap: Box::new([write(*from), write(*to)]) },
        ClockGap::Doubled(moments) => {
            FaultCode::DoubledTime { value, zone, moments: Box::new(moments.map(|(moment, shift)| shift.write(moment))), beside: None }
        }
        ClockGap::OutOfRange => FaultCode::NotInCalendar { value },
    }
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

/// Reads `2026-01-31` as year, month and day.
fn read_date(text: &str) -> Option<[u16; 3]> {
    read_numbers(text, '-', [4, 2, 2])
}

/// Reads `09:30` or `09:30:15` as hours, minutes and seconds.
fn read_time(text: &str) -> Option<[u16; 3]> {
    match read_numbers(text, ':', [2, 2]) {
        Some([hour, minute]) => Some([hour, minute, 0]),
        None => read_numbers(text, ':', [2, 2, 2]),
    }
}

/// Reads `Z` or `+02:00` as an offset from UTC.
fn read_shift(text: &str) -> Option<Shift> {
    if text == "Z" {
        return Shift::new(false, 0, 0);
    }
    let [hours, minutes] = read_numbers(text.strip_prefix(['+', '-'])?, ':', [2, 2])?;
    Shift::new(text.starts_with('-'), hours, minutes)
}

/// Reads numbers of so many digits each, and nothing else.
fn read_numbers<const COUNT: usize>(text: &str, separator: char, lengths: [usize; COUNT]) -> Option<[u16; COUNT]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; COUNT];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests;
