//! An input and what came back for each key, from the suite's fixtures, linked in at build time.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// The example of a key, for the manifest and for people.
pub(crate) fn example(key: &str) -> Option<Value> {
    static EXAMPLES: OnceLock<Map<String, Value>> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let text = include_str!(concat!(env!("OUT_DIR"), "/examples.json"));
        serde_json::from_str(text).expect("the build script writes JSON, and a test reads all of it")
    });
    let fixture = examples.get(key)?;
    Some(json!({"input": fixture["input"], "data": fixture["data"]}))
}
