//! The catalogue as JSON.

use serde_json::{Map, Value, json};

use crate::declare::action::Declaration;
use crate::declare::connector::{Auth, Connector};
use crate::declare::page::Paging;
use crate::exchange::schema;
use crate::runtime::catalogue::{Catalogue, Entry};

impl Catalogue {
    /// Builds the manifest of a connector. `example` returns an input and its data by key.
    pub fn manifest(&self, connector: &Connector, example: impl Fn(&str) -> Option<Value>) -> Value {
        let entries = || self.entries().iter().filter(|entry| entry.connector().key == connector.key);
        let auth: Vec<&str> = connector.auth.iter().map(Auth::name).collect();
        json!({
            "connector": {
                "key": connector.key, "label": connector.label, "description": connector.description,
                "version": connector.version, "auth": auth,
            },
            "actions": entries().filter_map(|entry| Some(describe_action(entry, entry.declaration()?, &example))).collect::<Vec<_>>(),
            "dataSources": entries().filter(|entry| entry.declaration().is_none()).map(|entry| describe_data_source(entry, &example)).collect::<Vec<_>>(),
        })
    }
}

impl Entry {
    /// Summarizes this entry for a list: its key, kind, label, description, effect, status and connector.
    pub fn summary(&self) -> Value {
        let status = self.declaration().map_or("live", Declaration::status);
        json!({
            "key": self.key(), "kind": if self.declaration().is_some() { "action" } else { "data-source" },
            "label": self.label(), "description": self.description(),
            "effect": self.effect().as_str(), "status": status, "connector": self.connector().key,
        })
    }

    /// Describes this entry as the manifest does.
    pub fn describe(&self, example: impl Fn(&str) -> Option<Value>) -> Value {
        match self.declaration() {
            Some(declaration) => describe_action(self, declaration, &example),
            None => describe_data_source(self, &example),
        }
    }
}

impl Auth {
    /// Returns the name in the manifest.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OAuth2(_) => "oauth2",
            Self::BearerToken => "bearerToken",
            Self::ApiToken { .. } => "apiToken",
        }
    }
}

fn describe_action(entry: &Entry, declaration: &Declaration, example: &impl Fn(&str) -> Option<Value>) -> Value {
    let mut described = json!({
        "key": declaration.key,
        "label": declaration.label,
        "description": declaration.description,
        "resource": declaration.resource(),
        "effect": declaration.effect().as_str(),
        "idempotent": declaration.is_idempotent(),
        "status": declaration.status(),
        "endpoint": declaration.endpoint.map(|endpoint| json!({"method": endpoint.method.as_str(), "path": endpoint.path})),
        "scopes": declaration.scopes,
        "cost": declaration.cost,
        "pagination": declaration.paging().map_or("none", Paging::as_str),
        "input": entry.input_schema(),
        "output": schema::build_output(&declaration.returns),
        "outputFlat": schema::build_flat_output(declaration),
    });
    if !declaration.scopes_all.is_empty() {
        insert_after(&mut described, "scopes", "scopesAll", json!(declaration.scopes_all));
    }
    if let Some(instead) = declaration.removed {
        insert_after(&mut described, "status", "instead", instead.into());
    }
    described["example"] = example(declaration.key).unwrap_or(Value::Null);
    described
}

/// Inserts a member behind another one.
fn insert_after(described: &mut Value, other: &str, name: &str, value: Value) {
    if let Some(members) = described.as_object_mut() {
        let at = members.keys().position(|key| key == other).map_or(0, |at| at + 1);
        members.shift_insert(at, name.to_owned(), value);
    }
}

fn describe_data_source(entry: &Entry, example: &impl Fn(&str) -> Option<Value>) -> Value {
    let mut described = Map::new();
    described.insert("key".into(), entry.key().into());
    described.insert("label".into(), entry.label().into());
    described.insert("description".into(), entry.description().into());
    described.insert("type".into(), "picklist".into());
    described.insert("input".into(), entry.input_schema());
    described.insert("example".into(), example(entry.key()).unwrap_or(Value::Null));
    described.into()
}
