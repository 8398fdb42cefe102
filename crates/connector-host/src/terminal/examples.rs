//! Examples of actions and data sources, from the fixtures of the test suite, linked in at build time.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// Finds the example of a key: an input, and the data of its outcome.
pub(crate) fn find_example(key: &str) -> Option<Value> {
    static EXAMPLES: OnceLock<Map<String, Value>> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let text = include_str!(concat!(env!("OUT_DIR"), "/pipedrive.json"));
        serde_json::from_str(text).expect("the build script writes JSON, and a test reads all of it")
    });
    let fixture = examples.get(key)?;
    Some(json!({"input": fixture["input"], "data": fixture["data"]}))
}
