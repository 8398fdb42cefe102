//! The time that a vendor names in `Retry-After`: seconds, or a date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a value of `Retry-After` as milliseconds from now.
///
/// A date counts from the answer's own `Date`, so that a clock that is wrong does no harm, else from `now`. One in the past is now.
pub(crate) fn read_retry_after(value: &str, date: Option<&str>, now: impl FnOnce() -> SystemTime) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number can hold never end.
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let until = read_date(value)?;
    let since = date.and_then(read_date).unwrap_or_else(now);
    let wait = until.duration_since(since).unwrap_or_default();
    Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date of HTTP in each of its three forms, or nothing if it is none.
pub(crate) fn read_date(text: &str) -> Option<SystemTime> {
    let words: Vec<&str> = text.trim().split([' ', '-']).filter(|word| !word.is_empty()).collect();
    // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT; Sun Nov  6 08:49:37 1994
    let ([_, day, month, year, time, "GMT"] | [_, month, day, time, year]) = *words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, year): (u64, u64) = (read_number(day)?, read_number(year)?);
    // A year of two digits is at most fifty years ahead, and these dates are young.
    let year = match year {
        ..70 => year + 2000,
        70..100 => year + 1900,
        year => year,
    };
    let mut clock = time.split(':').map(read_number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_valid = (1..=31).contains(&day) && (1970..10_000).contains(&year) && hour < 24 && minute < 60 && second <= 60;
    if !is_valid || clock.next().is_some() {
        return None;
    }
    let days = count_days(year, month as u64 + 1, day);
    Some(UNIX_EPOCH + Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60 + second))
}

fn read_number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Counts the days from 1970 to a date. The year begins in March, so that a leap day is its last.
fn count_days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of the standard.
    const EXAMPLE: u64 = 784_111_777;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn reads_each_form_of_a_date() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(EXAMPLE)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(EXAMPLE)),
            ("Sun Nov  6 08:49:37 1994", Some(EXAMPLE)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 29 Feb 2024 23:59:60 GMT", Some(1_709_251_200)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Mon, 30 Nov 2026 15:11:43 GMT", Some(1_796_051_503)),
            ("Monday, 30-Nov-26 15:11:43 GMT", Some(1_796_051_503)),
            ("Sun, 06 Nov 1994 08:49:37 PST", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
            ("Sun, 06 Nov 1969 08:49:37 GMT", None),
            ("Sun, +6 Nov 1994 08:49:37 GMT", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(read_date(text), seconds.map(at), "{text}");
        }
    }

    #[test]
    fn counts_a_date_from_the_answers_own_clock() {
        let value = "Sun, 06 Nov 1994 08:49:37 GMT";
        let read = |date, now| read_retry_after(value, date, || at(now));
        assert_eq!(read(Some("Sun, 06 Nov 1994 08:49:07 GMT"), 0), Some(30_000), "our clock does not matter");
        assert_eq!(read(Some("Sun, 06 Nov 1994 09:00:00 GMT"), 0), Some(0), "what is past is now");
        assert_eq!(read(None, EXAMPLE - 5), Some(5_000));
        assert_eq!(read(Some("yesterday"), EXAMPLE - 5), Some(5_000));
        assert_eq!(read(None, EXAMPLE + 5), Some(0), "never negative");
    }

    #[test]
    fn reads_seconds_without_a_clock() {
        let read = |value| read_retry_after(value, None, || unreachable!("seconds need no clock"));
        assert_eq!(read("0"), Some(0));
        assert_eq!(read(" 120 "), Some(120_000));
        assert_eq!(read("99999999999999999999"), Some(u64::MAX), "too long a time never ends");
        for none in ["-1", "1.5", "+3", "", "3 seconds"] {
            assert_eq!(read_retry_after(none, None, || at(0)), None, "{none:?}");
        }
    }
}
