//! Validation of a request against the document: strict in v2, as lenient as Pipedrive in v1.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Number, Value};

use crate::facts::api::{Api, Kind, Operation, Parameter, Schema, Version};
use crate::facts::form;
use crate::facts::form::{MULTIPART, URL_ENCODED};
use crate::value::clock;
use crate::value::content::File;
use crate::value::failure::Failure;
use crate::value::record::{Record, to_text};

/// The documented parameters of a query, each valid.
pub(crate) type Query = BTreeMap<String, String>;

/// The field that holds a body which is a list.
pub(crate) const LISTED: &str = "items";

const MAX_LIMIT: i64 = 500;
const MAX_ITEM_SEARCH_LIMIT: i64 = 100;
const MAX_IDS: usize = 100;
const MAX_CUSTOM_FIELDS: usize = 15;

pub(crate) fn check_query(operation: &Operation, text: &str) -> Result<Query, Failure> {
    let mut query = Query::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let name = name.strip_suffix("[]").unwrap_or(&name);
        let Some(parameter) = operation.parameter(name) else {
            match operation.version() {
                Version::V1 => continue,
                Version::V2 => return Err(Failure::invalid(name, "unknown query parameter")),
            }
        };
        let given = query.entry(name.to_owned()).or_default();
        if is_list(parameter) && !given.is_empty() {
            given.push(',');
            given.push_str(&value);
        } else {
            *given = value.into_owned();
        }
    }
    for parameter in &operation.query {
        match query.get(&parameter.name) {
            Some(value) => check_parameter(operation, parameter, value)?,
            None if parameter.required => {
                return Err(Failure::invalid(&parameter.name, "is required"));
            }
            None => {}
        }
    }
    for parameter in &operation.query {
        if parameter.overridden_by.as_ref().is_some_and(|other| query.contains_key(other)) {
            query.remove(&parameter.name);
        }
    }
    Ok(query)
}

fn is_list(parameter: &Parameter) -> bool {
    parameter.list || parameter.schema.kind == Some(Kind::Array)
}

fn check_parameter(operation: &Operation, parameter: &Parameter, value: &str) -> Result<(), Failure> {
    let name = parameter.name.as_str();
    let tokens: Vec<&str> = if is_list(parameter) { value.split(',').map(str::trim).collect() } else { vec![value] };
    for token in &tokens {
        // A sort order is a field followed by a direction.
        let token = if name == "sort" { token.split_whitespace().next().unwrap_or_default() } else { token };
        check_scalar(&parameter.schema, name, token, operation.version())?;
    }
    match name {
        "ids" | "deal_ids" if tokens.len() > MAX_IDS => Err(Failure::invalid(name, format!("at most {MAX_IDS} ids are allowed"))),
        "ids" | "deal_ids" if tokens.iter().any(|t| t.parse::<u64>().is_err()) => Err(Failure::invalid(name, "must be integers")),
        "custom_fields" if tokens.len() > MAX_CUSTOM_FIELDS => {
            Err(Failure::invalid(name, format!("at most {MAX_CUSTOM_FIELDS} keys are allowed")))
        }
        "limit" => {
            let most = if operation.path.ends_with("/itemSearch") { MAX_ITEM_SEARCH_LIMIT } else { MAX_LIMIT };
            match value.parse::<i64>() {
                Ok(limit) if (1..=most).contains(&limit) => Ok(()),
                Ok(1..) if operation.most_on_a_page().is_some() => Ok(()),
                _ => Err(Failure::invalid(name, format!("must be between 1 and {most}"))),
            }
        }
        "start" if value.parse::<u32>().is_err() => Err(Failure::invalid(name, "must not be negative")),
        "updated_since" | "updated_until" if clock::parse_time(value).is_none() || value.contains('.') => {
            Err(Failure::invalid(name, "must be an RFC 3339 time in whole seconds"))
        }
        _ => Ok(()),
    }
}

/// Checks the variables of a path.
pub(crate) fn check_variables(operation: &Operation, variables: &BTreeMap<&str, String>) -> Result<(), Failure> {
    for (name, value) in variables {
        if let Some(parameter) = operation.path_params.iter().find(|p| p.name == *name) {
            check_scalar(&parameter.schema, name, value, operation.version())?;
        }
    }
    Ok(())
}

fn check_scalar(schema: &Schema, name: &str, text: &str, version: Version) -> Result<(), Failure> {
    let fits = match schema.kind {
        Some(Kind::Integer) => text.parse::<i64>().is_ok(),
        Some(Kind::Number) => text.parse::<f64>().is_ok_and(f64::is_finite),
        Some(Kind::Boolean) => matches!(text, "true" | "false") || (version == Version::V1 && matches!(text, "0" | "1")),
        _ => true,
    };
    if let (false, Some(kind)) = (fits, schema.kind) {
        return Err(Failure::invalid(name, format!("must be {kind}")));
    }
    if !schema.values.is_empty() && !schema.values.iter().any(|v| to_text(v) == text) {
        return Err(Failure::invalid(name, list_choices(&schema.values)));
    }
    let is_formatted = match schema.format.as_deref() {
        Some("date") => clock::parse_date(text).is_some(),
        Some("date-time") => clock::parse_time(text).is_some(),
        Some("uuid") => is_uuid(text),
        _ => true,
    };
    if is_formatted { Ok(()) } else { Err(Failure::invalid(name, "is not in the documented format")) }
}

/// A valid body: documented fields, with numbers and times in one form, and a file.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) fields: Record,
    pub(crate) file: Option<File>,
}

pub(crate) fn check_body(api: &Api, operation: &Operation, content_type: &str, bytes: &Bytes) -> Result<Body, Failure> {
    let Some(body) = &operation.body else {
        return Ok(Body::default());
    };
    if bytes.is_empty() && body.schema.required.is_empty() {
        return Ok(Body::default());
    }
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case(&body.media) {
        return Err(Failure::bad_request(format!("The request's content-type must be {}.", body.media)));
    }
    let schema = api.resolve(&body.schema);
    let (value, file) = match body.media.as_str() {
        URL_ENCODED => (form::read_url_encoded(schema, bytes).into(), None),
        MULTIPART => form::read_multipart(schema, content_type, bytes).map(|(fields, file)| (fields.into(), file))?,
        _ => (parse_json(bytes)?, None),
    };
    let mut fields = check_fields(api, operation, schema, value)?;
    fields.retain(|name, _| !form::is_file(schema, name));
    Ok(Body { fields, file })
}

fn parse_json(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|e| Failure::bad_request(format!("The request's body is not valid JSON: {e}")))
}

fn check_fields(api: &Api, operation: &Operation, schema: &Schema, value: Value) -> Result<Record, Failure> {
    let takes_list = schema.kind == Some(Kind::Array);
    if takes_list && !value.is_array() {
        return Err(Failure::invalid("body", "must be an array"));
    }
    if !takes_list && !value.is_object() {
        return Err(Failure::invalid("body", "must be an object"));
    }
    match (Check { api, version: operation.version() }).check_value(schema, value, "")? {
        Value::Object(record) => Ok(record),
        items @ Value::Array(_) => Ok(Record::from_iter([(LISTED.to_owned(), items)])),
        _ => Err(Failure::invalid("body", "must be an object")),
    }
}

struct Check<'a> {
    api: &'a Api,
    version: Version,
}

impl Check<'_> {
    fn check_value(&self, schema: &Schema, value: Value, at: &str) -> Result<Value, Failure> {
        let schema = self.api.resolve(schema);
        if value.is_null() {
            let may = self.version == Version::V1 || schema.nullable || (schema.kind.is_none() && schema.one_of.is_empty());
            return if may { Ok(value) } else { Err(Failure::invalid(at, "must not be null")) };
        }
        if !schema.one_of.is_empty() {
            let mut last = Failure::invalid(at, "fits none of the documented forms");
            for form in &schema.one_of {
                match self.check_value(form, value.clone(), at) {
                    Ok(value) => return Ok(value),
                    Err(failure) => last = failure,
                }
            }
            return Err(last);
        }
        let value = match schema.kind {
            None => value,
            Some(kind) => self.check_type(kind, schema, value, at)?,
        };
        if !schema.values.is_empty() && !schema.values.contains(&value) {
            return Err(Failure::invalid(at, list_choices(&schema.values)));
        }
        Ok(value)
    }

    fn check_type(&self, kind: Kind, schema: &Schema, value: Value, at: &str) -> Result<Value, Failure> {
        let wrong = || Failure::invalid(at, format!("must be {kind}"));
        let lenient = self.version == Version::V1;
        match (kind, value) {
            (Kind::Integer, Value::Number(n)) => check_bounds(schema, to_integer(&n).ok_or_else(wrong)?, at),
            (Kind::Number, Value::Number(n)) => check_bounds(schema, n, at),
            (Kind::Integer, Value::String(s)) if lenient => check_bounds(schema, s.trim().parse::<i64>().map_err(|_| wrong())?.into(), at),
            (Kind::Number, Value::String(s)) if lenient => {
                let number = s.trim().parse::<f64>().ok().and_then(Number::from_f64).ok_or_else(wrong)?;
                check_bounds(schema, to_integer(&number).unwrap_or(number), at)
            }
            (Kind::Integer | Kind::Number, Value::Bool(b)) if lenient => Ok(Value::from(u8::from(b))),
            (Kind::Boolean, Value::Bool(b)) => Ok(Value::Bool(b)),
            (Kind::Boolean, other) if lenient => match to_text(&other).as_str() {
                "1" | "true" => Ok(Value::Bool(true)),
                "0" | "false" => Ok(Value::Bool(false)),
                _ => Err(wrong()),
            },
            (Kind::String, Value::Number(n)) if lenient => Ok(Value::String(n.to_string())),
            (Kind::String, Value::String(s)) => check_text(schema, s, at).map(Value::String),
            (Kind::Array, Value::Array(items)) => self.check_array(schema, items, at),
            (Kind::Object, Value::Object(fields)) => self.check_object(schema, fields, at).map(Value::Object),
            _ => Err(wrong()),
        }
    }

    fn check_array(&self, schema: &Schema, items: Vec<Value>, at: &str) -> Result<Value, Failure> {
        if schema.max_items.is_some_and(|most| items.len() > most) || schema.min_items.is_some_and(|least| items.len() < least) {
            return Err(Failure::invalid(at, "has too many or too few items"));
        }
        let Some(item) = schema.items.as_deref() else {
            return Ok(Value::Array(items));
        };
        let items = items.into_iter().enumerate().map(|(i, value)| self.check_value(item, value, &format!("{at}[{i}]")));
        items.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn check_object(&self, schema: &Schema, fields: Record, at: &str) -> Result<Record, Failure> {
        let name_at = |name: &str| {
            if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
        };
        for name in &schema.required {
            if fields.get(name).is_none_or(|v| v.is_null() || v.as_str().is_some_and(|s| s.trim().is_empty())) {
                return Err(Failure::invalid(&name_at(name), "is required"));
            }
        }
        let takes_any = schema.open || schema.properties.is_empty();
        let mut out = Record::new();
        for (name, value) in fields {
            let at = name_at(&name);
            let value = match schema.property(&name) {
                Some(property) => {
                    let value = self.check_value(property, value, &at)?;
                    self.normalize_time(&name, property.format.as_deref(), value, &at)?
                }
                None if takes_any => value,
                // v1 bodies take these too: the documents say so on a linked page alone.
                None if self.version == Version::V1 && is_flat_key(&name) => value,
                None if self.version == Version::V1 => continue,
                None => return Err(Failure::invalid(&at, "unknown field")),
            };
            out.insert(name, value);
        }
        Ok(out)
    }

    /// Normalizes a date or a time. The field's name tells which it is, as the document mostly gives no format.
    fn normalize_time(&self, name: &str, format: Option<&str>, value: Value, at: &str) -> Result<Value, Failure> {
        let Value::String(text) = &value else {
            return Ok(value);
        };
        let normal = match name {
            // The duration of a call is a number of seconds.
            "duration" if self.version == Version::V1 => return Ok(value),
            "due_time" => clock::parse_clock(text),
            "duration" => clock::parse_span(text),
            _ if name == "birthday" || name.ends_with("_date") => clock::parse_date(text).map(clock::format_date),
            _ if !name.ends_with("_time") => return Ok(value),
            _ if self.version == Version::V1 || format == Some("utc") => clock::parse_any_time(text).map(clock::stamp),
            _ => clock::parse_time(text).map(clock::stamp),
        };
        normal.map(Value::String).ok_or_else(|| Failure::invalid(at, "is not in the documented format"))
    }
}

fn check_text(schema: &Schema, text: String, at: &str) -> Result<String, Failure> {
    let length = text.chars().count();
    if schema.max_length.is_some_and(|most| length > most) {
        return Err(Failure::invalid(at, "is too long"));
    }
    if schema.min_length.is_some_and(|least| length < least) {
        return Err(Failure::invalid(at, "is too short"));
    }
    if schema.format.as_deref() == Some("uuid") && !is_uuid(&text) {
        return Err(Failure::invalid(at, "must be a UUID"));
    }
    Ok(text)
}

fn check_bounds(schema: &Schema, number: Number, at: &str) -> Result<Value, Failure> {
    let value = number.as_f64().unwrap_or(f64::MAX);
    if schema.minimum.is_some_and(|least| value < least) || schema.maximum.is_some_and(|most| value > most) {
        return Err(Failure::invalid(at, "is out of range"));
    }
    Ok(Value::Number(number))
}

/// Reads an integer, also one that is written as `3.0`: JSON has one kind of number.
fn to_integer(number: &Number) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.as_i64().is_some() {
        return Some(number.clone());
    }
    let float = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and exact")]
    Some(Number::from(float as i64))
}

fn list_choices(values: &[Value]) -> String {
    format!("must be one of {}", values.iter().map(to_text).collect::<Vec<_>>().join(", "))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Tells whether a name in a v1 body is a custom field's key, or `KEY_PART` for a part of that field.
pub(crate) fn is_flat_key(name: &str) -> bool {
    let key = name.split('_').next().unwrap_or_default();
    key.len() == 40 && key.bytes().all(|b| b.is_ascii_hexdigit())
}
