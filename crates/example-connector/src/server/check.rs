//! Strict reading of queries and bodies: no unknown name, no name twice, no wrong type.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::server::message::{Denial, Received};

/// A parameter of a query, or a member of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    name: &'static str,
    form: Form,
    required: bool,
    nullable: bool,
}

/// The form of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A text that is not empty.
    Text,
    /// A number from a minimum on.
    Number(u64),
    /// A time with its zone.
    Time,
    /// A list of texts.
    Texts,
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

impl Param {
    /// Builds a value that may be left out.
    pub(super) const fn new(name: &'static str, form: Form) -> Self {
        Self { name, form, required: false, nullable: false }
    }

    /// Marks it as required.
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Checks its name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Lets null clear it.
    pub(super) const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// Reads the query of a request.
pub(super) fn read_query(request: &Received, params: &[Param]) -> Result<Map<String, Value>, Denial> {
    let mut read = Map::new();
    for (name, text) in &request.query {
        let param = find(params, name)?;
        let value = match param.form {
            Form::Number(_) => text.parse::<u64>().map_or(Value::Null, Value::from),
            _ => Value::from(text.as_str()),
        };
        check(param, &value)?;
        if read.insert(name.clone(), value).is_some() {
            return Err(Denial::at(name, "The parameter is given twice."));
        }
    }
    require(params, &read)?;
    Ok(read)
}

/// Reads the body of a request.
pub(super) fn read_body(request: &Received, params: &[Param]) -> Result<Map<String, Value>, Denial> {
    if let Some((name, _)) = request.query.first() {
        return Err(Denial::at(name, "There is no such parameter."));
    }
    if request.content_type != "application/json" {
        return Err(Denial::new(415, "unsupported_media_type", "The body must be JSON."));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Denial::new(400, "invalid_json", format!("The body is no JSON: {error}.")))?;
    let Value::Object(read) = body else { return Err(Denial::new(400, "invalid_json", "The body must be an object.")) };
    for (name, value) in &read {
        check(find(params, name)?, value)?;
    }
    require(params, &read)?;
    Ok(read)
}

fn find<'p>(params: &'p [Param], name: &str) -> Result<&'p Param, Denial> {
    params.iter().find(|param| param.name == name).ok_or_else(|| Denial::at(name, "There is no such field."))
}

fn require(params: &[Param], read: &Map<String, Value>) -> Result<(), Denial> {
    match params.iter().find(|param| param.required && !read.contains_key(param.name)) {
        Some(missing) => Err(Denial::at(missing.name, "The field is required.")),
        None => Ok(()),
    }
}

fn check(param: &Param, value: &Value) -> Result<(), Denial> {
    if value.is_null() && param.nullable {
        return Ok(());
    }
    let text = value.as_str().filter(|text| !text.is_empty());
    let wrong = |what: String| Err(Denial::at(param.name, format!("The field must be {what}.")));
    match param.form {
        Form::Text if text.is_none() => wrong("a text".to_owned()),
        Form::Number(least) if value.as_u64().is_none_or(|number| number < least) => wrong(format!("a number from {least} on")),
        Form::Time if text.is_none_or(|text| OffsetDateTime::parse(text, &Rfc3339).is_err()) => wrong("a time with its zone".to_owned()),
        Form::OneOf(known) if text.is_none_or(|text| !known.contains(&text)) => wrong(format!("one of {}", known.join(", "))),
        Form::Texts => check_texts(param.name, value),
        _ => Ok(()),
    }
}

fn check_texts(name: &str, value: &Value) -> Result<(), Denial> {
    let Some(items) = value.as_array() else { return Err(Denial::at(name, "The field must be a list.")) };
    match items.iter().position(|item| item.as_str().is_none_or(|text| text.is_empty() || text.contains(' '))) {
        Some(at) => Err(Denial::at(format!("{name}.{at}"), "A tag is one word.")),
        None => Ok(()),
    }
}
