//! Custom fields: the values that each type takes, and their form in each version.

use serde_json::{Value, json};

use crate::engine::collection::{FieldTables, Tables};
use crate::engine::state::{FIRST_COMPANY, State};
use crate::value::clock;
use crate::value::failure::Failure;
use crate::value::random::Random;
use crate::value::record::{Record, is_deleted, read_flag, read_text, to_text};

/// A type that consists of parts, each with its own type.
pub(crate) struct Composite {
    kind: &'static str,
    pub(crate) parts: &'static [(&'static str, &'static str)],
    /// The number of parts, from the first, that must be sent.
    required: usize,
}

const COMPOSITES: &[Composite] = &[
    Composite { kind: "monetary", parts: &[("value", "double"), ("currency", "currency")], required: 2 },
    Composite { kind: "daterange", parts: &[("value", "date"), ("until", "date")], required: 2 },
    Composite { kind: "time", parts: &[("value", "time"), ("timezone_id", "int"), ("timezone_name", "varchar")], required: 1 },
    Composite {
        kind: "timerange",
        parts: &[("value", "time"), ("until", "time"), ("timezone_id", "int"), ("timezone_name", "varchar")],
        required: 2,
    },
    Composite {
        kind: "address",
        parts: &[
            ("value", "varchar"),
            ("subpremise", "varchar"),
            ("street_number", "varchar"),
            ("route", "varchar"),
            ("sublocality", "varchar"),
            ("locality", "varchar"),
            ("admin_area_level_1", "varchar"),
            ("admin_area_level_2", "varchar"),
            ("country", "varchar"),
            ("postal_code", "varchar"),
            ("formatted_address", "varchar"),
        ],
        required: 1,
    },
];

pub(crate) fn find_composite(kind: &str) -> Option<&'static Composite> {
    COMPOSITES.iter().find(|composite| composite.kind == kind)
}

/// Builds the definition of a field. It lists the parts of a custom field whose type has parts.
pub(crate) fn define(name: &str, kind: &str, code: &str, options: &Value, is_custom: bool) -> Record {
    let part = |(part, kind): &(&str, &str)| {
        let part_name = match *part {
            "value" => name.to_owned(),
            part => format!("{} of {name}", part.replace('_', " ")),
        };
        let kind = if *kind == "currency" { "varchar" } else { *kind };
        json!({ "field_code": part, "field_name": part_name, "field_type": kind })
    };
    let parts = find_composite(kind).filter(|_| is_custom).map(|composite| composite.parts);
    let fields = json!({
        "field_name": name,
        "field_code": code,
        "description": format!("{name}."),
        "field_type": kind,
        "options": options,
        "subfields": parts.map(|parts| parts.iter().map(part).collect::<Value>()),
        "is_custom_field": is_custom,
        "is_optional_response_field": false,
        "ui_visibility": { "add_visible_flag": true, "details_visible_flag": true },
        "important_fields": { "enabled": false, "stage_ids": [] },
        "required_fields": { "enabled": false, "stage_ids": [], "statuses": {} },
    });
    match fields {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Record::new(),
    }
}

/// Gives ids to the options of a body.
pub(crate) fn number_options(options: &[Value]) -> Value {
    (1..).zip(options).map(|(id, option): (u64, _)| json!({ "id": id, "label": option.get("label") })).collect()
}

const SEARCHABLE: &[&str] = &["address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"];

/// Lists the custom fields of a collection.
pub(crate) fn list_custom<'a>(state: &'a State, fields: &FieldTables) -> impl Iterator<Item = &'a Record> + use<'a> {
    state.rows(fields.custom).filter(|field| read_flag(field, "is_custom_field") && !is_deleted(field))
}

/// Lists all fields of a collection: its own, then the custom ones that it takes over from another.
pub(crate) fn list_all<'a>(state: &'a State, fields: &FieldTables) -> impl Iterator<Item = &'a Record> + use<'a> {
    let takes_over = fields.own != fields.custom;
    let inherited = list_custom(state, fields).filter(move |_| takes_over);
    state.live(fields.own).chain(inherited)
}

/// Finds a field by its code.
pub(crate) fn find<'a>(state: &'a State, fields: &FieldTables, code: &str) -> Option<&'a Record> {
    list_all(state, fields).find(|field| read_text(field, "field_code") == code)
}

pub(crate) fn read_code(field: &Record) -> &str {
    read_text(field, "field_code")
}

pub(crate) fn is_searchable(field: &Record) -> bool {
    SEARCHABLE.contains(&read_text(field, "field_type"))
}

/// Reads the custom fields of a v1 body into the form of v2.
/// In v1 they stand among the other fields, and may be text.
pub(crate) fn read_v1_body(state: &State, tables: &Tables, fields: &FieldTables, body: &Record) -> Record {
    let given = list_custom(state, fields).filter_map(|field| Some((field, body.get(read_code(field))?)));
    given.map(|(field, value)| (read_code(field).to_owned(), read_v1(tables, field, value, body))).collect()
}

fn read_v1(tables: &Tables, field: &Record, value: &Value, body: &Record) -> Value {
    let whole = |value: &Value| to_text(value).trim().parse::<i64>().map_or_else(|_| value.clone(), Value::from);
    match (read_text(field, "field_type"), value) {
        (_, Value::Null | Value::Object(_)) => value.clone(),
        ("double", Value::String(text)) => text.parse::<f64>().map_or_else(|_| value.clone(), Value::from),
        (kind, _) if kind == "enum" || tables.find_by_field_type(kind).is_some() => whole(value),
        ("set", Value::String(ids)) => ids.split(',').map(|id| whole(&id.into())).collect(),
        ("set", Value::Array(ids)) => ids.iter().map(whole).collect(),
        (kind, _) => match find_composite(kind) {
            Some(composite) => {
                composite.parts.iter().filter_map(|(part, of)| read_v1_part(field, part, of, value, body)).collect::<Record>().into()
            }
            None => value.clone(),
        },
    }
}

/// Reads a part of a composite value: the first has the field's own key, the others have keys of their own.
fn read_v1_part(field: &Record, part: &str, kind: &str, value: &Value, body: &Record) -> Option<(String, Value)> {
    let value = if part == "value" { value } else { body.get(&format!("{}_{part}", read_code(field)))? };
    let number = if kind == "double" { value.as_str().and_then(|text| text.parse::<f64>().ok()) } else { None };
    Some((part.to_owned(), number.map_or_else(|| value.clone(), Value::from)))
}

/// Puts a body's custom fields into a record's. Null clears a field.
pub(crate) fn merge(state: &State, tables: &Tables, fields: &FieldTables, kept: &mut Record, given: &Value) -> Result<(), Failure> {
    let given = given.as_object().ok_or_else(|| Failure::invalid("custom_fields", "must be an object"))?;
    for (key, value) in given {
        let field = find(state, fields, key)
            .filter(|f| f.get("is_custom_field") == Some(&Value::Bool(true)))
            .ok_or_else(|| Failure::invalid("custom_fields", format!("Unknown key '{key}'")))?;
        if value.is_null() {
            kept.shift_remove(key);
        } else {
            let value = check(state, tables, field, value).map_err(|reason| Failure::invalid(&format!("custom_fields.{key}"), reason))?;
            kept.insert(key.clone(), value);
        }
    }
    Ok(())
}

fn check(state: &State, tables: &Tables, field: &Record, value: &Value) -> Result<Value, String> {
    let kind = read_text(field, "field_type");
    if let Some(composite) = find_composite(kind) {
        // The migration guide shows a time that is sent as a plain string.
        let bare = if kind == "time" && value.is_string() { json!({ "value": value }) } else { value.clone() };
        return check_composite(composite, &bare);
    }
    match kind {
        "enum" => check_option(field, value).map(|()| value.clone()),
        "set" => {
            let items = value.as_array().filter(|items| !items.is_empty()).ok_or("must be an array of at least one option id")?;
            items.iter().try_for_each(|item| check_option(field, item))?;
            Ok(value.clone())
        }
        _ => match tables.find_by_field_type(kind) {
            Some(target) => check_id(state, target.name, value),
            None => check_simple(kind, value),
        },
    }
}

fn check_composite(composite: &Composite, value: &Value) -> Result<Value, String> {
    let given = value.as_object().ok_or("must be an object")?;
    let mut kept = Record::new();
    for (index, (name, kind)) in composite.parts.iter().enumerate() {
        match given.get(*name).filter(|v| !v.is_null()) {
            Some(part) => {
                kept.insert((*name).to_owned(), check_simple(kind, part).map_err(|reason| format!("{name}: {reason}"))?);
            }
            None if index < composite.required => return Err(format!("{name} is required")),
            None => {}
        }
    }
    match given.keys().find(|name| !composite.parts.iter().any(|(part, _)| part == name)) {
        Some(unknown) => Err(format!("{unknown} is unknown")),
        None => Ok(Value::Object(kept)),
    }
}

fn check_simple(kind: &str, value: &Value) -> Result<Value, String> {
    let text_up_to = |most: usize| match value.as_str() {
        Some(text) if text.chars().count() <= most => Ok(value.clone()),
        Some(_) => Err(format!("must have at most {most} characters")),
        None => Err("must be a string".to_owned()),
    };
    match kind {
        "double" if value.is_number() => Ok(value.clone()),
        "double" => Err("must be a number".to_owned()),
        "int" if value.is_i64() => Ok(value.clone()),
        "int" => Err("must be an integer".to_owned()),
        "currency" if value.as_str().is_some_and(is_currency) => Ok(value.clone()),
        "currency" => Err("must be a currency code of three letters".to_owned()),
        "date" => value
            .as_str()
            .and_then(clock::parse_date)
            .map(|date| clock::format_date(date).into())
            .ok_or_else(|| "must be a date as YYYY-MM-DD".to_owned()),
        "time" => value.as_str().and_then(clock::parse_clock).map(Value::String).ok_or_else(|| "must be a time as HH:MM:SS".to_owned()),
        "text" => text_up_to(65_535),
        _ => text_up_to(255),
    }
}

pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn check_id(state: &State, table: &str, value: &Value) -> Result<Value, String> {
    let id = value.as_u64().ok_or("must be an id")?;
    state.get_live(table, id).map(|_| value.clone()).ok_or_else(|| format!("{id} does not exist"))
}

/// Refuses an id that is none of a field's options.
pub(crate) fn check_option(field: &Record, id: &Value) -> Result<(), String> {
    if !id.is_number() {
        return Err("must be an option's id".to_owned());
    }
    if list_options(field).iter().any(|option| option.get("id") == Some(id)) { Ok(()) } else { Err(format!("{id} is not an option")) }
}

fn list_options(field: &Record) -> &[Value] {
    field.get("options").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Writes an option as `{id, label}`.
pub(crate) fn label_option(field: &Record, id: &Value) -> Value {
    let label = list_options(field).iter().find(|option| option.get("id") == Some(id)).and_then(|option| option.get("label"));
    json!({ "id": id, "label": label })
}

/// Writes a value as v2 answers it: with every part, and with the labels of options on request.
pub(crate) fn answer_v2(field: &Record, value: Option<&Value>, with_labels: bool) -> Value {
    let Some(value) = value else {
        return Value::Null;
    };
    let kind = read_text(field, "field_type");
    match (kind, value) {
        ("enum", id) if with_labels => label_option(field, id),
        ("set", Value::Array(ids)) if with_labels => ids.iter().map(|id| label_option(field, id)).collect(),
        (_, Value::Object(given)) => {
            let names = find_composite(kind).map_or(&[][..], |composite| composite.parts);
            names.iter().map(|(name, _)| ((*name).to_owned(), given.get(*name).cloned().unwrap_or_default())).collect::<Record>().into()
        }
        _ => value.clone(),
    }
}

/// Writes a value as v1 answers it: flat, with its parts as `KEY_PART`.
pub(crate) fn answer_v1(field: &Record, value: Option<&Value>, out: &mut Record) {
    let key = read_code(field);
    let parts = find_composite(read_text(field, "field_type")).map_or(&[][..], |composite| composite.parts);
    let whole = match value {
        Some(Value::Object(given)) => given.get("value").cloned().unwrap_or_default(),
        Some(Value::Array(ids)) => ids.iter().map(to_text).collect::<Vec<_>>().join(",").into(),
        Some(id) if read_text(field, "field_type") == "enum" => to_text(id).into(),
        other => other.cloned().unwrap_or_default(),
    };
    out.insert(key.to_owned(), whole);
    for (part, _) in parts.iter().filter(|(part, _)| *part != "value") {
        out.insert(format!("{key}_{part}"), value.and_then(|v| v.get(part)).cloned().unwrap_or_default());
    }
}

/// Makes the key of a custom field: 40 hexadecimal digits, the same for the same company and name.
pub(crate) fn make_key(state: &State, name: &str) -> String {
    let mut random = match state.company() {
        FIRST_COMPANY => Random::from_name(name),
        other => Random::from_name(&format!("{other}.{name}")),
    };
    (0..40).filter_map(|_| char::from_digit(u32::try_from(random.draw_below(16)).unwrap_or(0), 16)).collect()
}

/// Refuses to change a field that every company has.
pub(crate) fn check_custom(field: &Record) -> Result<(), Failure> {
    match field.get("is_custom_field") {
        Some(Value::Bool(false)) => Err(Failure::invalid("field_code", "belongs to a standard field, which cannot be changed")),
        _ => Ok(()),
    }
}
