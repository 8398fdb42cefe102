//! The parts that the demo records of all kinds share: days, times and labels.

use serde_json::{Value, json};

use time::macros::date;
use time::{Date, Duration};

use crate::value::clock::format_date;
use crate::value::random::Random;
use crate::value::record::Record;

/// The first day of the demo's records.
const FIRST_DAY: Date = date!(2026 - 01 - 05);
/// The number of days on which the demo's records are added.
pub(super) const DAYS: u64 = 300;

/// Builds a record. Fields that are null are left out, as in all stored records.
pub(super) fn build_record(value: Value) -> Record {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Record::new(),
    }
}

/// Formats a time on a day of the demo, within working hours.
pub(super) fn make_time(day: u64, seconds: u64) -> String {
    let seconds = seconds % 32_400 + 28_800;
    format!("{}T{:02}:{:02}:{:02}Z", make_date(day), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Formats the date of a day of the demo.
pub(super) fn make_date(day: u64) -> String {
    format_date(FIRST_DAY.saturating_add(Duration::days(i64::try_from(day).unwrap_or(0))))
}

pub(super) fn pick_nth<'a>(items: &[&'a str], n: u64) -> &'a str {
    items[usize::try_from(n).unwrap_or(0) % items.len()]
}

pub(super) fn draw_labels(random: &mut Random) -> Value {
    if random.draw_one_in(2) { json!([1 + random.draw_below(4)]) } else { json!([]) }
}
