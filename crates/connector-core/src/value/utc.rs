//! Times in UTC, as texts that sort.

use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a time as RFC 3339 in UTC, in whole seconds.
pub(crate) fn write_utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The year begins in March, so that a leap day is its last. Eras of 400 years are all alike.
    let day_of_era = (days + 719_468) % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = (days + 719_468) / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Checks whether a time in UTC, as a vendor writes it, is not before another one.
///
/// A time of another form or zone never is.
pub(crate) fn is_not_before(time: &str, other: &str) -> bool {
    let second = |text: &str| {
        let text = text.get(..19)?.replace(' ', "T");
        let is_form = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
        text.bytes().zip(*b"0000-00-00T00:00:00").all(is_form).then_some(text)
    };
    let zone = time.get(19..).unwrap_or_default().trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    matches!(zone, "" | "Z" | "+00:00") && second(time).zip(second(other)).is_some_and(|(time, other)| time >= other)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn writes_times_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(write_utc(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 999)), text);
        }
    }

    #[test]
    fn compares_the_forms_of_vendors_by_the_second() {
        let since = "2027-01-15T08:00:00Z";
        for (time, is_later) in [
            ("2027-01-15T08:00:00Z", true),
            ("2027-01-15 08:00:00", true),
            ("2027-01-15T08:00:00.551Z", true),
            ("2027-01-15T07:59:59.999Z", false),
            ("2027-01-15T09:00:00+02:00", false),
            ("2028-01-15T08:00:00+00:00", true),
            ("2028-01-15", false),
            ("tomorrow at eight o'clock", false),
        ] {
            assert_eq!(is_not_before(time, since), is_later, "{time}");
        }
    }
}
