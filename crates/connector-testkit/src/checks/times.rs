//! Times without a zone are those of the zone that the caller names, and a date never changes.

use connector_core::declare::Field;
use connector_core::run::{Entry, Invocation, TimeZone};
use serde_json::{Map, Value, json};

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry, is_upsert};
use crate::report::assert_none;
use crate::trial::{NOWHERE, Trial};

/// A zone whose clocks are changed twice a year.
const ZONE: &str = "Europe/Tallinn";

/// A time on its clocks, which is of the day before in UTC.
const LOCAL: [&str; 2] = ["2026-07-31", "01:30"];
const IN_UTC: [&str; 2] = ["2026-07-30", "22:30"];

/// A time that its clocks went over.
const SKIPPED: [&str; 2] = ["2026-03-29", "03:30"];

/// The way in which an input takes a time.
enum TimeInput {
    /// A moment, with its zone.
    Zoned,
    /// A moment, in UTC where no zone is written.
    Utc,
    /// A time of day, beside the date of this name.
    OfDay(&'static str),
    /// A date alone.
    Date,
}

impl Kit {
    /// Checks that each time is sent as the moment that it is in the zone of the caller.
    ///
    /// No date alone changes. A time that names no zone is refused without one, unless its input says that it is in UTC. A time that the clocks of the zone
    /// went over has one fault.
    pub async fn check_times(&self) {
        let (trial, catalogue) = (Trial::at(self, NOWHERE), self.build_catalogue());
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let entry = find_entry(&catalogue, fixture.key);
            // The inputs of an upsert are those of its two actions, for which they are tried.
            if is_upsert(entry) {
                continue;
            }
            let schema = entry.input_schema();
            for field in entry.fields() {
                let Some(kind) = TimeInput::find(field, &schema["properties"][field.name]) else { continue };
                let base = choose_input(&fixture, entry, field.name);
                let faults = TimeTrial { trial: &trial, entry, field, base }.check(&kind).await;
                found.extend(faults.into_iter().map(|fault| format!("{}.{}: {fault}", fixture.key, field.name)));
            }
        }
        assert_none(&found, "take the moment that the caller's zone makes of a time, and shift no date alone");
    }
}

impl TimeInput {
    fn find(field: &Field, schema: &Value) -> Option<Self> {
        match (field.time_of, schema["format"].as_str(), schema["x-time"].as_str()) {
            (Some(date), ..) => Some(Self::OfDay(date)),
            (_, Some("date-time"), _) => Some(Self::Zoned),
            (_, Some("date"), _) => Some(Self::Date),
            (_, _, Some("utc")) => Some(Self::Utc),
            _ => None,
        }
    }
}

/// Chooses an input of a fixture that has the input of this name, and that no other call has to come before.
///
/// No zone changes its other times: each names its own, and a time of day is left out.
fn choose_input(fixture: &Fixture, entry: &Entry, name: &str) -> Map<String, Value> {
    let mut inputs = fixture.inputs().filter(|input| Fixture::find_first_input(input).is_none());
    let found = inputs.find(|input| input.get(name).is_some_and(|value| !value.is_null())).unwrap_or(&fixture.input);
    let mut input = found.as_object().cloned().unwrap_or_default();
    let schema = entry.input_schema();
    for field in entry.fields() {
        match TimeInput::find(field, &schema["properties"][field.name]) {
            Some(TimeInput::OfDay(_)) => drop(input.shift_remove(field.name)),
            Some(TimeInput::Utc) => {
                if let Some(Value::String(text)) = input.get_mut(field.name) {
                    text.push('Z');
                }
            }
            Some(TimeInput::Zoned | TimeInput::Date) | None => {}
        }
    }
    input
}

/// The trial of one input.
struct TimeTrial<'t> {
    trial: &'t Trial,
    entry: &'t Entry,
    field: &'t Field,
    /// An input with the others that go together with it.
    base: Map<String, Value>,
}

impl TimeTrial<'_> {
    /// Lists what is wrong with an input.
    async fn check(&self, kind: &TimeInput) -> Vec<String> {
        let ([day, time], [utc_day, utc_time]) = (LOCAL, IN_UTC);
        let name = self.field.name;
        let local = format!("{day}T{time}");
        let (local, moment, skipped, lonely) = match kind {
            TimeInput::Zoned => (
                json!({name: local}),
                json!({name: format!("{utc_day}T{utc_time}:00Z")}),
                json!({name: SKIPPED.join("T")}),
                Some(json!({name: local})),
            ),
            TimeInput::Utc => {
                (json!({name: local}), json!({name: format!("{utc_day} {utc_time}:00")}), json!({name: SKIPPED.join(" ")}), None)
            }
            TimeInput::OfDay(date) => (
                json!({name: time, *date: day}),
                json!({name: utc_time, *date: utc_day}),
                json!({name: SKIPPED[1], *date: SKIPPED[0]}),
                None,
            ),
            TimeInput::Date => return self.check_date().await,
        };
        let mut faults = Vec::new();
        let (given, expected) = (self.run(&local, true).await, self.run(&moment, false).await);
        if expected["ok"] != true || given["data"] != expected["data"] {
            faults.push(format!("{local} in {ZONE} is {given}, and {moment} is {expected}"));
        }
        faults.extend(self.find_other_than_a_fault(&skipped, true).await);
        if let Some(lonely) = lonely {
            faults.extend(self.find_other_than_a_fault(&lonely, false).await);
        }
        if let TimeInput::OfDay(date) = kind {
            faults.extend(self.find_other_than_a_fault(&json!({name: time, *date: null}), true).await);
        }
        faults
    }

    /// Lists what is wrong with a date, which no zone changes.
    async fn check_date(&self) -> Vec<String> {
        let input = json!({self.field.name: LOCAL[0]});
        let (given, expected) = (self.run(&input, true).await, self.run(&input, false).await);
        let is_same = expected["ok"] == true && given["data"] == expected["data"];
        if is_same { Vec::new() } else { vec![format!("{input} in {ZONE} is {given}, and without a zone {expected}")] }
    }

    /// Describes an outcome that has not one fault, at the input.
    async fn find_other_than_a_fault(&self, input: &Value, in_zone: bool) -> Option<String> {
        let outcome = self.run(input, in_zone).await;
        let faults = outcome["error"]["faults"].as_array().map_or(&[][..], Vec::as_slice);
        let is_right = matches!(faults, [fault] if fault["path"] == format!("/{}", self.field.name));
        (!is_right).then(|| format!("{input} has not one fault: {outcome}"))
    }

    /// Makes a dry run of the input with some members. Null takes one out.
    async fn run(&self, members: &Value, in_zone: bool) -> Value {
        let mut input = self.base.clone();
        for (name, value) in members.as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(input.shift_remove(name)),
                value => drop(input.insert(name.clone(), value.clone())),
            }
        }
        let mut invocation = Invocation::new(self.entry.key()).input(input.into()).dry_run();
        if in_zone {
            invocation = invocation.time_zone(ZONE.parse::<TimeZone>().expect("it is a zone"));
        }
        self.trial.run(invocation).await
    }
}
