use serde_json::json;

use super::*;
use crate::declare::field::Place;
use crate::declare::shape::FieldShape;
use crate::declare::types::{Date, DateTime, UtcTime};
use crate::exchange::input::Checks;

static DUE_DATE: Field = Field::new("dueDate", "due_date", Place::Body, "The day.", FieldShape::from_type::<Option<Date>>());
static DUE_TIME: Field =
    Field::new("dueTime", "due_time", Place::Body, "The time.", FieldShape::from_type::<Option<String>>()).with_time_of("dueDate");
static AT: Field = Field::new("at", "at", Place::Body, "The time.", FieldShape::from_type::<Option<DateTime>>());
static UTC: Field = Field::new("utc", "utc", Place::Body, "The time.", FieldShape::from_type::<Option<UtcTime>>());
static LIST: Field = Field::new("list", "list", Place::Body, "Times.", FieldShape::from_type::<Option<Vec<DateTime>>>());

const FIELDS: [&Field; 5] = [&DUE_DATE, &DUE_TIME, &AT, &UTC, &LIST];

/// Checks an input, and returns it as it will be sent, or its faults.
fn read(input: &Value, zone: Option<&str>) -> Result<Value, Vec<(String, String)>> {
    let zone: Option<TimeZone> = zone.map(|name| name.parse().expect("a zone"));
    let input = input.as_object().expect("an object").clone();
    let read = Checks::new(&FIELDS).read(input, &FIELDS, &[], false, zone.as_ref(), &[]);
    read.map(Value::Object).map_err(|faults| faults.into_iter().map(|fault| (fault.path().to_owned(), fault.message())).collect())
}

#[test]
fn times_without_a_zone_are_in_the_zone_of_the_caller() {
    for (given, sent) in [
        (json!({"at": "2026-01-31T09:30:00"}), json!({"at": "2026-01-31T07:30:00Z"})),
        (json!({"at": "2026-01-31T09:30"}), json!({"at": "2026-01-31T07:30:00Z"})),
        (json!({"at": "2026-01-31 09:30"}), json!({"at": "2026-01-31T07:30:00Z"})),
        (json!({"at": "2026-07-31 01:30:59"}), json!({"at": "2026-07-30T22:30:59Z"})),
        (json!({"utc": "2026-01-31 09:30:00"}), json!({"utc": "2026-01-31 07:30:00"})),
        (json!({"utc": "2026-01-31T09:30"}), json!({"utc": "2026-01-31 07:30:00"})),
        (json!({"list": ["2026-01-31T09:30", "2026-01-31T09:30:00Z"]}), json!({"list": ["2026-01-31T07:30:00Z", "2026-01-31T09:30:00Z"]})),
        (json!({"dueDate": "2026-07-31", "dueTime": "01:30"}), json!({"dueDate": "2026-07-30", "dueTime": "22:30"})),
        (json!({"dueTime": "01:30:15", "dueDate": "2026-07-31"}), json!({"dueTime": "22:30:15", "dueDate": "2026-07-30"})),
        (json!({"dueDate": "2026-12-31", "dueTime": "02:00"}), json!({"dueDate": "2026-12-31", "dueTime": "00:00"})),
        (json!({"dueDate": "2026-07-31"}), json!({"dueDate": "2026-07-31"})),
        (json!({"dueDate": "1900-01-01", "dueTime": "12:00"}), json!({"dueDate": "1900-01-01", "dueTime": "10:21"})),
    ] {
        assert_eq!(read(&given, Some("Europe/Tallinn")), Ok(sent), "{given}");
    }
    // Greenwich was 4:56:02 ahead of New York before zones.
    let (given, sent) = (json!({"dueDate": "1880-01-01", "dueTime": "12:00"}), json!({"dueDate": "1880-01-01", "dueTime": "16:56:02"}));
    assert_eq!(read(&given, Some("America/New_York")), Ok(sent));
}

#[test]
fn times_with_a_zone_are_the_moment_that_they_are() {
    for (given, sent) in [
        (json!({"at": "2026-01-31T09:30:00Z"}), json!({"at": "2026-01-31T09:30:00Z"})),
        (json!({"at": "2026-01-31T09:30:00+02:00"}), json!({"at": "2026-01-31T07:30:00Z"})),
        (json!({"at": "2026-01-01T00:30:00+05:30"}), json!({"at": "2025-12-31T19:00:00Z"})),
        (json!({"at": "2026-01-31T20:00:00-08:00"}), json!({"at": "2026-02-01T04:00:00Z"})),
        (json!({"at": "2026-01-31T09:30:00-00:00"}), json!({"at": "2026-01-31T09:30:00Z"})),
        (json!({"utc": "2026-01-31T09:30:00Z"}), json!({"utc": "2026-01-31 09:30:00"})),
        (json!({"utc": "2026-01-31 09:30:00+02:00"}), json!({"utc": "2026-01-31 07:30:00"})),
    ] {
        for zone in [None, Some("Asia/Kolkata")] {
            assert_eq!(read(&given, zone), Ok(sent.clone()), "{given} {zone:?}");
        }
    }
}

#[test]
fn without_a_zone_of_the_caller_nothing_shifts() {
    for given in [
        json!({"utc": "2026-01-31 09:30:00"}),
        json!({"dueDate": "2026-07-31", "dueTime": "01:30"}),
        json!({"dueTime": "01:30"}),
        json!({"dueDate": "2026-07-31", "at": "2026-01-31T09:30:00Z"}),
    ] {
        assert_eq!(read(&given, None), Ok(given.clone()));
    }
    for at in ["2026-01-31T09:30:00", "2026-01-31T09:30", "2026-01-31 09:30:00"] {
        let message = format!("{at:?} has no zone: give one, as in \"2026-01-31T09:30:00Z\", or options.timeZone");
        assert_eq!(read(&json!({"at": at}), None), Err(vec![("/at".to_owned(), message.clone())]));
        assert_eq!(read(&json!({"list": [at]}), None), Err(vec![("/list/0".to_owned(), message)]));
    }
}

#[test]
fn each_time_that_is_no_moment_has_one_fault() {
    for (zone, given, path, message) in [
        (
            "Europe/Tallinn",
            json!({"at": "2026-03-29T03:30:00"}),
            "/at",
            "\"2026-03-29T03:30:00\" does not exist in Europe/Tallinn, where the clock goes from 2026-03-29T03:00:00 to 2026-03-29T04:00:00",
        ),
        (
            "Australia/Lord_Howe",
            json!({"utc": "2026-10-04 02:15:00"}),
            "/utc",
            "\"2026-10-04 02:15:00\" does not exist in Australia/Lord_Howe, where the clock goes from 2026-10-04 02:00:00 to 2026-10-04 02:30:00",
        ),
        (
            "Pacific/Apia",
            json!({"dueDate": "2011-12-30", "dueTime": "09:30"}),
            "/dueTime",
            "\"2011-12-30 09:30\" does not exist in Pacific/Apia, where the clock goes from 2011-12-30 00:00:00 to 2011-12-31 00:00:00",
        ),
        (
            "Europe/Tallinn",
            json!({"at": "2026-10-25 03:30"}),
            "/at",
            "\"2026-10-25 03:30\" exists twice in Europe/Tallinn: as 2026-10-25T03:30:00+03:00 and as 2026-10-25T03:30:00+02:00",
        ),
        (
            "America/New_York",
            json!({"dueDate": "2026-11-01", "dueTime": "01:30"}),
            "/dueTime",
            "\"2026-11-01 01:30\" exists twice in America/New_York: as 2026-11-01 05:30:00 in UTC and as 2026-11-01 06:30:00 in UTC",
        ),
        ("Asia/Kolkata", json!({"dueTime": "09:30"}), "/dueTime", "\"09:30\" in Asia/Kolkata is a moment only together with `dueDate`"),
        ("Asia/Kolkata", json!({"at": "2026-02-30T09:30:00"}), "/at", "\"2026-02-30T09:30:00\" does not exist in the calendar"),
        ("Asia/Kolkata", json!({"at": "0000-01-01T00:00"}), "/at", "\"0000-01-01T00:00\" does not exist in the calendar"),
        ("Asia/Kolkata", json!({"at": "2026-01-31T24:00:00"}), "/at", "\"2026-01-31T24:00:00\" does not exist in the calendar"),
        ("Asia/Kolkata", json!({"at": "tomorrow at nine"}), "/at", "\"tomorrow at nine\" does not have the form \"2026-01-31T09:30:00Z\""),
        ("Asia/Kolkata", json!({"at": "2026-01-31"}), "/at", "\"2026-01-31\" does not have the form \"2026-01-31T09:30:00Z\""),
        (
            "Asia/Kolkata",
            json!({"at": "2026-01-31T09:30:00.5"}),
            "/at",
            "\"2026-01-31T09:30:00.5\" does not have the form \"2026-01-31T09:30:00Z\"",
        ),
        ("Asia/Kolkata", json!({"at": "2026-01-31T09:30:00+25:00"}), "/at", "\"2026-01-31T09:30:00+25:00\" does not exist in the calendar"),
        (
            "Asia/Kolkata",
            json!({"at": "é026-01-31T09:30:00"}),
            "/at",
            "\"é026-01-31T09:30:00\" does not have the form \"2026-01-31T09:30:00Z\"",
        ),
        (
            "Asia/Kolkata",
            json!({"dueDate": "31.01.2026", "dueTime": "09:30"}),
            "/dueDate",
            "\"31.01.2026\" does not have the form \"2026-01-31\"",
        ),
        ("Asia/Kolkata", json!({"dueDate": "2026-02-30", "dueTime": "09:30"}), "/dueDate", "\"2026-02-30\" does not exist in the calendar"),
    ] {
        assert_eq!(read(&given, Some(zone)), Err(vec![(path.to_owned(), message.to_owned())]), "{given}");
    }
}

#[test]
fn text_that_is_no_time_of_day_shifts_no_date() {
    let given = json!({"dueDate": "2026-07-31", "dueTime": "half past one"});
    assert_eq!(read(&given, Some("Europe/Tallinn")), Ok(given));
}
