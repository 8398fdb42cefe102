//! Absent, null and a value stay three states: each value is sent as given or refused by one fault.

use connector_core::declare::{Declaration, Effect, Field, Notation, Place, Rule};
use connector_core::run::{Entry, Runtime};
use serde_json::{Map, Value, json};

use crate::support::assertions::assert_none;
use crate::support::fixtures;
use crate::support::repository::build_catalogue;
use crate::support::runtime::{NOWHERE, build_runtime, dry_run};

#[tokio::test]
async fn each_value_is_sent_as_given_or_refused_with_one_fault() {
    let runtime = build_runtime(NOWHERE);
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    let mut sent = 0;
    for fixture in fixtures::read_fixtures() {
        let entry = catalogue.find(None, fixture.key).expect("the key is in the catalogue");
        for field in entry.fields().into_iter().filter(|field| !field.shape.required) {
            for value in [json!(0), json!(""), json!(false), json!(null), json!([])] {
                let mut input = keep_required(&fixture.input, entry);
                input.insert(field.name.to_owned(), value.clone());
                match check_value(&runtime, entry, field, &value, input).await {
                    Ok(was_sent) => sent += usize::from(was_sent),
                    Err(fault) => found.push(format!("{}.{} = {value}: {fault}", fixture.key, field.name)),
                }
            }
        }
    }
    assert_none(&found, "send the value as it was given, or refuse it by one fault");
    assert!(sent > 80, "fix the test, which saw only {sent} values sent");
}

/// Keeps the required inputs of a fixture, and those of which a rule demands one.
fn keep_required(input: &Value, entry: &Entry) -> Map<String, Value> {
    let rules: Vec<&Rule> = entry.declaration().into_iter().flat_map(Declaration::rules).collect();
    let is_demanded = |name: &str| rules.iter().any(|rule| matches!(rule, Rule::AnyOf(names) if names.contains(&name)));
    let required = entry.fields().into_iter().filter(|field| field.shape.required || is_demanded(field.name));
    required.filter_map(|field| Some((field.name.to_owned(), input.get(field.name)?.clone()))).collect()
}

/// Returns true if the value was sent, and an error if it was dropped, changed or refused otherwise.
async fn check_value(runtime: &Runtime, entry: &Entry, field: &Field, value: &Value, input: Map<String, Value>) -> Result<bool, String> {
    let outcome = dry_run(runtime, entry.key(), input.into()).await;
    if outcome["ok"] == false {
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        let is_named = faults.len() == 1 && faults[0]["path"] == format!("/{}", field.name);
        // Null is absent where a record is added, so a rule may miss the input.
        let is_missed = value.is_null() && faults.len() == 1 && faults[0]["path"] == "";
        return if is_named || is_missed {
            Ok(false)
        } else {
            Err(format!("it is refused, but not by one fault at /{}: {outcome}", field.name))
        };
    }
    let request = &outcome["data"][0];
    // A data source sends its `search` as `term`.
    let wire = if field.name == "search" { "term" } else { field.wire };
    let url = request["url"].as_str().unwrap_or_default();
    let in_query =
        url.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wire).map(|(_, value)| value);
    let in_body =
        if field.place == Place::Own { request.get(wire) } else { request["json"].get(wire).or_else(|| request["form"].get(wire)) };
    // A flag is sent as a digit, in JSON as that number.
    let digit = value.as_bool().filter(|_| field.shape.notation == Notation::Digit).map(u8::from);
    let encoded = field.shape.encode.map(|encode| encode(value)).or(digit.map(Value::from));
    let sent = encoded.unwrap_or_else(|| value.clone());
    let written = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
    match in_query {
        Some(text) if text == written => Ok(true),
        None if in_body == Some(&sent) => Ok(true),
        // A read takes null as absent, and so does an action that adds a record.
        None if value.is_null() && (entry.effect() == Effect::Read || request["method"] == "POST") => Ok(false),
        _ => Err(format!("it is sent as {in_query:?} in the query and {in_body:?} in the body")),
    }
}

#[tokio::test]
async fn absent_inputs_are_not_sent() {
    let runtime = build_runtime(NOWHERE);
    let outcome = dry_run(&runtime, "updateDeal", json!({"dealId": 1, "value": 0})).await;
    assert_eq!(outcome["data"][0]["json"], json!({"value": 0}), "send only the inputs that were given");
}
