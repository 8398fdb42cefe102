//! Fields by what API v1 knew them by: a field's number, and the scopes that API v2 does not take for activity fields.

use std::pin::Pin;

use connector_core::{Answer, Call, Declaration, FieldType, Request, Schemas, Stop};
use serde_json::{Value, json};

use super::operations::operation;

/// The key of a field, or the number that API v1 gave it.
pub(crate) struct FieldCode;

impl FieldType for FieldCode {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": ["string", "integer"], "minLength": 1, "minimum": 1})
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>>;

/// A key has forty hexadecimal digits or is a word; a number of API v1 is short.
const LONGEST_NUMBER: usize = 19;

/// By the twin of API v1 where a field is named by the number that it had there.
pub(crate) fn by_key_or_number<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    let is_number = match call.input().get("fieldCode") {
        Some(Value::String(code)) => code.len() <= LONGEST_NUMBER && code.bytes().all(|byte| byte.is_ascii_digit()),
        code => code.is_some_and(Value::is_number),
    };
    run(call, declaration, is_number)
}

/// By the twin of API v1 where the connection was granted the scopes of that one alone.
pub(crate) fn by_granted_scopes<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    run(call, declaration, !call.grants(declaration.scopes) && call.grants(&["activities:read", "activities:full"]))
}

fn run<'a>(call: &'a Call<'_>, declaration: &'static Declaration, by_old_api: bool) -> Running<'a> {
    Box::pin(async move {
        let asked = call.request(declaration);
        let response = if by_old_api { call.send_beside(in_old_api(call, &asked)).await? } else { call.send(asked).await? };
        Ok(response.into_answer(declaration)?)
    })
}

/// The same path in API v1, which takes none of the inputs beside the path.
fn in_old_api(call: &Call<'_>, asked: &Request) -> Request {
    call.warn("API v1 answers this: a field and its members are named as API v1 names them.");
    if !asked.query.is_empty() {
        let ignored: Vec<&str> = asked.query.iter().map(|(name, _)| name.as_str()).collect();
        call.warn(format!("API v1 takes no {}.", ignored.join(", ")));
    }
    let path = asked.path.replacen("/api/v2/", "/api/v1/", 1);
    let cost = operation(asked.method.as_str(), &path).and_then(|operation| operation.cost).unwrap_or(0);
    Request::new(asked.method, path, cost)
}
