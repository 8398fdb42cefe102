//! The envelope of an answer.

use serde_json::Value;

use crate::value::record::Record;

pub(crate) fn wrap(data: Value) -> Value {
    let mut body = Record::new();
    body.insert("success".to_owned(), Value::Bool(true));
    body.insert("data".to_owned(), data);
    Value::Object(body)
}

pub(crate) fn wrap_page(data: Value, additional: Value) -> Value {
    let mut body = wrap(data);
    body["additional_data"] = additional;
    body
}
