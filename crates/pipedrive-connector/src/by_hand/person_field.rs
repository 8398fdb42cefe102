//! Sets one field of one person.

use connector_core::by_hand::{Body, Call};
use connector_core::declare::{Declaration, Declares, Field, FieldLayout, FieldType, Naming, PairedField, Place, Schemas, Text};
use connector_core::{Error, Fault};
use serde_json::{Value, json};

use super::Running;
use crate::account_fields::{FieldOwner, OfPersons};
use crate::rooms::persons::UpdatePerson;

/// A field of a person, by its name or key.
pub(crate) struct PersonFieldKey;

impl FieldType for PersonFieldKey {
    const NAMING: Option<Naming> = Some(Naming::Pair(OfPersons::FIELDS, PairedField::new("value", FieldLayout::Nested, is_own)));

    fn schema(schemas: &mut Schemas) -> Value {
        let text = Text::schema(schemas);
        schemas.mark_fields(text, OfPersons::FIELDS)
    }
}

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

/// Checks that a name is that of a field which every person has, by itself or as an input.
pub(crate) fn is_own(name: &str) -> bool {
    list_own().any(|field| field.wire == name || field.name == name)
}

/// Lists the inputs that each set one field of a person.
fn list_own() -> impl Iterator<Item = &'static Field> {
    let is_one_field = |field: &&Field| field.place == Place::Body && field.wire != "custom_fields" && field.instead_of.is_none();
    UpdatePerson::declaration().fields().filter(is_one_field)
}

fn build_body(key: &str, value: &Value) -> Result<Value, Fault> {
    if key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(json!({"custom_fields": {key: value}}));
    }
    match list_own().find(|field| field.wire == key || field.name == key) {
        Some(field) => Ok(json!({field.wire: value})),
        None => {
            let names: Vec<&str> = list_own().map(|field| field.wire).collect();
            Err(Fault::new("/fieldKey", format!("{key:?} is no custom field, and none of {}", names.join(", "))))
        }
    }
}
