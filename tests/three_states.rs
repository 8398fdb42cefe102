//! Absent, null and a value are three states all the way: each value travels exactly as given, or is one named fault.

use connector_core::{Entry, Field, Invocation, Place, Runtime};
use serde_json::{Map, Value, json};

use crate::fixtures;
use crate::world::{catalogue, none, rendered, runtime};

#[tokio::test]
async fn each_value_travels_as_given_or_is_one_named_fault() {
    let runtime = runtime("http://127.0.0.1:9");
    let catalogue = catalogue();
    let mut found = Vec::new();
    let mut travelled = 0;
    for fixture in fixtures::all() {
        let entry = catalogue.find(None, fixture.key).expect("it is there");
        // An action by hand and a data source give no wire name: what they send is their own affair and has tests of its own.
        let fields: Vec<&Field> = entry.fields().into_iter().filter(|field| !field.shape.required && field.place != Place::Own).collect();
        for field in fields.iter().filter(|_| entry.declaration().is_some()) {
            for value in [json!(0), json!(""), json!(false), json!(null), json!([])] {
                let mut input = required(&fixture.input, entry);
                input.insert(field.name.to_owned(), value.clone());
                match fate(&runtime, fixture.key, field, &value, input).await {
                    Ok(sent) => travelled += usize::from(sent),
                    Err(what) => found.push(format!("{}.{} = {value}: {what}", fixture.key, field.name)),
                }
            }
        }
    }
    none(&found, "a value must arrive as it was given, or be refused by name");
    assert!(travelled > 80, "the test must see values travel, and saw {travelled}");
}

/// The required inputs of a fixture alone.
fn required(input: &Value, entry: &Entry) -> Map<String, Value> {
    let required = entry.fields().into_iter().filter(|field| field.shape.required);
    required.filter_map(|field| Some((field.name.to_owned(), input.get(field.name)?.clone()))).collect()
}

/// Whether the value travelled; an error where it was dropped, changed, or refused in another way than by one fault.
async fn fate(runtime: &Runtime, key: &str, field: &Field, value: &Value, input: Map<String, Value>) -> Result<bool, String> {
    let outcome = rendered(&runtime.invoke(Invocation::new(key).input(input.into()).dry_run()).await);
    if outcome["ok"] == false {
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        let named = faults.len() == 1 && faults[0]["path"] == format!("/{}", field.name);
        return if named { Ok(false) } else { Err(format!("refused, and not by one fault at /{}: {outcome}", field.name)) };
    }
    let line = &outcome["data"][0];
    let url = line["url"].as_str().unwrap_or_default();
    let in_query =
        url.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == field.wire).map(|(_, value)| value);
    let in_body = line["json"].get(field.wire);
    match (field.place, value) {
        // A read takes null for "none given".
        (Place::Query, Value::Null) if in_query.is_none() => Ok(false),
        (Place::Query, _) => {
            let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let digit = value.as_bool().map(|flag| u8::from(flag).to_string());
            if in_query == Some(written.as_str()) || (in_query.is_some() && in_query == digit.as_deref()) {
                Ok(true)
            } else {
                Err(format!("travels as {in_query:?}"))
            }
        }
        (Place::Body, _) if in_body == Some(value) => Ok(true),
        (Place::Body, _) => Err(format!("travels as {in_body:?}")),
        (place, _) => Err(format!("the test does not know where {place:?} travels")),
    }
}

#[tokio::test]
async fn absent_is_not_sent() {
    let runtime = runtime("http://127.0.0.1:9");
    let outcome = rendered(&runtime.invoke(Invocation::new("updateDeal").input(json!({"dealId": 1, "value": 0})).dry_run()).await);
    assert_eq!(outcome["data"][0]["json"], json!({"value": 0}), "an update sends what was named, and nothing else");
}
