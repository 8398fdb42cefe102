//! Absent, null and a value are three states all the way: each value travels exactly as given, or is one named fault.

use connector_core::{Declaration, Effect, Entry, Field, Invocation, Place, Rule, Runtime};
use serde_json::{Map, Value, json};

use crate::support::fixtures;
use crate::support::world::{catalogue, none, rendered, runtime};

#[tokio::test]
async fn each_value_is_sent_as_given_or_refused_with_one_fault() {
    let runtime = runtime("http://127.0.0.1:9");
    let catalogue = catalogue();
    let mut found = Vec::new();
    let mut travelled = 0;
    for fixture in fixtures::all() {
        let entry = catalogue.find(None, fixture.key).expect("it is there");
        for field in entry.fields().into_iter().filter(|field| !field.shape.required) {
            for value in [json!(0), json!(""), json!(false), json!(null), json!([])] {
                let mut input = required(&fixture.input, entry);
                input.insert(field.name.to_owned(), value.clone());
                match fate(&runtime, entry, field, &value, input).await {
                    Ok(sent) => travelled += usize::from(sent),
                    Err(what) => found.push(format!("{}.{} = {value}: {what}", fixture.key, field.name)),
                }
            }
        }
    }
    none(&found, "a value must arrive as it was given, or be refused by name");
    assert!(travelled > 80, "the test must see values travel, and saw {travelled}");
}

/// The required inputs of a fixture alone, and those of which a rule demands one.
fn required(input: &Value, entry: &Entry) -> Map<String, Value> {
    let rules: Vec<&Rule> = entry.declaration().into_iter().flat_map(Declaration::rules).collect();
    let demanded = |name: &str| rules.iter().any(|rule| matches!(rule, Rule::AnyOf(names) if names.contains(&name)));
    let required = entry.fields().into_iter().filter(|field| field.shape.required || demanded(field.name));
    required.filter_map(|field| Some((field.name.to_owned(), input.get(field.name)?.clone()))).collect()
}

/// Whether the value travelled; an error where it was dropped, changed, or refused in another way than by one fault.
async fn fate(runtime: &Runtime, entry: &Entry, field: &Field, value: &Value, input: Map<String, Value>) -> Result<bool, String> {
    let outcome = rendered(&runtime.invoke(Invocation::new(entry.key()).input(input.into()).dry_run()).await);
    if outcome["ok"] == false {
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        let named = faults.len() == 1 && faults[0]["path"] == format!("/{}", field.name);
        return if named { Ok(false) } else { Err(format!("refused, and not by one fault at /{}: {outcome}", field.name)) };
    }
    let line = &outcome["data"][0];
    // A data source searches by a term; an action by hand names its inputs as a recorded request does.
    let wire = if field.name == "search" { "term" } else { field.wire };
    let url = line["url"].as_str().unwrap_or_default();
    let in_query =
        url.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wire).map(|(_, value)| value);
    let in_body = if field.place == Place::Own { line.get(wire) } else { line["json"].get(wire).or_else(|| line["form"].get(wire)) };
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digit = value.as_bool().map(|flag| u8::from(flag).to_string());
    match in_query {
        Some(text) if text == written || Some(text) == digit.as_deref() => Ok(true),
        None if in_body == Some(value) => Ok(true),
        // A read takes null for "none given".
        None if value.is_null() && entry.effect() == Effect::Read => Ok(false),
        _ => Err(format!("travels as {in_query:?} in the query and {in_body:?} in the body")),
    }
}

#[tokio::test]
async fn absent_inputs_are_not_sent() {
    let runtime = runtime("http://127.0.0.1:9");
    let outcome = rendered(&runtime.invoke(Invocation::new("updateDeal").input(json!({"dealId": 1, "value": 0})).dry_run()).await);
    assert_eq!(outcome["data"][0]["json"], json!({"value": 0}), "an update sends what was named, and nothing else");
}
