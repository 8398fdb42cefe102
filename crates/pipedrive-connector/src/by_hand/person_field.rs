//! One field of one person, whichever it is.

use std::pin::Pin;

use connector_core::{Answer, Body, Call, Declaration, Declares, Error, Fault, Place, Stop};
use serde_json::{Value, json};

use crate::rooms::persons::UpdatePerson;

/// Sends the one field under the name that the API has for it.
pub(crate) fn set<'a>(
    call: &'a Call<'_>,
    declaration: &'static Declaration,
) -> Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>> {
    Box::pin(async move {
        let given = |name: &str| call.input().get(name).cloned().unwrap_or_default();
        let key = given("fieldKey");
        let body = body(key.as_str().unwrap_or_default(), &given("value"));
        let body = body.map_err(|fault| Error::invalid_input(declaration.key, vec![fault]))?;
        let mut request = call.request(declaration);
        request.body = Body::Json(body.to_string().into());
        Ok(call.send(request).await?.into_answer(declaration)?)
    })
}

fn body(key: &str, value: &Value) -> Result<Value, Fault> {
    if key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(json!({"custom_fields": {key: value}}));
    }
    let own = || UpdatePerson::declaration().fields().filter(|field| field.place == Place::Body && field.wire != "custom_fields");
    match own().find(|field| field.wire == key || field.name == key) {
        Some(field) => Ok(json!({field.wire: value})),
        None => {
            let names: Vec<&str> = own().map(|field| field.wire).collect();
            Err(Fault::new("/fieldKey", format!("{key:?} is no 40-character key, and none of {}", names.join(", "))))
        }
    }
}
