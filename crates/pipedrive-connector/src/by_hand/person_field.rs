//! Sets one field of one person.

use connector_core::by_hand::{Body, Call};
use connector_core::declare::{Declaration, Declares, Field, Place};
use connector_core::{Error, Fault};
use serde_json::{Value, json};

use super::Running;
use crate::rooms::persons::UpdatePerson;

/// Sends the field under the name that the API has for it.
pub(crate) fn set<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    Box::pin(async move {
        let input = |name: &str| call.input().get(name).cloned().unwrap_or_default();
        let key = input("fieldKey");
        let body = build_body(key.as_str().unwrap_or_default(), &input("value"));
        let body = body.map_err(|fault| Error::invalid_input(declaration.key, vec![fault]))?;
        let mut request = call.request(declaration);
        request.body = Body::Json(body.to_string().into());
        Ok(call.send(request).await?.into_answer(declaration)?)
    })
}

fn build_body(key: &str, value: &Value) -> Result<Value, Fault> {
    if key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(json!({"custom_fields": {key: value}}));
    }
    let is_one_field = |field: &&Field| field.place == Place::Body && field.wire != "custom_fields" && field.instead_of.is_none();
    let fields = || UpdatePerson::declaration().fields().filter(is_one_field);
    match fields().find(|field| field.wire == key || field.name == key) {
        Some(field) => Ok(json!({field.wire: value})),
        None => {
            let names: Vec<&str> = fields().map(|field| field.wire).collect();
            Err(Fault::new("/fieldKey", format!("{key:?} is no 40-character key, and none of {}", names.join(", "))))
        }
    }
}
