//! The typed operations: their inputs are taken, and the flat view gives every member that they promise.

use std::collections::BTreeSet;

use connector_core::declare::Field;
use connector_core::run::{Entry, Invocation, Runtime, View};
use connector_testkit::assert_none;
use serde_json::{Map, Value, json};

use crate::support::kit::build_kit;
use crate::support::repository::{build_catalogue, read_json};
use crate::support::runtime::{build_sandbox_runtime, run};
use crate::support::sandbox::sandbox_options;

/// The records of each kind that are read, by their IDs.
const IDS: std::ops::RangeInclusive<u64> = 1..=140;

struct Operation {
    key: String,
    inputs: Vec<Value>,
    returns: Vec<Value>,
    example: Map<String, Value>,
}

fn read_operations() -> Vec<Operation> {
    let file = read_json("spec/pipedrive/typed.json");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let read = |row: &Value| Operation {
        key: row["key"].as_str().expect("a key").to_owned(),
        inputs: list(&row["inputs"]),
        returns: list(&row["returns"]),
        example: row["example"].as_object().expect("an input").clone(),
    };
    list(&file["operations"]).iter().map(read).collect()
}

impl Operation {
    /// Returns the input of the example with IDs that exist.
    fn build_example(&self) -> Map<String, Value> {
        let mut input = self.example.clone();
        for (name, value) in &mut input {
            if name.ends_with("Id") {
                *value = 1.into();
            }
        }
        input
    }

    /// Lists the paths whose members may be null.
    fn nullable_inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().filter(|input| input["nullable"] == true).filter_map(|input| input["name"].as_str())
    }
}

async fn invoke_flat(runtime: &Runtime, key: &str, input: Map<String, Value>) -> Value {
    run(runtime, Invocation::new(key).input(input.into()).view(View::Flat)).await
}

/// Finds the members at a path, `a[].b`, and the places where there is none.
fn find_members<'a>(data: &'a Value, path: &str) -> Vec<Option<&'a Value>> {
    let Some((head, rest)) = path.split_once('.').or(Some((path, ""))).filter(|(head, _)| !head.is_empty()) else {
        return vec![Some(data)];
    };
    let member = data.get(head.trim_end_matches("[]"));
    match member {
        Some(Value::Array(items)) if head.ends_with("[]") && !rest.is_empty() => {
            items.iter().flat_map(|item| find_members(item, rest)).collect()
        }
        Some(member) => find_members(member, rest),
        None => vec![None],
    }
}

/// Lists what is wrong with the members that an operation promises, and notes those that are not null.
fn check_members(operation: &Operation, data: &Value, given: &mut BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for promise in &operation.returns {
        let path = promise["path"].as_str().expect("a path");
        for member in find_members(data, path) {
            let fits = match (member, promise["type"].as_str()) {
                (Some(Value::Null), _) => promise["nullable"] == true,
                (Some(Value::Number(_)), Some("number"))
                | (Some(Value::String(_)), Some("string"))
                | (Some(Value::Bool(_)), Some("boolean"))
                | (Some(Value::Array(_)), Some("array")) => {
                    given.insert(path.to_owned());
                    true
                }
                _ => false,
            };
            if !fits {
                found.push(format!("{}: {path} is {member:?}, promised {promise}", operation.key));
            }
        }
    }
    found
}

#[tokio::test]
async fn examples_give_every_promised_member_of_its_type() {
    let mut found = Vec::new();
    let operations = read_operations();
    for operation in &operations {
        let runtime = build_sandbox_runtime(sandbox_options()).await;
        let outcome = invoke_flat(&runtime, &operation.key, operation.build_example()).await;
        assert_eq!(outcome["ok"], true, "{}: {outcome}", operation.key);
        found.extend(check_members(operation, &outcome["data"], &mut BTreeSet::new()));
    }
    assert_eq!(operations.len(), 19, "spec/pipedrive/extract.py must find all typed operations");
    assert_none(&found, "declare the member in its #[record] with #[flat(…)]");
}

/// Gives null for every input that may be null. An update takes it where the value can be cleared.
#[tokio::test]
async fn every_nullable_input_may_be_null() {
    let catalogue = build_catalogue();
    let mut found = Vec::new();
    for operation in read_operations() {
        let entry = catalogue.find(None, &operation.key).expect("the key is in the catalogue");
        let runtime = build_sandbox_runtime(sandbox_options()).await;
        let clears = |name: &str| find_field(entry, name).is_some_and(|field| field.shape.nullable);
        let is_update = operation.key.starts_with("update");
        let mut input = operation.build_example();
        for name in operation.nullable_inputs() {
            if !is_update || clears(name) {
                input.insert(name.to_owned(), Value::Null);
                continue;
            }
            let mut refused = operation.build_example();
            refused.insert(name.to_owned(), Value::Null);
            let outcome = invoke_flat(&runtime, &operation.key, refused).await;
            assert_eq!(outcome["error"]["faults"][0]["path"], json!(format!("/{name}")), "{}: {outcome}", operation.key);
        }
        if operation.key == "addNote" {
            // A note is about something.
            input.insert("dealId".to_owned(), 1.into());
        }
        let outcome = invoke_flat(&runtime, &operation.key, input.clone()).await;
        assert_eq!(outcome["ok"], true, "{} {input:?}: {outcome}", operation.key);
        found.extend(check_members(&operation, &outcome["data"], &mut BTreeSet::new()));
    }
    assert_none(&found, "declare the member in its #[record] with #[flat(…)]");
}

/// Takes the required inputs of a fixture and a limit that gives a second page.
fn with_one_a_page(input: &Value) -> Map<String, Value> {
    let needed = ["term", "personId"].into_iter().filter_map(|name| Some((name.to_owned(), input.get(name)?.clone())));
    needed.chain([("limit".to_owned(), 1.into())]).collect()
}

fn find_field(entry: &Entry, name: &str) -> Option<&'static Field> {
    entry.fields().into_iter().find(|field| field.name == name)
}

/// Reads all demo records. Each promised member is not null in one of them, or stands in `not_given.json`.
#[tokio::test]
async fn each_promised_member_is_given_somewhere() {
    let not_given = read_json("spec/pipedrive/not_given.json");
    let (fixtures, catalogue) = (build_kit().read_fixtures(), build_catalogue());
    let mut found = Vec::new();
    for operation in read_operations() {
        let runtime = build_sandbox_runtime(sandbox_options()).await;
        let fixture = fixtures.iter().find(|fixture| fixture.key == operation.key).expect("each key has a fixture");
        let mut inputs: Vec<Map<String, Value>> =
            std::iter::once(&fixture.input).chain(&fixture.more).filter_map(|input| input.as_object().cloned()).collect();
        inputs.retain(|input| !input.contains_key("cursor"));
        let variable = operation.inputs.iter().find(|input| input["required"] == true && input["type"] == "number");
        if let Some(name) = variable.and_then(|input| input["name"].as_str()) {
            let (example, alone) = (operation.build_example(), Map::new());
            let with_id = |input: &Map<String, Value>, id: u64| input.clone().into_iter().chain([(name.to_owned(), id.into())]).collect();
            inputs.extend(IDS.flat_map(|id| [with_id(&example, id), with_id(&alone, id)]));
        }
        if find_field(catalogue.find(None, &operation.key).expect("the key is in the catalogue"), "limit").is_some() {
            inputs.push(with_one_a_page(&fixture.input));
        }
        let mut given = BTreeSet::new();
        for input in inputs {
            let outcome = invoke_flat(&runtime, &operation.key, input).await;
            if outcome["ok"] == true {
                found.extend(check_members(&operation, &outcome["data"], &mut given));
            }
        }
        for promise in &operation.returns {
            let path = promise["path"].as_str().expect("a path");
            let reason = not_given[&operation.key][path].as_str();
            match (given.contains(path), reason) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(_)) => found.push(format!("{}: {path} is given, and stands in not_given.json", operation.key)),
                (false, None) => found.push(format!("{}: {path} is null everywhere", operation.key)),
            }
        }
    }
    assert_none(&found, "give it in the view or in the demo data; spec/pipedrive/not_given.json lists what Pipedrive does not give");
}
