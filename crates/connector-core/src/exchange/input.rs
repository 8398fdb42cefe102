//! Checks of an input, which find all of its faults at once.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use crate::declare::field::{Field, Place};
use crate::declare::fields::Naming;
use crate::declare::rule::Rule;
use crate::exchange::files::CONTENT;
use crate::exchange::references::TakenInput;
use crate::exchange::schema;
use crate::exchange::times::{TimeForm, convert_pairs, lacks_zone};
use crate::value::fault::{Fault, FaultCode, JsonType};
use crate::value::pointer::{escape_segment, unescape_segment};
use crate::value::strict::EXACT;
use crate::value::time_zone::TimeZone;
use crate::value::wording::{find_nearest, shorten};

/// The characters that a message quotes of a caller's value.
const LONGEST_QUOTE: usize = 200;

/// The compiled checks of an input.
pub(crate) struct Checks {
    validator: Validator,
    schema: Value,
    kind: TypeTree,
}

/// The types that a schema names, as a tree that is walked beside a value.
#[derive(Debug)]
enum TypeTree {
    Integer,
    Number,
    Boolean,
    Time(TimeForm),
    List(Box<TypeTree>),
    Object(Vec<(String, TypeTree)>),
    Other,
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Checks {
    /// Compiles the checks of some inputs.
    pub(crate) fn new(fields: &[&Field]) -> Self {
        Self::from_schema(Self::build_schema(fields))
    }

    /// Compiles the checks of some inputs, none of which is required.
    pub(crate) fn without_required(fields: &[&Field]) -> Self {
        let mut schema = Self::build_schema(fields);
        schema["required"] = Value::Array(Vec::new());
        Self::from_schema(schema)
    }

    /// Builds the schema of some inputs, but for what is checked elsewhere.
    fn build_schema(fields: &[&Field]) -> Value {
        let mut schema = schema::build_fields(fields.iter().copied());
        for file in fields.iter().filter(|field| field.shape.is_file()) {
            // The bytes of a file may come beside the input: `Files` looks for them.
            if let Some(required) = schema["properties"][file.name]["required"].as_array_mut() {
                required.retain(|member| member != CONTENT);
            }
        }
        for field in fields.iter().filter(|field| matches!(field.shape.naming, Some(Naming::Values(..)))) {
            // A custom field may be named: its definition tells whether it is there.
            if let Some(property) = schema["properties"][field.name].as_object_mut() {
                property.retain(|word, _| !matches!(word.as_str(), "patternProperties" | "additionalProperties"));
            }
        }
        schema
    }

    fn from_schema(schema: Value) -> Self {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("schemas are built from types, and a test compiles each");
        let kind = TypeTree::from_schema(&schema, &schema);
        Self { validator, schema, kind }
    }

    /// Returns the input as it will be sent, or every fault at once.
    ///
    /// `drops_nulls` is for actions that clear nothing: null for an optional input means that there is none. `zone` is that of the
    /// times that name none. Inputs that were taken out are not missed, and rules are checked once they are back.
    pub(crate) fn read(
        &self,
        mut input: Map<String, Value>,
        fields: &[&Field],
        rules: &[&Rule],
        drops_nulls: bool,
        zone: Option<&TimeZone>,
        taken: &[TakenInput],
    ) -> Result<Map<String, Value>, Vec<Fault>> {
        if drops_nulls {
            let optional = |name: &str| fields.iter().any(|field| field.name == name && !field.shape.required);
            input.retain(|name, value| !(value.is_null() && optional(name)));
        }
        let mut faults = Vec::new();
        if let Some(zone) = zone {
            convert_pairs(fields, &mut input, zone, &mut faults);
        }
        let mut value = Value::Object(input);
        self.kind.convert(&mut value, zone, &mut String::new(), &mut faults);
        if !self.validator.is_valid(&value) {
            // One value has one fault, and a wrong form explains more than a day that does not exist.
            let mut errors: Vec<_> = self.validator.iter_errors(&value).collect();
            errors.sort_by_key(|error| matches!(error.kind(), ValidationErrorKind::Format { .. }));
            for error in errors {
                self.explain(&error, &mut faults);
            }
        }
        let Value::Object(input) = value else { return Err(faults) };
        faults.extend(
            fields.iter().filter(|field| field.place == Place::Path).filter_map(|field| find_path_fault(field, input.get(field.name)?)),
        );
        faults.retain(|fault| !taken.iter().any(|taken| fault.path().strip_prefix('/') == Some(taken.field.name)));
        if faults.is_empty() && taken.is_empty() {
            faults.extend(rules.iter().filter_map(|rule| rule.find_fault(&input)));
        }
        let mut seen = std::collections::HashSet::new();
        faults.retain(|fault| seen.insert(fault.path().to_owned()));
        if faults.is_empty() { Ok(input) } else { Err(faults) }
    }

    /// Adds the faults that an error of the validator stands for.
    fn explain(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let at = error.instance_path().as_str();
        let schema = || find_schema(&self.schema, at);
        let value = || shorten(&error.instance().to_string(), LONGEST_QUOTE);
        let code = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = schema().and_then(|schema| schema["properties"].as_object());
                let known: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
                faults.extend(unexpected.iter().map(|name| {
                    let nearest = find_nearest(name, known.iter().copied(), 1).first().map(|name| (*name).to_owned());
                    let known = known.iter().map(|name| (*name).to_owned()).collect();
                    Fault::at(format!("{at}/{}", escape_segment(name)), FaultCode::Unknown { nearest, known })
                }));
                return;
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                faults.push(Fault::at(format!("{at}/{}", escape_segment(name)), FaultCode::Missing));
                return;
            }
            _ if error.instance().is_null() => {
                let (parent, name) = at.rsplit_once('/').unwrap_or_default();
                let required = find_schema(&self.schema, parent).and_then(|parent| parent["required"].as_array());
                let is_required = required.is_some_and(|names| names.iter().any(|other| name == *other));
                if is_required { FaultCode::NullRequired } else { FaultCode::NullNotClearable }
            }
            ValidationErrorKind::Type { .. } if is_quoted_twice(error.instance()) => FaultCode::QuotedTwice(value()),
            // The values that there are say more than their type.
            ValidationErrorKind::Type { .. } if let Some(allowed) = schema().and_then(|schema| schema["enum"].as_array()) => {
                FaultCode::NotListed { value: value(), allowed: allowed.iter().map(Value::to_string).collect() }
            }
            ValidationErrorKind::Type { kind } => FaultCode::WrongType {
                value: value(),
                expected: match kind {
                    TypeKind::Single(kind) => JsonType::from_schema(kind.as_str()).into_iter().collect(),
                    TypeKind::Multiple(kinds) => kinds.iter().filter_map(|kind| JsonType::from_schema(kind.as_str())).collect(),
                },
            },
            ValidationErrorKind::Enum { options } => {
                let allowed = options.as_array().into_iter().flatten().map(Value::to_string).collect();
                FaultCode::NotListed { value: value(), allowed }
            }
            ValidationErrorKind::Minimum { limit } => FaultCode::TooSmall { value: value(), minimum: limit.to_string() },
            ValidationErrorKind::Maximum { limit } => FaultCode::TooLarge { value: value(), maximum: limit.to_string() },
            ValidationErrorKind::MinLength { limit } => FaultCode::TooShort { value: value(), minimum: *limit },
            ValidationErrorKind::MaxLength { limit } => {
                let length = error.instance().as_str().map_or(0, |text| text.chars().count());
                FaultCode::TooLong { length: length as u64, maximum: *limit }
            }
            ValidationErrorKind::MinItems { .. } => FaultCode::EmptyList,
            ValidationErrorKind::MaxItems { limit } => {
                FaultCode::TooManyItems { count: error.instance().as_array().map_or(0, Vec::len) as u64, maximum: *limit }
            }
            ValidationErrorKind::Format { .. } => FaultCode::NotInCalendar { value: value() },
            ValidationErrorKind::Pattern { .. } if error.instance().as_str().is_some_and(lacks_zone) && is_zoned(schema()) => {
                FaultCode::NoZone { value: value() }
            }
            ValidationErrorKind::Pattern { .. } => match schema().and_then(|schema| schema["examples"][0].as_str()) {
                Some(example) => FaultCode::WrongForm { value: value(), example: example.to_owned() },
                None => FaultCode::Other(shorten(&error.to_string(), LONGEST_QUOTE)),
            },
            _ => FaultCode::Other(shorten(&error.to_string(), LONGEST_QUOTE)),
        };
        faults.push(Fault::at(at, code));
    }
}

impl TypeTree {
    fn from_schema(schema: &Value, root: &Value) -> Self {
        let schema = resolve(schema, root);
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
            kind => kind.as_str(),
        };
        match kind {
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("string") => TimeForm::from_schema(schema).map_or(Self::Other, Self::Time),
            Some("array") => Self::List(Box::new(Self::from_schema(&schema["items"], root))),
            Some("object") => {
                let properties = schema["properties"].as_object();
                Self::Object(
                    properties.into_iter().flatten().map(|(name, property)| (name.clone(), Self::from_schema(property, root))).collect(),
                )
            }
            _ => Self::Other,
        }
    }

    /// Converts texts from a template to numbers and booleans, if nothing is lost, and times to UTC.
    fn convert(&self, value: &mut Value, zone: Option<&TimeZone>, at: &mut String, faults: &mut Vec<Fault>) {
        match (self, &mut *value) {
            (Self::Integer | Self::Number, Value::String(text)) => {
                if let Some(number) = parse_number(text) {
                    *value = Value::Number(number);
                    self.convert(value, zone, at, faults);
                }
            }
            (Self::Boolean, Value::String(text)) => match text.as_str() {
                "true" => *value = Value::Bool(true),
                "false" => *value = Value::Bool(false),
                _ => {}
            },
            (Self::Integer, Value::Number(number)) => {
                let Some(float) = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) else { return };
                if float.abs() < EXACT {
                    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within 53 bits")]
                    let whole = float as i64;
                    *value = whole.into();
                } else {
                    faults.push(Fault::at(at.clone(), FaultCode::Inexact { value: Some(number.to_string()) }));
                }
            }
            (Self::Time(form), Value::String(text)) => match form.convert(text, zone) {
                Some(Ok(moment)) => *text = moment,
                Some(Err(code)) => faults.push(Fault::at(at.clone(), code)),
                None => {}
            },
            (Self::List(item), Value::Array(values)) => {
                for (index, value) in values.iter_mut().enumerate() {
                    at_segment(at, &index.to_string(), |at| item.convert(value, zone, at, faults));
                }
            }
            (Self::Object(members), Value::Object(values)) => {
                for (name, value) in values.iter_mut() {
                    if let Some((_, kind)) = members.iter().find(|(member, _)| member == name) {
                        at_segment(at, name, |at| kind.convert(value, zone, at, faults));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Reads a whole number, also from text that a template wrote, if nothing is lost.
pub(crate) fn read_integer(value: &Value) -> Option<Value> {
    let (mut value, mut faults) = (value.clone(), Vec::new());
    TypeTree::Integer.convert(&mut value, None, &mut String::new(), &mut faults);
    (faults.is_empty() && (value.is_i64() || value.is_u64())).then_some(value)
}

/// Reads a number, also from text that a template wrote, if nothing is lost.
pub(crate) fn read_number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => parse_number(text).map(Value::Number),
        _ => None,
    }
}

/// Parses a JSON number that is written as text, with nothing around it.
fn parse_number(text: &str) -> Option<Number> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    let number: Number = if plain { serde_json::from_str(text).ok()? } else { return None };
    // A number that has other digits once it is parsed would be sent changed.
    (!number.is_f64() || significant_digits(text) == significant_digits(&number.to_string())).then_some(number)
}

/// Returns the significant digits of a number, without sign, point, exponent and outer zeros.
fn significant_digits(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

fn at_segment(at: &mut String, name: &str, work: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&escape_segment(name));
    work(at);
    at.truncate(length);
}

/// Finds the schema of the value at a pointer into the input.
fn find_schema<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut schema = root;
    for segment in pointer.split('/').skip(1) {
        schema = resolve(schema, root);
        schema = match schema["properties"].get(&*unescape_segment(segment)) {
            Some(property) => property,
            None => schema.get("items")?,
        };
    }
    Some(resolve(schema, root))
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// Checks that a text is JSON text itself, with its quotes.
fn is_quoted_twice(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with('"') && serde_json::from_str::<String>(text).is_ok())
}

/// Checks that a schema is that of a time with its zone.
fn is_zoned(schema: Option<&Value>) -> bool {
    schema.and_then(TimeForm::from_schema) == Some(TimeForm::Zoned)
}

/// Finds a value that would leave its path segment, which would make another request.
fn find_path_fault(field: &Field, value: &Value) -> Option<Fault> {
    let text = value.as_str()?;
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    let what = match () {
        () if text.is_empty() => "is empty",
        () if [text, &decoded].iter().any(|text| text.contains(['/', '\\'])) => "contains a slash",
        () if [text, &decoded].iter().any(|text| matches!(*text, "." | "..")) => "is a relative path",
        () if decoded.chars().any(char::is_control) => "contains a control character",
        () => return None,
    };
    Some(Fault::new(
        format!("/{}", field.name),
        format!("{} {what}, which a path cannot carry", shorten(&value.to_string(), LONGEST_QUOTE)),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_one(kind: &str, value: Value) -> Result<Value, Vec<Fault>> {
        let checks = Checks::from_schema(json!({"type": "object", "properties": {"x": {"type": kind}}}));
        let input = Map::from_iter([("x".to_owned(), value)]);
        checks.read(input, &[], &[], false, None, &[]).map(|mut input| input.remove("x").expect("x was given"))
    }

    #[test]
    fn converts_templated_text_if_nothing_is_lost() {
        for (kind, given, expected) in [
            ("integer", json!("42"), json!(42)),
            ("integer", json!("-7"), json!(-7)),
            ("integer", json!(1.0), json!(1)),
            ("integer", json!("1.0"), json!(1)),
            ("integer", json!("1e3"), json!(1000)),
            ("integer", json!(9_223_372_036_854_775_807_i64), json!(9_223_372_036_854_775_807_i64)),
            ("number", json!("12.50"), json!(12.5)),
            ("number", json!("3"), json!(3)),
            ("boolean", json!("true"), json!(true)),
            ("boolean", json!("false"), json!(false)),
            ("string", json!("42"), json!("42")),
        ] {
            assert_eq!(check_one(kind, given.clone()), Ok(expected), "{kind} {given}");
        }
    }

    #[test]
    fn refuses_values_that_would_change() {
        for (kind, given) in [
            ("integer", json!("")),
            ("integer", json!(" 42")),
            ("integer", json!("0x10")),
            ("integer", json!("1.5")),
            ("integer", json!("9223372036854775808000")),
            ("integer", json!(1e30)),
            ("integer", json!(9_007_199_254_740_994.0)),
            ("integer", json!(9_007_199_254_740_992.0)),
            ("integer", json!("1.99999999999999999")),
            ("number", json!("12345678901234567.89")),
            ("number", json!("1e-400")),
            ("integer", json!(true)),
            ("number", json!("123456789012345678901234567890")),
            ("boolean", json!("yes")),
            ("boolean", json!(1)),
            ("string", json!(42)),
        ] {
            let faults = check_one(kind, given.clone()).expect_err(&format!("{kind} {given} must be refused"));
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].path(), "/x");
        }
    }
}
