//! Every write, read back by another action.

use connector_core::declare::Effect;
use connector_core::run::Runtime;
use serde_json::{Value, json};

use crate::support::assertions::assert_none;
use crate::support::fixtures;
use crate::support::fixtures::Fixture;
use crate::support::repository::build_catalogue;
use crate::support::runtime::{build_sandbox_runtime, invoke};
use crate::support::sandbox::sandbox_options;

#[tokio::test]
async fn every_write_is_read_back() {
    let catalogue = build_catalogue();
    let writes = |key: &str| catalogue.find(None, key).expect("the key is in the catalogue").effect() != Effect::Read;
    let mut found = Vec::new();
    for fixture in fixtures::read_fixtures().into_iter().filter(|fixture| writes(fixture.key)) {
        if let Err(difference) = read_back(&build_sandbox_runtime(sandbox_options()).await, &fixture).await {
            found.push(format!("{}: {difference}", fixture.key));
        }
    }
    assert_none(
        &found,
        "write under \"then\" of the fixture which action finds the record, its input, and what it shows, lacks or fails with",
    );
}

/// Runs a write, then the read that its fixture names under `then`.
///
/// In the input of the read, `"<id>"` stands for the ID that the write returned. The read must return the same data,
/// or `shows` a part of it, or `lacks` a part in every item of its list, or it `fails` with a kind of error.
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

/// Returns true if a value holds a part: its members, with null for an absent one, and an item for each item.
fn holds(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(members), Value::Object(parts)) => {
            parts.iter().all(|(name, part)| holds(members.get(name).unwrap_or(&Value::Null), part))
        }
        (Value::Array(items), Value::Array(parts)) => parts.iter().all(|part| items.iter().any(|item| holds(item, part))),
        _ => value == part,
    }
}

#[tokio::test]
async fn second_deletion_is_not_found() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
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
