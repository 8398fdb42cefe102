//! Every write is read back: what it answered is what another action then finds.

use connector_core::{Effect, Invocation, Runtime};
use serde_json::{Value, json};

use crate::support::fixtures;
use crate::support::fixtures::Fixture;
use crate::support::world::{beside_sandbox, catalogue, none, options, rendered};

#[tokio::test]
async fn every_write_is_read_back() {
    let catalogue = catalogue();
    let writes = |key: &str| catalogue.find(None, key).expect("it is there").effect() != Effect::Read;
    let mut found = Vec::new();
    for fixture in fixtures::all().into_iter().filter(|fixture| writes(fixture.key)) {
        if let Err(why) = read_back(&beside_sandbox(options()).await, &fixture).await {
            found.push(format!("{}: {why}", fixture.key));
        }
    }
    none(&found, "say in the fixture under \"then\" which action finds it, with which input, and what it shows, lacks or fails with");
}

/// `"then"` names the action that reads and its input, where `"<id>"` is the ID that the write answered. Without more
/// words the read gives just what the write answered; `shows` is a part of it, `lacks` what no item of the list has, and
/// `fails` the kind of error.
async fn read_back(runtime: &Runtime, fixture: &Fixture) -> Result<(), String> {
    let then = fixture.then.as_object().ok_or("nothing reads it back")?;
    let wrote = invoke(runtime, fixture.key, fixture.input.clone()).await;
    if wrote["ok"] != true {
        return Err(wrote.to_string());
    }
    let reader = then.get("action").and_then(Value::as_str).ok_or("\"then\" names no action")?;
    let mut input = then.get("input").cloned().unwrap_or_else(|| json!({}));
    for value in input.as_object_mut().into_iter().flatten().map(|(_, value)| value).filter(|value| *value == "<id>") {
        *value = wrote["data"]["id"].clone();
    }
    let read = invoke(runtime, reader, input).await;
    let fits = match (then.get("shows"), then.get("lacks"), then.get("fails")) {
        (None, None, Some(kind)) => read["error"]["kind"] == *kind,
        (Some(part), None, None) => holds(&read["data"], part),
        (None, Some(part), None) => read["data"].as_array().is_some_and(|items| !items.iter().any(|item| holds(item, part))),
        (None, None, None) => read["ok"] == true && read["data"] == wrote["data"],
        _ => return Err("\"then\" has more than one of shows, lacks and fails".to_owned()),
    };
    if fits { Ok(()) } else { Err(format!("{reader} reads {read}, after {}", wrote["data"])) }
}

/// Whether a value has all of a part: the members named, where null is also a member that is not there, and for each
/// item of a list one that has it.
fn holds(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(members), Value::Object(parts)) => {
            parts.iter().all(|(name, part)| holds(members.get(name).unwrap_or(&Value::Null), part))
        }
        (Value::Array(items), Value::Array(parts)) => parts.iter().all(|part| items.iter().any(|item| holds(item, part))),
        _ => value == part,
    }
}

async fn invoke(runtime: &Runtime, key: &str, input: Value) -> Value {
    rendered(&runtime.invoke(Invocation::new(key).input(input)).await)
}

/// What is deleted is soft, and a second deletion says that it is not there.
#[tokio::test]
async fn second_deletion_is_not_found() {
    let runtime = beside_sandbox(options()).await;
    for (delete, input) in [
        ("deleteDeal", json!({"dealId": 5})),
        ("deletePerson", json!({"personId": 5})),
        ("deleteOrganization", json!({"orgId": 5})),
        ("deleteStage", json!({"stageId": 2})),
        ("deletePipeline", json!({"pipelineId": 2})),
    ] {
        let first = invoke(&runtime, delete, input.clone()).await;
        assert_eq!(first["ok"], true, "{first}");
        let again = invoke(&runtime, delete, input).await;
        assert_eq!(again["error"]["kind"], "not_found", "{delete} twice: {again}");
    }
}
