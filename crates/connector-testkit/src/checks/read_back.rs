//! Every write, read back by another action.

use connector_core::declare::Effect;
use connector_core::embed::Connections;
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry};
use crate::report::assert_none;
use crate::trial::Trial;

impl Kit {
    /// Runs each write over HTTP, then the read that its fixture names under `then`.
    ///
    /// In the input of the read, `"<id>"` stands for the member `id` of what the write returned, and so on for other names. The read
    /// returns the same data, or `shows` a part of it, or `lacks` a part in every item of its list, or `fails` with a kind of error.
    /// [`Kit::check_answers`] tells of `connect`.
    pub async fn check_read_back<C: Connections + 'static>(&self, connect: impl AsyncFn() -> C) {
        let catalogue = self.build_catalogue();
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            if find_entry(&catalogue, fixture.key).effect() == Effect::Read {
                continue;
            }
            if let Err(difference) = read_back(&Trial::new(self, connect().await), &fixture).await {
                found.push(format!("{}: {difference}", fixture.key));
            }
        }
        assert_none(
            &found,
            "write under \"then\" of the fixture which action finds the record, its input, and what it shows, lacks or fails with",
        );
    }
}

/// Runs a write and its read, and fails if the read does not show the write.
async fn read_back(trial: &Trial, fixture: &Fixture) -> Result<(), String> {
    let then = fixture.then.as_object().ok_or("nothing reads it back")?;
    let wrote = trial.invoke(fixture.key, fixture.input.clone()).await;
    if wrote["ok"] != true {
        return Err(wrote.to_string());
    }
    let reader = then.get("action").and_then(Value::as_str).ok_or("\"then\" names no action")?;
    let mut input = then.get("input").cloned().unwrap_or_else(|| json!({}));
    for value in input.as_object_mut().into_iter().flatten().map(|(_, value)| value) {
        if let Some(name) = value.as_str().and_then(|text| text.strip_prefix('<')?.strip_suffix('>')) {
            *value = wrote["data"][name].clone();
        }
    }
    let read = trial.invoke(reader, input).await;
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
