use super::*;

const ZONES: [&str; 8] = [
    "Europe/Tallinn",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "UTC",
];

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Reads `2026-01-31 09:30:00`.
fn local(text: &str) -> LocalTime {
    let numbers: Vec<u16> = text.split(['-', ' ', ':']).map(|number| number.parse().expect("a number")).collect();
    LocalTime::new([numbers[0], numbers[1], numbers[2]], [numbers[3], numbers[4], numbers[5]]).expect("the calendar has it")
}

fn write(local: LocalTime) -> String {
    format!("{} {}", local.write_date(), local.write_time(true))
}

/// Returns what the clock of a zone shows at a moment.
fn show(zone: &TimeZone, moment: Moment) -> LocalTime {
    LocalTime(zone.0.to_datetime(Offset::UTC.to_timestamp(moment.0).expect("it is a moment of these centuries")))
}

#[test]
fn finds_the_moment_of_a_time_on_a_clock() {
    for (name, on_the_clock, in_utc) in [
        ("Europe/Tallinn", "2026-01-31 09:30:00", "2026-01-31 07:30:00"),
        ("Europe/Tallinn", "2026-07-31 01:30:00", "2026-07-30 22:30:00"),
        ("Europe/Tallinn", "2026-03-29 02:59:59", "2026-03-29 00:59:59"),
        ("Europe/Tallinn", "2026-03-29 04:00:00", "2026-03-29 01:00:00"),
        ("Europe/Tallinn", "2026-10-25 02:59:59", "2026-10-24 23:59:59"),
        ("Europe/Tallinn", "2026-10-25 04:00:00", "2026-10-25 02:00:00"),
        ("America/New_York", "2026-01-31 20:00:00", "2026-02-01 01:00:00"),
        ("America/New_York", "2026-07-04 20:00:00", "2026-07-05 00:00:00"),
        ("Asia/Kolkata", "2026-03-01 02:00:00", "2026-02-28 20:30:00"),
        ("Australia/Lord_Howe", "2026-01-31 09:30:00", "2026-01-30 22:30:00"),
        ("Australia/Lord_Howe", "2026-07-31 09:30:00", "2026-07-30 23:00:00"),
        ("Pacific/Apia", "2011-12-29 23:59:59", "2011-12-30 09:59:59"),
        ("Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00"),
        // The rules of a zone go on beyond the changes that the database lists.
        ("Europe/Tallinn", "2099-07-31 09:30:00", "2099-07-31 06:30:00"),
        ("UTC", "0000-01-01 00:00:00", "0000-01-01 00:00:00"),
        ("UTC", "9999-12-31 23:59:59", "9999-12-31 23:59:59"),
    ] {
        let found = zone(name).find_moment(local(on_the_clock)).unwrap_or_else(|gap| panic!("{name} {on_the_clock}: {gap:?}"));
        assert_eq!(write(found.to_utc()), in_utc, "{name} {on_the_clock}");
    }
}

#[test]
fn finds_no_moment_where_the_clock_went_over_a_time() {
    for (name, on_the_clock, from, to) in [
        ("Europe/Tallinn", "2026-03-29 03:00:00", "2026-03-29 03:00:00", "2026-03-29 04:00:00"),
        ("Europe/Tallinn", "2026-03-29 03:59:59", "2026-03-29 03:00:00", "2026-03-29 04:00:00"),
        ("America/New_York", "2026-03-08 02:30:00", "2026-03-08 02:00:00", "2026-03-08 03:00:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-04 02:00:00", "2026-10-04 02:30:00"),
        ("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 00:00:00", "2011-12-31 00:00:00"),
        ("America/Sao_Paulo", "2018-11-04 00:00:00", "2018-11-04 00:00:00", "2018-11-04 01:00:00"),
        ("Europe/Tallinn", "2099-03-29 03:30:00", "2099-03-29 03:00:00", "2099-03-29 04:00:00"),
    ] {
        let expected = ClockGap::Skipped { from: local(from), to: local(to) };
        assert_eq!(zone(name).find_moment(local(on_the_clock)), Err(expected), "{name} {on_the_clock}");
    }
}

#[test]
fn finds_both_moments_where_the_clock_was_set_back() {
    for (name, on_the_clock, first, second) in [
        ("Europe/Tallinn", "2026-10-25 03:00:00", "2026-10-25T03:00:00+03:00", "2026-10-25T03:00:00+02:00"),
        ("Europe/Tallinn", "2026-10-25 03:59:59", "2026-10-25T03:59:59+03:00", "2026-10-25T03:59:59+02:00"),
        ("America/New_York", "2026-11-01 01:30:00", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"),
        ("Europe/London", "2026-10-25 01:30:00", "2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00Z"),
        // An offset that had seconds cannot be written.
        ("Europe/Dublin", "1916-10-01 02:30:00", "1916-10-01T01:55:21Z", "1916-10-01T02:30:00Z"),
    ] {
        match zone(name).find_moment(local(on_the_clock)) {
            Err(ClockGap::Doubled(moments)) => {
                assert_eq!(moments.map(|(moment, shift)| shift.write(moment)), [first, second], "{name} {on_the_clock}");
            }
            other => panic!("{name} {on_the_clock}: {other:?}"),
        }
    }
}

#[test]
fn finds_no_moment_in_a_year_that_four_digits_cannot_write() {
    assert_eq!(zone("Europe/Tallinn").find_moment(local("0000-01-01 00:00:00")), Err(ClockGap::OutOfRange));
    assert_eq!(zone("America/New_York").find_moment(local("9999-12-31 20:00:00")), Err(ClockGap::OutOfRange));
    assert!(zone("America/New_York").find_moment(local("0000-01-01 00:00:00")).is_ok());
}

#[test]
fn moment_of_a_time_shows_that_time_again() {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut below = |most: u16| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u16::try_from((state >> 33) % u64::from(most)).expect("it is below a number of 16 bits")
    };
    let mut counts = [0_usize; 3];
    for round in 0..40_000 {
        let zone = zone(ZONES[round % ZONES.len()]);
        let (date, time) = ([1 + below(9998), 1 + below(12), 1 + below(28)], [below(24), below(60), below(60)]);
        // Most clocks are changed within this century, so most times are of it.
        let date = if round % 4 == 0 { date } else { [1970 + below(130), date[1], date[2]] };
        let on_the_clock = LocalTime::new(date, time).expect("each month has 28 days");
        match zone.find_moment(on_the_clock) {
            Ok(moment) => {
                counts[0] += 1;
                assert_eq!(show(&zone, moment), on_the_clock, "{zone} {on_the_clock:?}");
            }
            Err(ClockGap::Doubled([(first, _), (second, _)])) => {
                counts[1] += 1;
                assert_eq!([show(&zone, first), show(&zone, second)], [on_the_clock; 2], "{zone} {on_the_clock:?}");
                assert!(first.0 < second.0, "{zone} {on_the_clock:?}");
            }
            Err(ClockGap::Skipped { from, to }) => {
                counts[2] += 1;
                assert!(from.0 <= on_the_clock.0 && on_the_clock.0 < to.0, "{zone} {on_the_clock:?}: {from:?} {to:?}");
                let after = zone.find_moment(to).expect("the time after a gap exists");
                let before = Moment(after.0.checked_sub(SignedDuration::from_secs(1)).expect("it is in range"));
                assert!(show(&zone, before).0 < from.0, "{zone} {on_the_clock:?}: {from:?} is in the gap");
            }
            Err(ClockGap::OutOfRange) => panic!("{zone} {on_the_clock:?} is within four digits"),
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "some of each: {counts:?}");
}

#[test]
fn knows_each_zone_by_its_name_and_the_nearest_to_a_wrong_one() {
    assert_eq!(zone("europe/tallinn").name(), "Europe/Tallinn");
    assert_eq!(zone("Asia/Calcutta").name(), "Asia/Calcutta");
    for (name, nearest) in
        [("Europe/Talinn", Some("Europe/Tallinn")), ("New_York", Some("America/New_York")), ("", None), ("Etc/Unknown", None)]
    {
        let unknown = name.parse::<TimeZone>().expect_err(name);
        if nearest.is_some() {
            assert_eq!(unknown.nearest.as_deref(), nearest, "{name}");
        }
        assert!(unknown.to_string().starts_with(&format!("There is no time zone {name:?}. ")), "{unknown}");
    }
}
