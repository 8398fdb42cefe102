//! Calls to fields in API v1, for what API v2 lacks: numbers of fields, and scopes for activity fields.

use connector_core::by_hand::{Call, Request};
use connector_core::declare::{Declaration, FieldType, Schemas};
use serde_json::{Value, json};

use super::Running;
use super::operations::find_operation;

/// The key of a field, or the number that API v1 gave it.
pub(crate) struct FieldCode;

impl FieldType for FieldCode {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": ["string", "integer"], "minLength": 1, "minimum": 1})
    }
}

/// The most digits that a field's number has in API v1; a longer run of digits is a key.
const MOST_DIGITS: usize = 19;

/// Calls API v1 where the field is named by its number there, else API v2.
pub(crate) fn call_by_key_or_number<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    let is_number = match call.input().get("fieldCode") {
        Some(Value::String(code)) => code.len() <= MOST_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit()),
        code => code.is_some_and(Value::is_number),
    };
    send(call, declaration, is_number)
}

/// Calls API v1 where the connection was granted scopes that API v1 alone takes, else API v2.
pub(crate) fn call_by_granted_scopes<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    send(call, declaration, !call.is_granted(declaration.scopes) && call.is_granted(&["activities:read", "activities:full"]))
}

fn send<'a>(call: &'a Call<'_>, declaration: &'static Declaration, is_old: bool) -> Running<'a> {
    Box::pin(async move {
        let request = call.request(declaration);
        let response = if is_old { call.send_instead(build_old_request(call, &request)).await? } else { call.send(request).await? };
        Ok(response.into_answer(declaration)?)
    })
}

/// Builds the request for the same path in API v1, without the query, and warns of what differs there.
fn build_old_request(call: &Call<'_>, request: &Request) -> Request {
    call.warn("API v1 answers this: a field and its members are named as API v1 names them.");
    if !request.query.is_empty() {
        let ignored: Vec<&str> = request.query.iter().map(|(name, _)| name.as_str()).collect();
        call.warn(format!("API v1 takes no {}.", ignored.join(", ")));
    }
    let path = request.path.replacen("/api/v2/", "/api/v1/", 1);
    let cost = find_operation(request.method.as_str(), &path).and_then(|operation| operation.cost).unwrap_or(0);
    Request::new(request.method, path, cost)
}
