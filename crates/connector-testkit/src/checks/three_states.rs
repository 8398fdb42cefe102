//! Absent, null and a value stay three states: each value is sent as given or refused by one fault.

use connector_core::declare::{Declaration, Effect, Field, Notation, Place, Rule};
use connector_core::run::{Entry, EntryKind};
use serde_json::{Map, Value, json};

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry, is_upsert};
use crate::report::assert_none;
use crate::trial::{NOWHERE, Trial};

/// A text that a data source is asked for, to find the name under which it is sent.
const PROBE: &str = "probe-of-the-testkit";

/// The way out for an input that code uses in another way than sending it.
const EXCUSE: &str = "send it, or name it in Kit::not_sent";

impl Kit {
    /// Checks that each value of an optional input is sent as given, or refused by one fault that names the input.
    ///
    /// The values are `0`, an empty text, `false`, null and an empty list, each beside the required inputs of the fixture. Null may
    /// be absent in a read and in an action that adds. An input that code reads may travel in any way, but must change the request,
    /// unless [`Kit::not_sent`] names it.
    pub async fn check_three_states(&self) {
        let (trial, catalogue) = (Trial::at(self, NOWHERE), self.build_catalogue());
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let entry = find_entry(&catalogue, fixture.key);
            // The inputs of an upsert are those of its two actions, for which they are tried.
            if is_upsert(entry) {
                continue;
            }
            let required = keep_required(&fixture.input, entry);
            for field in entry.fields().into_iter().filter(|field| !field.shape.required) {
                let wire = find_wire(&trial, entry, field, &required).await;
                for value in [json!(0), json!(""), json!(false), json!(null), json!([])] {
                    if let Err(fault) = check_value(&trial, entry, (field, &wire), &value, &required).await {
                        found.push(format!("{}.{} = {value}: {fault}", fixture.key, field.name));
                    }
                }
                let is_sent = match entry.kind() {
                    EntryKind::DataSource(source) if !source.is_sent(field) => false,
                    _ => !self.not_sent.contains(&(fixture.key, field.name)),
                };
                let is_read_by_code = field.place == Place::Own && is_sent;
                if is_read_by_code && let Some(value) = find_dropped(&trial, &fixture, field.name).await {
                    found.push(format!("{}.{} = {value}: it is dropped, as no request changes; {EXCUSE}", fixture.key, field.name));
                }
            }
        }
        assert_none(&found, "send the value as it was given, or refuse it by one fault");
    }
}

/// Keeps the required inputs of a fixture, and those of which a rule demands one.
fn keep_required(input: &Value, entry: &Entry) -> Map<String, Value> {
    let rules: Vec<&Rule> = entry.declaration().into_iter().flat_map(Declaration::rules).collect();
    let is_demanded = |name: &str| rules.iter().any(|rule| matches!(rule, Rule::AnyOf(names) if names.contains(&name)));
    let required = entry.fields().into_iter().filter(|field| field.shape.required || is_demanded(field.name));
    required.filter_map(|field| Some((field.name.to_owned(), input.get(field.name)?.clone()))).collect()
}

/// Finds the name under which an input travels.
///
/// A data source sends its `search` as an input of the action that searches.
async fn find_wire(trial: &Trial, entry: &Entry, field: &Field, required: &Map<String, Value>) -> String {
    let is_search = matches!(entry.kind(), EntryKind::DataSource(_)) && field.name == "search";
    let found = if is_search {
        let mut input = required.clone();
        input.insert(field.name.to_owned(), PROBE.into());
        let request = trial.dry_run(entry.key(), input.into()).await["data"][0].take();
        let in_query = read_query(&request).into_iter().find(|(_, value)| *value == PROBE).map(|(name, _)| name.to_owned());
        let members = ["json", "form"].map(|body| request[body].as_object().cloned().unwrap_or_default());
        in_query.or_else(|| members.into_iter().flatten().find(|(_, value)| *value == PROBE).map(|(name, _)| name))
    } else {
        None
    };
    found.unwrap_or_else(|| field.wire.to_owned())
}

/// Lists the pairs of a request's query, which stay encoded.
fn read_query(request: &Value) -> Vec<(&str, &str)> {
    request["url"].as_str().unwrap_or_default().split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('=')).collect()
}

/// Fails if the value is dropped, changed, or refused otherwise than by one fault.
async fn check_value(
    trial: &Trial,
    entry: &Entry,
    (field, wire): (&Field, &str),
    value: &Value,
    required: &Map<String, Value>,
) -> Result<(), String> {
    let mut input = required.clone();
    input.insert(field.name.to_owned(), value.clone());
    let outcome = trial.dry_run(entry.key(), input.into()).await;
    if outcome["ok"] == false {
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        let is_named = faults.len() == 1 && faults[0]["path"] == format!("/{}", field.name);
        // Null is absent where a record is added, so a rule may miss the input.
        let is_missed = value.is_null() && faults.len() == 1 && faults[0]["path"] == "";
        let is_right = is_named || is_missed;
        return if is_right { Ok(()) } else { Err(format!("it is refused, but not by one fault at /{}: {outcome}", field.name)) };
    }
    let request = &outcome["data"][0];
    // A flag is sent as a digit, in JSON as that number.
    let digit = value.as_bool().filter(|_| field.shape.notation == Notation::Digit).map(u8::from);
    let encoded = field.shape.encode.map(|encode| encode(value)).or(digit.map(Value::from));
    let sent = encoded.unwrap_or_else(|| value.clone());
    let written = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
    let in_query = read_query(request).into_iter().find(|(name, _)| *name == wire).map(|(_, value)| value);
    let in_body = find_in_body(request, field.place, wire);
    let is_text = request.get("form").or(request.get("multipart")).is_some();
    let is_change = entry.declaration().is_some_and(|declaration| declaration.changes);
    let takes_null_as_absent = entry.effect() == Effect::Read || (request["method"] == "POST" && !is_change);
    match (in_query, in_body) {
        (Some(text), _) if text == written => Ok(()),
        (None, Some(member)) if *member == sent || (is_text && *member == written) => Ok(()),
        (None, _) if value.is_null() && takes_null_as_absent => Ok(()),
        // Code may send the input in another way; that it is not dropped shows with the value of the fixture.
        (None, None) if field.place == Place::Own => Ok(()),
        _ => Err(format!("it is sent as {in_query:?} in the query and {in_body:?} in the body")),
    }
}

/// Finds the value of an input in a fixture that makes no difference to the request.
async fn find_dropped(trial: &Trial, fixture: &Fixture, name: &str) -> Option<Value> {
    for input in fixture.inputs().filter(|input| Fixture::find_first_input(input).is_none()) {
        let mut without = input.clone();
        let value = without.as_object_mut().and_then(|members| members.shift_remove(name));
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        let (given, absent) = (trial.dry_run(fixture.key, input.clone()).await, trial.dry_run(fixture.key, without).await);
        if given["ok"] == true && given["data"] == absent["data"] {
            return Some(value);
        }
    }
    None
}

/// Finds the member of a body under a name on the wire. Code that takes a whole request shows its parts by name.
fn find_in_body<'r>(request: &'r Value, place: Place, wire: &str) -> Option<&'r Value> {
    if place == Place::Own {
        return request.get(wire);
    }
    let part = request["multipart"].as_array().into_iter().flatten().find(|part| part["name"] == wire);
    request["json"].get(wire).or_else(|| request["form"].get(wire)).or_else(|| part?.get("value"))
}
