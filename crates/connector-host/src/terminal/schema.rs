//! Schemas of the catalogue, as far as the command line reads them.

use serde_json::Value;

use crate::terminal::outline::read_reference;

/// Follows a reference to a definition.
pub(crate) fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match read_reference(schema) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// Checks that a schema names a type, alone or among others.
pub(crate) fn has_type(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|other| other == kind),
        other => other == kind,
    }
}
