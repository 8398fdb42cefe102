//! Assertions about values and outcomes.

use connector_core::wording::shorten;
use jsonschema::Validator;
use serde_json::Value;

/// Fails if a value does not fit a schema; the message names every fault.
#[track_caller]
pub(crate) fn assert_valid(schema: &Validator, value: &Value, name: &str) {
    let faults: Vec<String> = schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{name} does not fit its schema:\n{}\n{}", faults.join("\n"), shorten(&value.to_string(), 2000));
}

/// Checks the view of a stage, by what `meta` says and by the names in the data.
#[track_caller]
pub(crate) fn assert_view(outcome: &Value, view: Option<&str>) {
    let name = if view == Some("flat") { "orderNr" } else { "order_nr" };
    assert!(outcome["meta"]["view"].as_str() == view && outcome["data"][name].is_number(), "{view:?} is not the view of {outcome}");
}
