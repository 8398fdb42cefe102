//! Examples of actions and data sources. Those of a connector are read when one of them is first asked for.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::terminal::linked::Linked;

/// The examples of all connectors, by connector and by key.
pub(crate) struct Examples(Vec<ConnectorExamples>);

struct ConnectorExamples {
    connector: &'static str,
    text: &'static str,
    parsed: OnceLock<Map<String, Value>>,
}

impl Examples {
    pub(crate) fn new(linked: Linked) -> Self {
        let all = linked.all().iter();
        Self(all.map(|one| ConnectorExamples { connector: one.key(), text: one.examples, parsed: OnceLock::new() }).collect())
    }

    /// Finds the example of a key: an input, and the data of its outcome.
    pub(crate) fn find(&self, connector: &str, key: &str) -> Option<Value> {
        let of_connector = self.0.iter().find(|one| one.connector == connector)?;
        let parsed = of_connector.parsed.get_or_init(|| serde_json::from_str(of_connector.text).unwrap_or_default());
        let example = parsed.get(key)?;
        Some(json!({"input": example["input"], "data": example["data"]}))
    }
}
